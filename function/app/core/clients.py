"""AWS clients: made when first used, once a process, one at a time.

`boto3.session.Session` is not thread safe and neither is making a client with it; clients are (boto3's guide,
"Multithreading and multiprocessing"). So they are made under a lock and then shared.
"""

import os
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request

from app.core.aws_errors import translated
from app.core.settings import Settings
from app.core.startup import uncollected

if TYPE_CHECKING:
    import boto3


class Clients:
    """The AWS clients of this process."""

    def __init__(self, settings: Settings, made: Mapping[str, Any] | None = None) -> None:
        """Start without a client, and without having imported boto3.

        Args:
            settings: Timeouts and attempts.
            made: Clients that exist already, by service; tests hand in theirs.
        """
        self._settings = settings
        self._made: dict[str, Any] = dict(made or {})
        self._lock = Lock()
        self._session: boto3.session.Session | None = None

    @property
    def rekognition(self) -> Any:
        """The Rekognition client.

        Raises:
            ProblemError: It can't be made: no region, say.
        """
        return self._get("rekognition")

    @property
    def s3(self) -> Any:
        """The S3 client.

        Raises:
            ProblemError: It can't be made: no region, say.
        """
        return self._get("s3")

    def disconnect(self) -> None:
        """Close all connections; the clients open others when next used."""
        for client in self._made.values():
            client.close()

    def _get(self, service: str) -> Any:
        client = self._made.get(service)
        if client is None:
            with self._lock:
                client = self._made.get(service)
                if client is None:
                    # Of what an action needs, nothing is asked yet.
                    with translated(service=service, action=""), uncollected():  # service models are many small objects
                        client = self._made[service] = self._make(service)
        return client

    def _make(self, service: str) -> Any:
        # Imported here: boto3 takes longer to load than everything else together, and many requests need none of it.
        import boto3
        from botocore.config import Config

        if self._session is None:
            # Lambda sets both variables; elsewhere boto3 itself reads only AWS_DEFAULT_REGION and its files.
            self._session = boto3.session.Session(region_name=os.environ.get("AWS_REGION") or None)
        config = Config(
            connect_timeout=self._settings.connect_seconds,
            read_timeout=self._settings.read_seconds,
            retries={"mode": "standard", "total_max_attempts": self._settings.attempts},
        )
        # The names stand as literals, so that a reader of the source can tell which clients are made.
        if service == "rekognition":
            return self._session.client("rekognition", config=config)
        # Another endpoint than AWS's seldom has a host name for each bucket. Without `virtual`, presigned URLs would
        # name the host that all regions share, which redirects for a new bucket.
        elsewhere = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        style = {"addressing_style": "path" if elsewhere else "virtual"}
        return self._session.client("s3", config=config.merge(Config(s3=style, signature_version="s3v4")))


# What routes ask for in their signatures. Both are `async`: FastAPI would call others in a thread, each time.
async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _clients(request: Request) -> Clients:
    clients: Clients = request.app.state.clients
    return clients


ClientsDep = Annotated[Clients, Depends(_clients)]
SettingsDep = Annotated[Settings, Depends(_settings)]
