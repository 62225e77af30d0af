"""The package index port: from a project's name to its wheels, from a wheel to its bytes; pypi-simple behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, Self

from optimizer.errors import DiskError, NetworkError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pypi_simple import ProjectPage, PyPISimple

_TIMEOUT = (10.0, 60.0)
_RETRIES = 5
_BACKOFF = 0.5
_LONGEST_WAIT = 120
_CHUNK = 1 << 16
_MEND = "Look at the network, the proxy and --index-url."
_PARTIAL = 206
_BUSY = (429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFile:
    """One wheel as the index tells of it.

    `uploaded` is in UTC, or None where it does not say (before PEP 700); `sha256` is in hex, or empty.
    """

    filename: str
    uploaded: datetime | None
    bytes: int = 0
    requires_python: str | None = None
    yanked: bool = False
    url: str = ""
    sha256: str = ""


class PackageIndex(Protocol):
    """Where releases are looked up."""

    def files(self, name: str) -> tuple[IndexFile, ...] | None:
        """The project's wheels in no particular order, or None where the index knows no such project.

        Raises:
            NetworkError: the index could not be reached, or refused.
        """


class WheelIndex(PackageIndex, Protocol):
    """Where releases are looked up, and wheels come from."""

    def fetch(self, wheel: IndexFile, place: Path) -> None:
        """Write the wheel's bytes there; whoever asks checks the hash.

        Raises:
            NetworkError: the index could not be reached, or refused.
            DiskError: they can't be written.
        """


class NoRangesError(Exception):
    """The host sends whole files only, not the ranges of one."""


class RangeIndex(PackageIndex, Protocol):
    """Where releases are looked up, and parts of wheels come from; asked from several threads."""

    def read(self, wheel: IndexFile, start: int, stop: int) -> bytes:
        """Exactly those bytes of the wheel.

        Raises:
            NetworkError: the index could not be reached, or refused.
            NoRangesError: it answers with whole files.
        """


class SimpleIndex:
    """A package index as PEPs 503, 691 and 700 have it, asked politely: one request at a time, slower when told to."""

    def __init__(self, url: str | None = None) -> None:
        """Open a session.

        Args:
            url: of the index; by default pypi-simple's own.

        Raises:
            UsageError: pypi-simple is not installed, or the URL is none.
        """
        if url is not None and not re.match(r"https?://[^/\s]", url):
            raise UsageError(
                f"--index-url {_without_secrets(url)} is no http address",
                mend="Name the address that pip's --index-url takes.",
            )
        self._client = _client(url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.s.close()

    def files(self, name: str) -> tuple[IndexFile, ...] | None:
        """See PackageIndex."""
        import requests
        from pypi_simple import NoSuchProjectError, UnsupportedContentTypeError, UnsupportedRepoVersionError

        try:
            page = self._client.get_project_page(name, timeout=_TIMEOUT)
        except NoSuchProjectError:
            return None
        except requests.HTTPError as error:
            answer = error.response
            reason = f"{answer.status_code} {answer.reason}" if answer is not None else "it does not say why"
            raise NetworkError(f"The package index refused {name}: {reason}", mend=_MEND) from error
        except requests.RequestException as error:
            cause = getattr(error.args[0], "reason", error) if error.args else error  # urllib3's own words are long
            raise NetworkError(
                f"The package index could not be asked for {name}: {_without_secrets(str(cause))}", mend=_MEND
            ) from error
        except (UnsupportedContentTypeError, UnsupportedRepoVersionError, ValueError) as error:
            raise NetworkError(
                f"What answers for {name} is no package index ({type(error).__name__})", mend=_MEND
            ) from error
        return _wheels(page)

    def fetch(self, wheel: IndexFile, place: Path) -> None:
        """See WheelIndex."""
        import requests

        try:
            with self._client.s.get(wheel.url, stream=True, timeout=_TIMEOUT) as answer, place.open("wb") as file:
                answer.raise_for_status()
                for chunk in answer.iter_content(_CHUNK):
                    file.write(chunk)
        except requests.RequestException as error:
            raise NetworkError(
                f"{wheel.filename} could not be downloaded: {_without_secrets(str(error))}", mend=_MEND
            ) from error
        except OSError as error:
            reason = error.strerror or error
            raise DiskError(
                f"{place.parent} can't be written: {reason}", mend="Free some space there, or set TMPDIR."
            ) from error

    def read(self, wheel: IndexFile, start: int, stop: int) -> bytes:
        """See RangeIndex."""
        import requests

        headers = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}
        try:
            with self._client.s.get(wheel.url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
                answer.raise_for_status()
                told = answer.headers.get("Content-Range", "")
                if answer.status_code != _PARTIAL or not told.startswith(f"bytes {start}-{stop - 1}/"):
                    raise NoRangesError  # its body, all of the wheel, is not read
                data: bytes = answer.content
        except requests.RequestException as error:
            raise NetworkError(
                f"{wheel.filename} could not be read: {_without_secrets(str(error))}", mend=_MEND
            ) from error
        if len(data) != stop - start:
            raise NetworkError(f"{wheel.filename} could not be read: {len(data)} bytes came", mend=_MEND)
        return data


def _client(url: str | None) -> PyPISimple:
    """A client whose session waits and asks again where the index is busy."""
    try:
        import pypi_simple
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util.retry import Retry
    except ImportError as error:
        raise UsageError(
            f"The package index is asked with pypi-simple, which is not installed ({error})",
            mend="Install it: python -m pip install 'layer-optimizer[history]'",
        ) from error
    session = requests.Session()
    session.headers["User-Agent"] = f"layer-optimizer {pypi_simple.client.USER_AGENT}"
    retry = Retry(
        total=_RETRIES,
        backoff_factor=_BACKOFF,
        backoff_max=_LONGEST_WAIT,
        status_forcelist=_BUSY,
        allowed_methods=("GET",),
        respect_retry_after_header=True,
    )
    retry.retry_after_max = _LONGEST_WAIT  # before urllib3 2.6 there is no such option, and this does no harm
    for scheme in ("http", "https"):
        session.mount(f"{scheme}://", HTTPAdapter(max_retries=retry))
    return pypi_simple.PyPISimple(session=session, **({"endpoint": url} if url else {}))


def _wheels(page: ProjectPage) -> tuple[IndexFile, ...]:
    return tuple(
        IndexFile(
            filename=package.filename,
            uploaded=_in_utc(package.upload_time),
            bytes=package.size or 0,
            requires_python=package.requires_python,
            yanked=package.is_yanked,
            url=package.url,
            sha256=package.digests.get("sha256", ""),
        )
        for package in page.packages
        if package.filename.endswith(".whl")
    )


def _in_utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _without_secrets(text: str) -> str:
    """The text without the user and password that an address may hold."""
    return re.sub(r"(?<=://)[^/\s@]+@", "", text)
