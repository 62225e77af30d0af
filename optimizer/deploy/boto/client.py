"""botocore's sessions and clients: retries, pace, credentials, endpoint, a count of requests; imported lazily.

boto3 would add resources and its transfer manager to the same clients, and 40 ms to the start of a deploy.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from optimizer import limits
from optimizer.deploy.boto.pace import Pacer
from optimizer.deploy.boto.retry import Retries, most_tries
from optimizer.deploy.clock import RealClock
from optimizer.deploy.regions import known_regions
from optimizer.deploy.rejections import translated

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from optimizer.deploy.clock import Clock

_TRIES_IN_UNKNOWN = 2
_READ_SECONDS = 60
_MARGIN_SECONDS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where AWS is: at its own addresses, or at `endpoint_url`.

    `local` is an embedded one, which takes any credentials; `longest_answer_seconds` is how long a function may
    take to answer.
    """

    endpoint_url: str | None = None
    local: bool = False
    longest_answer_seconds: int = 0


@dataclass(slots=True)
class Clients:
    """The clients of one run in all regions, made when they are first asked for, and what they have sent.

    `calls_per_second` is the pace at which each region's control plane is called, tries that are repeated included;
    without it calls are not paced, and throttling is dealt with by repeating them. `guard` is called before each
    request, which is not sent where it raises. All waiting is on the `clock`.
    """

    connection: Connection
    clock: Clock = field(default_factory=RealClock)
    calls_per_second: int | None = None
    calls: Counter[str] = field(default_factory=Counter)
    guard: Callable[[], None] | None = None
    _session: Any = None
    _clients: dict[tuple[str, str, bool], Any] = field(default_factory=dict)
    _pacers: dict[str, Pacer] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def client(self, service: str, region: str, *, once: bool = False) -> Any:
        """The client of a service in a region.

        Args:
            service: botocore's name of it.
            region: where.
            once: it tries each call a single time.

        Raises:
            AwsError: there is no such region or profile.
        """
        with self._lock:
            key = (service, region, once)
            if key not in self._clients:
                with translated(service, self.connection.endpoint_url, region):
                    self._clients[key] = self._make(service, region, once=once)
            return self._clients[key]

    def answers_within(self, seconds: int) -> None:
        """Wait so long for answers from now on: for functions that were not known when the run began."""
        with self._lock:
            self.connection = dataclasses.replace(self.connection, longest_answer_seconds=seconds)
            self._clients.clear()

    def translated(self, subject: str, region: str) -> AbstractContextManager[None]:
        """This project's errors for botocore's within the block."""
        return translated(subject, self.connection.endpoint_url, region)

    def _make(self, service: str, region: str, *, once: bool) -> Any:
        import botocore.config

        if self._session is None:
            self._session = _session(local=self.connection.local)
        client = self._session.create_client(
            service,
            region_name=region,
            endpoint_url=self.connection.endpoint_url,
            config=botocore.config.Config(
                retries={"mode": "standard", "total_max_attempts": 1},
                user_agent_extra="layer-optimizer",
                read_timeout=max(_READ_SECONDS, self.connection.longest_answer_seconds + _MARGIN_SECONDS),
                connect_timeout=10,
                **({"proxies": {}} if self.connection.local else {}),
            ),
        )
        client.meta.events.register("before-send", self._count)
        if not once:
            client.meta.events.register("needs-retry", Retries(self.clock, most=self._most_tries(region)))
        if service == "lambda" and self.calls_per_second is not None:
            pacer = self._pacers.setdefault(region, Pacer(self.clock, self.calls_per_second))
            client.meta.events.register("before-send", lambda event_name, **_: _pace(pacer, event_name))
        return client

    def _most_tries(self, region: str) -> int | None:
        """How often each call is tried at most; where the region is likely mistyped, waiting for it is in vain."""
        if self.connection.endpoint_url is None and region not in known_regions():
            return _TRIES_IN_UNKNOWN
        return most_tries()

    def _count(self, event_name: str, **_: Any) -> None:
        """Count one request; its event is `before-send.<service>.<operation>`."""
        if self.guard is not None:
            self.guard()
        with self._counting:
            self.calls[event_name.rpartition(".")[2]] += 1


def default_region() -> str | None:
    """The region that the environment or the profile names.

    Raises:
        AwsError: the profile does not exist.
    """
    import botocore.session

    with translated("the default region", None, ""):
        region: str | None = botocore.session.get_session().get_config_variable("region")
        return region


def _pace(pacer: Pacer, event_name: str) -> None:
    if event_name.rpartition(".")[2] not in limits.OWN_QUOTA:
        pacer.wait()


def _session(*, local: bool) -> Any:
    """A session; for an embedded AWS one that reads neither credentials nor profiles of this machine."""
    import botocore.session

    if not local:
        return botocore.session.get_session()

    unread = (None, None, None, None)
    session = botocore.session.Session(
        session_vars={"profile": unread, "config_file": unread, "credentials_file": unread, "ca_bundle": unread}
    )
    session.set_credentials("local", "local")
    return session
