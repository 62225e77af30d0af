"""Starts and stops the embedded AWS, in this process."""

from __future__ import annotations

import importlib.util
import os
import socket
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.errors import UsageError
from optimizer.runtime.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from optimizer.local.service import AccessLog, Logged, Settings

_NEEDED = ("werkzeug", "moto", "flask", "awslambdaric", "elftools", "botocore", "orjson")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedAws:
    """A running embedded AWS."""

    endpoint_url: str
    log: AccessLog


@contextmanager
def embedded_aws(
    settings: Settings | None = None,
    *,
    port: int = 0,
    ahead: Callable[[str, str, str], None] | None = None,
    follow: Callable[[Logged], None] | None = None,
) -> Iterator[EmbeddedAws]:
    """An embedded AWS for the time of the block; everything it made is gone afterwards.

    Where `ahead` or `follow` raises ConnectionError, the caller gets no answer: the call had no effect, or had it and
    its answer is lost.

    Args:
        settings: how it behaves.
        port: on 127.0.0.1; 0 takes any that is free.
        ahead: called with service, operation and the caller's user agent before a call is carried out, from the thread
            that answers it.
        follow: called with the call's line of the access log when it was carried out, before its answer is sent.

    Raises:
        UsageError: the port is taken, or the extra `local` is not installed.
    """
    _check_installed()
    from optimizer.local import operations
    from optimizer.local.environments import Environments
    from optimizer.local.http import Front
    from optimizer.local.service import AccessLog, Lambda
    from optimizer.local.service import Settings as DefaultSettings
    from optimizer.local.services import Services
    from optimizer.local.serving import Server
    from optimizer.local.state import State
    from optimizer.local.telemetry import Telemetry
    from optimizer.local.urls import UrlListeners

    del operations  # imported for what it enters into the service's table
    chosen = settings or DefaultSettings()
    with ExitStack() as stack:
        listener = stack.enter_context(_listen(port))
        endpoint_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        scratch = stack.enter_context(scratch_folder())
        telemetry = Telemetry()
        environments = Environments(scratch / "unpacked", telemetry, endpoint_url, most=chosen.function_concurrency)
        stack.callback(environments.close_all)
        listeners = UrlListeners(lambda: lam)
        stack.callback(listeners.close_all)
        services = Services(telemetry)
        stack.callback(services.close)
        lam = Lambda(
            state=State(scratch / "blobs"),
            services=services,
            environments=environments,
            listeners=listeners,
            settings=chosen,
            endpoint_url=endpoint_url,
        )
        log = AccessLog()
        front = Front(lam, log, ahead=ahead, follow=follow)
        server = Server(front, listener.fileno())
        stack.callback(server.server_close)
        thread = threading.Thread(target=server.serve_forever, daemon=True, name="embedded-aws")
        thread.start()
        stack.callback(server.shutdown)
        yield EmbeddedAws(endpoint_url=endpoint_url, log=log)


def _check_installed() -> None:
    """Name what is missing.

    Raises:
        UsageError: something is.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"The embedded AWS needs {', '.join(missing)}, which this environment does not have",
            mend="Install the extra: python -m pip install 'layer-optimizer[local]'",
        )


def _listen(port: int) -> socket.socket:
    """A listening socket: werkzeug's own would print advice and exit where the port is taken.

    Raises:
        UsageError: it is.
    """
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else "there is no such port"
        raise UsageError(
            f"Port {port} on 127.0.0.1 can't be used: {reason}",
            mend="Name another with --port, or none to take any that is free.",
        ) from error
