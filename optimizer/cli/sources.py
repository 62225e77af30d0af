"""The source options → where distributions are looked up: what runs here, a folder, or wheels for the target."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.cli.common import note, slowly
from optimizer.errors import UsageError
from optimizer.inventory import InstalledEnvironment
from optimizer.models import Target

if TYPE_CHECKING:
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
    config: Config, *, path: Path | None = None, requirements: Path | None = None, upgrade: bool = False
) -> Opened:
    """The environment that the options name.

    Args:
        config: whose runtime and architecture requirements are resolved for.
        path: an installed folder.
        requirements: without a folder, what is resolved.
        upgrade: resolve anew, whatever is locked or remembered.

    Raises:
        UsageError: the options contradict each other, or name what is not there.
        OptimizerError: see Resolver.resolve.
    """
    if upgrade and (path or not requirements):
        raise UsageError(
            "--upgrade is for requirements that are resolved here",
            mend="Give it with --requirements FILE, without --path.",
        )
    if path:
        return Opened(environment=InstalledEnvironment.of_folder(path))
    if not requirements:
        return Opened(environment=InstalledEnvironment.running())
    return _resolved(config, requirements, upgrade=upgrade)


def _resolved(config: Config, requirements: Path, *, upgrade: bool) -> Opened:
    from optimizer.inventory.resolve import Resolver
    from optimizer.inventory.wheels import WheelEnvironment

    function = config.function[0]
    target = Target(runtime=function.runtime, architecture=function.architecture)
    lock = config.root / "layers" / f"requirements-{target.runtime}-{target.architecture}.txt"
    place = requirements.resolve()
    root = config.root.resolve()
    name = place.relative_to(root).as_posix() if place.is_relative_to(root) else place.name
    resolver = Resolver(file=requirements, target=target, source=name, committed=lock, upgrade=upgrade, wait=slowly)
    resolved = resolver.resolve()
    if resolved.resolution.origin == "index":
        note(f"resolved {name} for {target.runtime} on {target.architecture}: {len(resolved.wheels)} distributions")
    environment = WheelEnvironment.of_files(resolved.wheels, target, source=name)
    return Opened(environment=environment, resolution=resolved.resolution, lock=lock)
