"""[runs] uv, which knows the package indexes: from requirements to versions and the wheels that there are of each.

What uv is configured with (indexes, folders of wheels, credentials, constraints) holds; nothing of it is given here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidWheelFilename, NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion

from optimizer.errors import NetworkError, ResolutionError, UsageError
from optimizer.inventory.target import marker_environment, tag_rank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optimizer.models import Target

_GLIBC_MINORS = (17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)
"""The glibc 2 versions that uv's --python-platform knows for manylinux."""
_NO_SOLUTION = 1
_ROUNDS = 10
"""How often what does not load is held to older versions before only surely fitting wheels are asked for."""
_OFFLINE = re.compile(
    r"error sending request|Failed to fetch|network was disabled|network connectivity is disabled|timed out",
    re.IGNORECASE,
)
WITHOUT_NETWORK = "Look at the network and at uv's index, or go on from wheels that you have: --wheels DIR."


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One wheel that an index or a folder has; `bytes` is 0 where it does not say."""

    filename: str
    url: str
    sha256: str
    bytes: int = 0

    def rank(self, target: Target) -> int | None:
        """How an installer ranks it for the target, the lowest first; None where it does not load."""
        try:
            return tag_rank(parse_wheel_filename(self.filename)[3], target)
        except (InvalidWheelFilename, InvalidVersion):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One version of a distribution, and its wheels."""

    name: NormalizedName
    version: str
    offers: tuple[Offer, ...]

    def fitting(self, target: Target) -> tuple[Offer, ...]:
        """The wheels that load on the target, the one first that an installer would take."""
        ranked = sorted((rank, o.filename, o) for o in self.offers if (rank := o.rank(target)) is not None)
        return tuple(offer for _, _, offer in ranked)


class NoSolutionError(Exception):
    """uv found no versions that go together; the message is its own, `names` are some that have no fitting wheel."""

    def __init__(self, message: str, names: frozenset[NormalizedName] = frozenset()) -> None:
        super().__init__(message)
        self.names = names


def nearest_platforms(target: Target) -> tuple[str, str]:
    """The newest platform of uv's whose every wheel loads on the target, and the oldest one with every such wheel.

    Lambda's glibc 2.26 is none of uv's: it lies between 2.17 and 2.28. Its glibc 2.34 is one.
    """
    minor = target.lambda_runtime.glibc[1]
    below = max(known for known in _GLIBC_MINORS if known <= minor)
    above = min(known for known in _GLIBC_MINORS if known >= minor)
    return f"{target.machine}-manylinux_2_{below}", f"{target.machine}-manylinux_2_{above}"


def resolve(file: Path, target: Target, *, excluding: Sequence[str] = ()) -> tuple[Project, ...]:
    """Every distribution that the file's requirements lead to on the target, in the newest versions that go together.

    Where uv does not know the target's glibc, it resolves for the next newer one; what then does not load is held to
    older versions, until all load (pandas 3 asks for 2.24 and loads on 2.26, numpy 2.4 asks for 2.27).

    Args:
        file: the requirements.
        target: runtime and architecture.
        excluding: names to pass over, as if nothing required them.

    Raises:
        NoSolutionError: there are none, or not with wheels for the target.
        NetworkError: an index could not be reached.
        ResolutionError: uv can't read the file, or its own configuration.
    """
    below, above = nearest_platforms(target)
    bounds: dict[NormalizedName, str] = {}
    misfits: dict[NormalizedName, Project] = {}
    reason = ""
    for _ in range(_ROUNDS):
        try:
            found = _compile([str(file)], target, ["--python-platform", above], bounds=bounds, excluding=excluding)
            now = {project.name: project for project in found if not project.fitting(target)}
            if not now:
                return found
            misfits |= now
            bounds |= {name: _bound(project, target, below) for name, project in now.items()}
        except NoSolutionError as error:
            if below == above:
                raise
            reason = str(error)
            break
    try:
        return _compile([str(file)], target, ["--python-platform", below], excluding=excluding)
    except NoSolutionError as error:
        words = str(error) if not misfits or any(name in str(error) for name in misfits) else reason
        raise NoSolutionError(words, frozenset(misfits)) from error


def _bound(project: Project, target: Target, below: str) -> str:
    """Which versions to try instead of one that does not load: the newest that surely does, and older ones."""
    wanted = [f"{project.name}<{project.version}"]
    newest = _compile(["-"], target, ["--python-platform", below, "--no-deps"], lines=wanted)[0].version
    return f"{project.name}<={newest}"


