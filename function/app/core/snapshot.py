"""SnapStart: what is done before Lambda takes its snapshot of this process, and in each copy that starts from it.

Imported only where a snapshot is to be taken. The runtimes that have SnapStart bring `snapshot_restore_py` (developer
guide, "Lambda SnapStart runtime hooks for Python": what runs before the snapshot has the 130 s or more of the
initialisation, what runs after a restore has 10 s).
"""

import asyncio
import importlib
import random
from collections.abc import MutableMapping
from typing import Any

from fastapi import FastAPI

from app import API_PREFIX
from app.core import logging
from app.core.clients import Clients
from app.core.settings import Settings
from app.core.startup import uncollected


def install(app: FastAPI) -> None:
    """Register both hooks with the runtime.

    Raises:
        ImportError: The runtime has no hooks, which one that takes snapshots always has.
    """
    hooks: Any = importlib.import_module("snapshot_restore_py")
    hooks.register_before_snapshot(prepare, app)
    hooks.register_after_restore(resume, app)


def prepare(app: FastAPI) -> None:
    """Do now what first requests would do: load and make all of it, without a call to AWS.

    Raises:
        RuntimeError: The service doesn't work; no version of it is published then.
    """
    clients: Clients = app.state.clients
    settings: Settings = app.state.settings
    with uncollected(), logging.silent():
        for path in ("/health", f"{API_PREFIX}/docs", f"{API_PREFIX}/openapi.json"):
            status = _get(app, path)
            if status != 200:  # noqa: PLR2004  # HTTP's own number
                raise RuntimeError(f"GET {path} answers {status}")
        _ = clients.rekognition, clients.s3
        # By their functions, not by requests: those may need a key.
        from app.schemas.analyze import RED_PIXEL, AnalyzeRequest
        from app.services import analysis, batch, health, uploads  # noqa: F401  # loaded with their first requests

        asked = AnalyzeRequest(image=RED_PIXEL, analysis_type="colors")
        analysis.analyze(asked, clients=clients, settings=settings)


def resume(app: FastAPI) -> None:
    """Make this copy one of its own: other copies start from the same chance and the same connections."""
    random.seed()  # botocore's pauses between attempts: all copies would try again at the same moments
    clients: Clients = app.state.clients
    clients.disconnect()
    logging.thaw()


def _get(app: FastAPI, path: str) -> int:
    """The status of a GET, in an event loop of its own."""
    statuses: list[int] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(app(scope, receive, send))
    finally:
        loop.close()
    return statuses[0]
