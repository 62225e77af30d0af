"""The source options → where distributions are looked up: what runs here, a folder, or wheels for the target."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.cli.common import note, slowly
from optimizer.errors import UsageError
from optimizer.inventory import InstalledEnvironment, WheelEnvironment
from optimizer.inventory.wheels import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from optimizer.config import Config
    from optimizer.inventory import Environment
    from optimizer.inventory.resolve import Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Where distributions are looked up; where requirements were resolved for it, `resolution` and its lock's place."""

    environment: Environment
    resolution: Resolution | None = None
    lock: Path | None = None

    @property
    def stale_lock(self) -> Path | None:
        """The committed resolution, where it is not what was resolved; a file that pins all is its own lock."""
        if self.resolution is None or self.lock is None or self.resolution.origin == "file":
            return None
        try:
            committed = self.lock.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return self.lock
        return None if committed == self.resolution.text else self.lock


def open_source(
    config: Config,
    *,
    path: Path | None = None,
    wheels: Path | None = None,
    requirements: Path | None = None,
    upgrade: bool = False,
    sha256: Callable[[Path], str] = sha256_of,
) -> Opened:
    """The environment that the options name.

    Args:
        config: its runtime and architecture are what wheels are for.
        path: an installed folder.
        wheels: a folder of wheels.
        requirements: what is resolved, where there is no folder.
        upgrade: resolve anew, whatever is locked or remembered.
        sha256: what hashes a wheel.

    Raises:
        UsageError: the options contradict each other, or name what is not there.
        OptimizerError: see Resolver.resolve.
    """
    if path and wheels:
        raise UsageError(
            "--path and --wheels say where to read twice", mend="Name an installed folder or a folder of wheels."
        )
    if upgrade and (path or wheels or not requirements):
        raise UsageError(
            "--upgrade is for requirements that are resolved here",
            mend="Give it with --requirements FILE, without --path and --wheels.",
        )
    if wheels:
        return Opened(environment=WheelEnvironment.of_folder(wheels, config.target, sha256=sha256))
    if path:
        return Opened(environment=InstalledEnvironment.of_folder(path))
    if requirements:
        return _resolved(config, requirements, upgrade=upgrade, sha256=sha256)
    return Opened(environment=InstalledEnvironment.running())


def _resolved(config: Config, requirements: Path, *, upgrade: bool, sha256: Callable[[Path], str]) -> Opened:
    from optimizer.inventory.resolve import Resolver

    target = config.target
    lock = config.root / "layers" / f"requirements-{target.runtime}-{target.architecture}.txt"
    place, root = requirements.resolve(), config.root.resolve()
    name = place.relative_to(root).as_posix() if place.is_relative_to(root) else place.name
    resolver = Resolver(
        file=requirements,
        target=target,
        source=name,
        committed=lock,
        upgrade=upgrade,
        wait=slowly,
        sha256=sha256,
    )
    resolved = resolver.resolve()
    resolution = resolved.resolution
    if resolution.origin == "index":
        note(f"resolved {name} for {target.runtime} on {target.architecture}: {len(resolution.pins)} distributions")
    environment = WheelEnvironment.of_files(resolved.wheels, target, source=name, sha256=sha256)
    environment.mend = (
        "A file that pins by hash has to name everything; else a lock that was edited is made anew by "
        "`plan --upgrade --write`. Look at"
    )
    return Opened(environment=environment, resolution=resolution, lock=lock)
