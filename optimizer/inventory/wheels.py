"""Wheels on disk as an environment: what an installer would lay out of them, read without unpacking anything."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidWheelFilename, NormalizedName, parse_wheel_filename

from optimizer.errors import DiskError, UsageError
from optimizer.inventory.defects import Report, some
from optimizer.inventory.target import tag_rank
from optimizer.inventory.wheel_file import read_wheel, unusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from packaging.utils import BuildTag
    from packaging.version import Version

    from optimizer.inventory.environment import Installed
    from optimizer.models import Target

_ANY = SpecifierSet()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """One wheel by its name; `rank` is how an installer ranks its tags for the target, None where it does not load."""

    path: Path
    version: Version
    build: BuildTag
    rank: int | None
    tags: tuple[str, ...]

    @property
    def preference(self) -> tuple[bool, Version, int, BuildTag, str]:
        """The greatest is what an installer takes: the newest, a pre-release last, and of that the best tag."""
        return (not self.version.is_prerelease, self.version, -(self.rank or 0), self.build, self.path.name)


class WheelEnvironment:
    """Distributions in wheels: of several, the one that installers prefer for the target.

    Args:
        wheels: the files.
        target: whose tags count; wheels for other platforms are passed over.
        source: what they are called in a plan.
        sha256: a file's hash in hex; the default reads it.
    """

    def __init__(
        self,
        wheels: Iterable[Path],
        target: Target,
        *,
        source: str,
        sha256: Callable[[Path], str] | None = None,
    ) -> None:
        self.source = source
        self.folders: tuple[str, ...] | None = None
        self.mend = (
            f"Put the wheels that the requirements ask for into {source}: "
            f"python -m pip download --dest {source} --only-binary=:all: "
            f"--python-version {target.lambda_runtime.version} --platform manylinux2014_{target.machine} -r"
        )
        self._target = target
        self._sha256 = sha256 or sha256_of
        self._candidates: defaultdict[NormalizedName, list[_Candidate]] = defaultdict(list)
        misnamed = []
        for path in sorted(wheels):
            try:
                name, version, build, tags = parse_wheel_filename(path.name)
            except InvalidWheelFilename:
                misnamed.append(path.name)
                continue
            candidate = _Candidate(
                path=path,
                version=version,
                build=build,
                rank=tag_rank(tags, target),
                tags=tuple(sorted(str(tag) for tag in tags)),
            )
            self._candidates[name].append(candidate)
        beside = f" (passed over: {some(misnamed)}, which is no wheel's name)" if misnamed else ""
        self.absent = f"has no wheel in {source}{beside}"

    @classmethod
    def of_folder(
        cls, folder: Path, target: Target, *, sha256: Callable[[Path], str] | None = None
    ) -> WheelEnvironment:
        """The wheels that lie in a folder.

        Raises:
            UsageError: it is no folder, or there is no wheel in it.
        """
        if not folder.is_dir():
            raise UsageError(
                f"--wheels {folder}: there is no such folder",
                mend="Name a folder of wheels, as `pip download` or `pip wheel` makes one.",
            )
        try:
            wheels = [path for path in folder.iterdir() if path.suffix == ".whl"]
        except OSError as error:
            raise DiskError(f"{folder} can't be read: {error.strerror}", mend="Mend its permissions.") from error
        environment = cls(wheels, target, source=str(folder), sha256=sha256)
        environment.folders = (str(folder),)
        if not wheels:
            raise UsageError(f"--wheels {folder}: there is no wheel in it", mend=f"{environment.mend} REQUIREMENTS")
        return environment

    @classmethod
    def of_files(
        cls, paths: Iterable[Path], target: Target, *, source: str, sha256: Callable[[Path], str] | None = None
    ) -> WheelEnvironment:
        """Those wheels, wherever they lie."""
        return cls(paths, target, source=source, sha256=sha256)

    def names(self) -> tuple[NormalizedName, ...]:
        """Every distribution that there is a wheel of, sorted."""
        return tuple(sorted(self._candidates))

    def find(self, name: NormalizedName, specifier: SpecifierSet = _ANY) -> Installed | None:
        """The wheel that an installer would take, as it would lay it out.

        Where no version that is asked for loads on the target, that is an error of its own; where none at all is asked
        for, whoever asks sees that from the version.
        """
        candidates = self._candidates.get(name)
        if not candidates:
            return None
        asked = [c for c in candidates if specifier.contains(c.version, prereleases=True)]
        loading = [c for c in asked or candidates if c.rank is not None]
        chosen = max(loading or asked or candidates, key=lambda c: c.preference)
        report = Report(name)
        if not loading:
            report("platform", self._refusal(chosen, candidates), "error")
            return unusable(chosen.path, name, str(chosen.version), report)
        return read_wheel(chosen.path, name, str(chosen.version), sha256=self._sha256, report=report)

    def _refusal(self, chosen: _Candidate, candidates: list[_Candidate]) -> str:
        """Why none of a version's wheels will do, and which version has one that does."""
        runtime = self._target.lambda_runtime
        tags = sorted({tag for c in candidates if c.version == chosen.version for tag in c.tags})
        others = [c for c in candidates if c.rank is not None]
        way_out = (
            f"the newest version with a wheel that does, here, is {max(others, key=lambda c: c.preference).version}"
            if others
            else "no version here has a wheel that does; download one for the target"
        )
        return (
            f"{chosen.version} has wheels for {', '.join(tags)} alone, which do not load on {self._target.runtime} on "
            f"{self._target.architecture} (glibc {runtime.glibc[0]}.{runtime.glibc[1]}); {way_out}"
        )


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hex.

    Raises:
        DiskError: it can't be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DiskError(f"{path} can't be read: {error.strerror}", mend="Mend its permissions.") from error