def look_up(
    requirements: Sequence[str], target: Target, *, anywhere: bool, options: Sequence[str]
) -> tuple[Project, ...]:
    """The requirements themselves, without what they require.

    Args:
        requirements: as in `name==version`.
        target: its Python counts.
        anywhere: with the wheels for all platforms; else only in versions with a wheel for the target.
        options: of the requirements file, that say where wheels come from.

    Raises:
        NoSolutionError: there is no such version, or not with a wheel.
        NetworkError: an index could not be reached.
        ResolutionError: uv can't read its own configuration.
    """
    where = ["--universal"] if anywhere else ["--python-platform", nearest_platforms(target)[0]]
    return _compile(["-"], target, [*where, "--no-deps"], lines=(*options, *requirements))


def _compile(
    sources: Sequence[str],
    target: Target,
    arguments: Sequence[str],
    *,
    lines: Sequence[str] = (),
    bounds: Mapping[NormalizedName, str] = MappingProxyType({}),
    excluding: Sequence[str] = (),
) -> tuple[Project, ...]:
    with tempfile.TemporaryDirectory(prefix="layer-optimizer-") as scratch:
        output = Path(scratch, "pylock.toml")
        more = {"UV_CONSTRAINT": tuple(bounds.values()), "UV_EXCLUDE": excluding}
        command = [
            *(_find_uv(), "pip", "compile", *sources, *arguments, "--quiet", "--color=never", "--no-header"),
            *("--format", "pylock.toml", "--output-file", str(output), "--generate-hashes", "--only-binary", ":all:"),
            *("--python-version", marker_environment(target)["python_full_version"]),  # as our markers are evaluated
            *("--python", sys.executable, "--no-python-downloads"),  # nothing is built, so that any will do
        ]
        environment = {**os.environ, "UV_NO_WRAP": "1", **_with_files(more, Path(scratch))}
        done = subprocess.run(
            command,
            input="\n".join(lines),
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode != 0:
            raise _error(done.returncode, done.stderr.strip())
        return _projects(tomllib.loads(output.read_text("utf-8")), Path(scratch))


def _with_files(more: Mapping[str, Sequence[str]], folder: Path) -> dict[str, str]:
    """Variables of uv's that list files, each with one more beside those that the person has set."""
    found = {}
    for variable, lines in more.items():
        if lines:
            place = folder / f"{variable}.txt"
            place.write_text("\n".join(lines), "utf-8")
            escaped = str(place).replace(" ", r"\ ")
            found[variable] = f"{os.environ.get(variable, '')} {escaped}".strip()
    return found


def _find_uv() -> str:
    """The binary of the package uv, or else the one on PATH."""
    try:
        import uv

        return uv.find_uv_bin()
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise UsageError(
            "Requirements are resolved with uv, which is not installed",
            mend="Install it: python -m pip install 'layer-optimizer[wheels]'. Or name wheels with --wheels DIR.",
        )
    return found


def _error(status: int, text: str) -> Exception:
    if _OFFLINE.search(text):
        return NetworkError(f"The package index could not be reached:\n{text}", mend=WITHOUT_NETWORK)
    if status == _NO_SOLUTION:
        return NoSolutionError(text.removeprefix("error: "))
    return ResolutionError(f"uv can't resolve the requirements:\n{text}", mend="Mend what it names, and try again.")


def _projects(document: dict[str, Any], folder: Path) -> tuple[Project, ...]:
    """The packages of a pylock.toml (PEP 751), sorted by name; a folder's wheels may stand there twice."""
    return tuple(
        Project(
            name=canonicalize_name(package["name"]),
            version=package.get("version", ""),
            offers=tuple(dict.fromkeys(_offer(wheel, folder) for wheel in package.get("wheels", ()))),
        )
        for package in sorted(document.get("packages", ()), key=lambda p: (p["name"], p.get("version", "")))
    )


def _offer(wheel: dict[str, Any], folder: Path) -> Offer:
    url = wheel.get("url") or (folder / wheel["path"]).resolve().as_uri()
    filename = wheel.get("name") or unquote(urlsplit(url).path.rpartition("/")[2])
    return Offer(filename=filename, url=url, sha256=wheel["hashes"].get("sha256", ""), bytes=wheel.get("size", 0))
