"""[reads] A requirements file → its wheels for the target: from its lock, the cache or the index, by their hashes."""

from __future__ import annotations

import contextlib
import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import platformdirs
from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.utils import NormalizedName, canonicalize_name

from optimizer.errors import HashError, ResolutionError, UsageError
from optimizer.inventory.requirements import index_options, normalised_lines, read_requirements
from optimizer.inventory.resolve import uv
from optimizer.inventory.resolve.advice import Asked, no_solution
from optimizer.inventory.resolve.choose import choose, listed
from optimizer.inventory.resolve.resolution import Origin, Pin, Resolution, digest_of, exact_version, parse_pins
from optimizer.inventory.resolve.wheel_cache import WheelCache
from optimizer.inventory.target import marker_environment
from optimizer.inventory.wheels import sha256_of
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from packaging.requirements import Requirement

    from optimizer.inventory.requirements import RequirementLine
    from optimizer.inventory.resolve.uv import Offer, Project
    from optimizer.models import Target

_SHA256 = "sha256:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A resolution and its wheels in the user's cache, in the order of its pins."""

    resolution: Resolution
    wheels: tuple[Path, ...]


@dataclass(slots=True, kw_only=True)
class Resolver:
    """Resolves a requirements file for a target.

    `source` is the file's name in the lock, `committed` where that lock may lie; with `upgrade` neither the lock nor
    what was resolved earlier counts. `wait` is entered with a line to show where what follows takes long;
    `sha256` hashes a wheel of the cache.
    """

    file: Path
    target: Target
    source: str
    committed: Path
    upgrade: bool = False
    sha256: Callable[[Path], str] = sha256_of
    cache: Path | None = None
    wait: Callable[[str], AbstractContextManager[object]] = nullcontext

    def resolve(self) -> Resolved:
        """The wheels, all of them in the cache.

        Raises:
            UsageError: the file, uv or pip is missing, or a requirement names an address.
            InventoryError: see read_requirements.
            ResolutionError: there is no solution, or not with wheels for the target.
            HashError: a wheel is not the one whose hash was asked for.
            NetworkError: the index could not be reached.
            DiskError: the cache can't be written.
        """
        cache = self.cache or platformdirs.user_cache_path("layer-optimizer")
        lines = self._lines()
        asked = Asked(file=self.file, lines=lines, options=index_options(self.file), target=self.target)
        digest = digest_of(normalised_lines(self.file), self.target)
        remembered = cache / "resolutions" / f"{digest}.txt"
        known = self._known(lines, digest, remembered)
        offers: dict[NormalizedName, Offer] = {}
        if known is None:
            known, offers = self._resolve_anew(asked, digest)
            _keep(remembered, known.text)
        return Resolved(
            resolution=known,
            wheels=self._wheels(known.pins, offers, asked, WheelCache(cache / "wheels", sha256=self.sha256)),
        )

    def _wheels(
        self, pins: tuple[Pin, ...], offers: dict[NormalizedName, Offer], asked: Asked, wheels: WheelCache
    ) -> tuple[Path, ...]:
        """The wheels of the pins; those that the cache lacks are downloaded, from `offers` or where uv finds them."""
        found = {pin.name: wheels.find(pin.sha256) for pin in pins}
        missing = [pin for pin in pins if found[pin.name] is None]
        if missing:
            offers = offers or self._locate(missing, asked)
            untold = [pin.name for pin in missing if pin.name not in offers]
            if untold:
                raise ResolutionError(
                    f"uv was asked for {', '.join(untold)}, and leaves that out",
                    mend="Look for no-emit-package and exclusions in uv's configuration.",
                )
            total = sum(offers[pin.name].bytes for pin in missing)
            size = f" ({human_bytes(total)})" if total else ""
            with self.wait(f"downloading {len(missing)} wheels{size}"):
                wheels.fetch({pin.name: offers[pin.name] for pin in missing}, self.target)
            found |= {pin.name: wheels.find(pin.sha256) for pin in missing}
        paths = tuple(path for path in found.values() if path is not None)
        if len(paths) != len(pins):
            lost = ", ".join(name for name, path in found.items() if path is None)
            raise HashError(f"The wheels of {lost} are not what was downloaded", mend="Run the command again.")
        return paths

    def _lines(self) -> tuple[RequirementLine, ...]:
        """The requirements that hold on the target."""
        lines = [line for line in read_requirements(self.file) if _holds(line.requirement, self.target)]
        faults = [f"{line.where}: {line.requirement}" for line in lines if line.requirement.url]
        if faults:
            raise UsageError(
                f"Requirements that name an address can't be locked by hash:{listed(faults)}",
                mend="Name a version from an index, or build the wheel and name its folder with --wheels DIR.",
            )
        foreign = [f"{x.where}: {h}" for x in lines for h in x.hashes if not h.startswith(_SHA256)]
        if foreign:
            raise UsageError(f"Hashes have to be sha256:{listed(foreign)}", mend="Make the file's hashes anew.")
        return tuple(lines)

    def _known(self, lines: tuple[RequirementLine, ...], digest: str, remembered: Path) -> Resolution | None:
        """The resolution, where nobody has to be asked for it."""
        if _is_lock(lines):
            if all(len(line.hashes) == 1 for line in lines):
                return self._resolution(digest, {pin.name: pin for pin in map(_pin, lines)}.values(), "file")
            places: dict[Path, Origin] = {remembered: "file"}
        else:
            places = {self.committed: "lock", remembered: "cache"}
        for path, origin in places.items() if not self.upgrade else ():
            pins = parse_pins(_read(path), digest)
            if pins is not None:
                return self._resolution(digest, pins, origin)
        return None

    def _resolution(self, digest: str, pins: Iterable[Pin], origin: Origin) -> Resolution:
        return Resolution(
            source=self.source, target=self.target, digest=digest, pins=tuple(sorted(pins)), origin=origin
        )

    def _resolve_anew(self, asked: Asked, digest: str) -> tuple[Resolution, dict[NormalizedName, Offer]]:
        """Ask uv, and choose a wheel of each distribution."""
        locked = _is_lock(asked.lines)
        try:
            with self.wait(f"resolving {self.source} for {asked.where}"):
                projects = self._look_up(asked.lines, asked) if locked else uv.resolve(self.file, self.target)
        except uv.NoSolutionError as error:
            raise no_solution(error, asked) from error
        allowed: dict[NormalizedName, set[str]] = {}
        for line in asked.lines:
            hashes = allowed.setdefault(canonicalize_name(line.requirement.name), set())
            hashes |= {h.removeprefix(_SHA256) for h in line.hashes}
        chosen = choose(projects, {name: hashes for name, hashes in allowed.items() if hashes}, asked)
        pins = (
            Pin(name=project.name, version=project.version, sha256=offer.sha256)
            for project, offer in zip(projects, chosen, strict=True)
        )
        resolution = self._resolution(digest, pins, "file" if locked else "index")
        return resolution, {project.name: offer for project, offer in zip(projects, chosen, strict=True)}

    def _locate(self, pins: list[Pin], asked: Asked) -> dict[NormalizedName, Offer]:
        """Where the wheels of a lock are to be had."""
        with self.wait(f"looking for {len(pins)} wheels"):
            try:
                wanted = [f"{pin.name}=={pin.version}" for pin in pins]
                projects = uv.look_up(wanted, self.target, anywhere=True, options=asked.options)
            except uv.NoSolutionError as error:
                raise no_solution(error, asked) from error
        hashes = {pin.name: {pin.sha256} for pin in pins}
        return {p.name: offer for p, offer in zip(projects, choose(projects, hashes, asked), strict=True)}

    def _look_up(self, lines: tuple[RequirementLine, ...], asked: Asked) -> tuple[Project, ...]:
        """What a file that pins all names; uv is asked for all wheels, since it does not know every glibc."""
        wanted = [f"{line.requirement.name}{line.requirement.specifier}" for line in lines]
        return uv.look_up(wanted, self.target, anywhere=True, options=asked.options)


def _holds(requirement: Requirement, target: Target) -> bool:
    """Whether the requirement's marker holds; one that can't be evaluated is left to the inventory to tell."""
    values = cast("dict[str, str | AbstractSet[str]]", {**marker_environment(target), "extra": ""})
    try:
        return requirement.marker is None or requirement.marker.evaluate(values)
    except (UndefinedComparison, UndefinedEnvironmentName):
        return True


def _is_lock(lines: tuple[RequirementLine, ...]) -> bool:
    """Whether every requirement is pinned and has hashes."""
    return bool(lines) and all(line.hashes and exact_version(line.requirement) for line in lines)


def _pin(line: RequirementLine) -> Pin:
    return Pin(
        name=canonicalize_name(line.requirement.name),
        version=exact_version(line.requirement) or "",
        sha256=line.hashes[0].removeprefix(_SHA256),
    )


def _read(path: Path) -> str:
    """The file's text; one that is not there, or can't be read, says nothing."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _keep(path: Path, text: str) -> None:
    """Write the whole file or nothing; where the disk refuses, the next run resolves again."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, "utf-8")
        part.replace(path)
