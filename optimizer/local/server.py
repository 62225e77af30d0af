"""Starts and stops the embedded AWS, in this process, and finds one that runs in another."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from optimizer.local.service import AccessLog, Logged, Settings

ENDPOINT = Path(".local/endpoint.json")
"""Where a running embedded AWS says how it is reached, below the folder it was started in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedAws:
    """A running embedded AWS."""

    endpoint_url: str
    log: AccessLog


@contextmanager
def embedded_aws(
    settings: Settings | None = None, *, port: int = 0, follow: Callable[[Logged], None] | None = None
) -> Iterator[EmbeddedAws]:
    """An embedded AWS for the time of the block; everything it made is gone afterwards.

    Args:
        settings: how it behaves.
        port: on 127.0.0.1; 0 takes any that is free.
        follow: called with each line of the access log.

    Raises:
        UsageError: the port is taken, or the extra `local` is not installed.
    """
    try:
        from werkzeug.serving import make_server

        from optimizer.local import operations
        from optimizer.local.environments import Environments
        from optimizer.local.http import Front
        from optimizer.local.requests import QuietHandler
        from optimizer.local.service import AccessLog, Lambda
        from optimizer.local.service import Settings as DefaultSettings
        from optimizer.local.services import Services
        from optimizer.local.state import State
        from optimizer.local.telemetry import Telemetry
        from optimizer.local.urls import UrlListeners
    except ImportError as error:
        raise UsageError(
            f"The embedded AWS needs {error.name}, which is not installed",
            mend="Install the extra: python -m pip install 'layer-optimizer[local]'",
        ) from error
    del operations  # imported for what it enters into the service's table
    chosen = settings or DefaultSettings()
    scratch = Path(tempfile.mkdtemp(prefix="layer-optimizer-local-"))
    try:
        (scratch / "blobs").mkdir()
        telemetry = Telemetry()
        environments = Environments(scratch / "unpacked", telemetry, concurrency=chosen.function_concurrency)
        listeners = UrlListeners(lambda: lam)
        lam = Lambda(
            state=State(scratch / "blobs"),
            services=Services(telemetry),
            environments=environments,
            listeners=listeners,
            settings=chosen,
            endpoint_url="",
        )
        log = AccessLog()
        try:
            server = make_server(
                "127.0.0.1", port, Front(lam, log, follow=follow), threaded=True, request_handler=QuietHandler
            )
        except (OSError, SystemExit):
            # werkzeug prints its own advice and exits where a port is taken
            raise UsageError(
                f"Port {port} on 127.0.0.1 can't be used: something else listens there",
                mend="Name another with --port, or none to take any that is free.",
            ) from None
        lam.endpoint_url = environments.endpoint_url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True, name="embedded-aws")
        thread.start()
        try:
            yield EmbeddedAws(endpoint_url=lam.endpoint_url, log=log)
        finally:
            server.shutdown()
            server.server_close()
            listeners.close_all()
            environments.close_all()
            thread.join(timeout=5)
    finally:
        _remove(scratch)


def _remove(folder: Path) -> None:
    """Remove a tree whose folders may be read-only."""
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            place = Path(parent, name)
            if not place.is_symlink():
                place.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def find_running(folder: Path) -> str | None:
    """The endpoint of the embedded AWS that was started in a folder, or None where none is alive."""
    try:
        document = json.loads((folder / ENDPOINT).read_text("utf-8"))
        pid, url = int(document["pid"]), str(document["endpoint_url"])
        os.kill(pid, 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if _answers(url) else None


def _answers(url: str) -> bool:
    """Whether what listens there is an embedded AWS, and not another program with a dead one's pid."""
    from urllib.error import URLError
    from urllib.request import urlopen

    try:
        with urlopen(f"{url}/_embedded/calls", timeout=2) as answer:  # noqa: S310  the file is ours and says http
            return bool(answer.status == 200)  # noqa: PLR2004
    except (URLError, OSError, ValueError):
        return False


@contextmanager
def announced(folder: Path, url: str) -> Iterator[None]:
    """Say in the folder's endpoint file where the embedded AWS is, for the time of the block.

    Raises:
        UsageError: another one is alive there.
    """
    running = find_running(folder)
    if running is not None:
        raise UsageError(
            f"An embedded AWS is running already: {running} (see {ENDPOINT})",
            mend="Use that one (deploy --local finds it), or stop it first.",
        )
    place = folder / ENDPOINT
    place.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"endpoint_url": url, "pid": os.getpid()}) + "\n"
    part = place.with_name(f"{place.name}.part")
    part.write_text(text, "utf-8")
    part.replace(place)
    try:
        yield
    finally:
        try:
            if place.read_text("utf-8") == text:
                place.unlink()
        except OSError:
            pass  # somebody removed it: there is nothing left to take back
