"""[reads] The package index port: a project's wheels, and one wheel's bytes; pypi-simple behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date
from typing import TYPE_CHECKING, Protocol, Self

from optimizer.errors import DiskError, NetworkError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pypi_simple import DistributionPackage, PyPISimple

_TIMEOUT = (10.0, 60.0)
_RETRIES = 3
_BUSY = (429, 500, 502, 503, 504)
_CHUNK = 1 << 16
_MEND = "Look at the network and the proxy, and run the command again: it goes on from there."


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFile:
    """One wheel as the index tells of it; `day` is that of the upload (UTC) or None, `sha256` in hex or empty."""

    filename: str
    url: str
    sha256: str
    day: date | None = None
    bytes: int = 0
    requires_python: str | None = None
    yanked: bool = False


class PackageIndex(Protocol):
    """Where releases are looked up."""

    def wheels(self, name: str) -> tuple[IndexFile, ...] | None:
        """The project's wheels in no particular order, or None where the index knows no such project.

        Raises:
            NetworkError: the index could not be reached, or refused.
        """

    def fetch(self, wheel: IndexFile, place: Path) -> None:
        """Write the wheel's bytes there; whoever asks checks the hash.

        Raises:
            NetworkError: the index could not be reached, or refused.
            DiskError: they can't be written.
        """


class SimpleIndex:
    """A package index as PEPs 503, 691 and 700 have it, asked politely: one request at a time, slower when told to."""

    def __init__(self) -> None:
        """Open a session.

        Raises:
            UsageError: pypi-simple is not installed.
        """
        self._client = _client()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.s.close()

    def wheels(self, name: str) -> tuple[IndexFile, ...] | None:
        """See PackageIndex."""
        import requests
        from pypi_simple import NoSuchProjectError, UnsupportedContentTypeError, UnsupportedRepoVersionError

        try:
            page = self._client.get_project_page(name, timeout=_TIMEOUT)
        except NoSuchProjectError:
            return None
        except requests.RequestException as error:
            raise NetworkError(
                f"The package index could not be asked for {name}: {_plainly(error)}", mend=_MEND
            ) from error
        except (UnsupportedContentTypeError, UnsupportedRepoVersionError, ValueError) as error:
            raise NetworkError(
                f"What answers for {name} is no package index ({type(error).__name__})", mend=_MEND
            ) from error
        return tuple(_file(package) for package in page.packages if package.filename.endswith(".whl"))

    def fetch(self, wheel: IndexFile, place: Path) -> None:
        """See PackageIndex."""
        import requests

        try:
            with self._client.s.get(wheel.url, stream=True, timeout=_TIMEOUT) as answer, place.open("wb") as file:
                answer.raise_for_status()
                for chunk in answer.iter_content(_CHUNK):
                    file.write(chunk)
        except requests.RequestException as error:
            raise NetworkError(f"{wheel.filename} could not be downloaded: {_plainly(error)}", mend=_MEND) from error
        except OSError as error:
            reason = error.strerror or error
            raise DiskError(
                f"{place.parent} can't be written: {reason}", mend="Free some space there, or set TMPDIR."
            ) from error


def _client() -> PyPISimple:
    """A client that waits and asks again where the index is busy."""
    try:
        import pypi_simple
        from requests.adapters import HTTPAdapter
        from urllib3.util.retry import Retry
    except ImportError as error:
        raise UsageError(
            f"The package index is asked with pypi-simple, which is not installed ({error})",
            mend="Install it: python -m pip install 'layer-optimizer[history]'",
        ) from error
    client = pypi_simple.PyPISimple()
    client.s.headers["User-Agent"] = f"layer-optimizer {client.s.headers['User-Agent']}"
    retry = Retry(total=_RETRIES, backoff_factor=0.5, status_forcelist=_BUSY, allowed_methods=("GET",))
    client.s.mount("https://", HTTPAdapter(max_retries=retry))
    return client


def _file(package: DistributionPackage) -> IndexFile:
    uploaded = package.upload_time
    if uploaded is not None and uploaded.tzinfo is not None:
        uploaded = uploaded.astimezone(UTC)
    return IndexFile(
        filename=package.filename,
        url=package.url,
        sha256=package.digests.get("sha256", ""),
        day=uploaded.date() if uploaded else None,
        bytes=package.size or 0,
        requires_python=package.requires_python,
        yanked=package.is_yanked,
    )


def _plainly(error: Exception) -> str:
    """The reason in one line, without the user and password that a proxy's address may hold."""
    return re.sub(r"(?<=://)[^/\s@]+@", "", " ".join(str(error).split()))[:300]
