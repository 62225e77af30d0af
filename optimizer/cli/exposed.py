"""Secrets in what would ship: told by `plan`, refused by whatever builds, allowed one by one in the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from optimizer.errors import SecretError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from optimizer.config import Config
    from optimizer.content import Exposure


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """What is secret and not allowed, a line for each, and the patterns that allow nothing."""

    found: tuple[str, ...]
    unused: tuple[str, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a plan says of it."""
        return (
            *(f"{one}: `build` refuses to ship what looks secret" for one in self.found),
            *(f"build.allow_secrets: {p!r} allows nothing: no file of that path looks secret" for p in self.unused),
        )

    def refuse(self) -> None:
        """See that nothing secret ships.

        Raises:
            SecretError: something would, with all of it.
        """
        if not self.found:
            return
        lines = "".join(f"\n  {one}" for one in self.found)
        raise SecretError(
            f"A zip would hold what looks secret:{lines}",
            mend="Take it out and renew what was ever sent or committed: a function reads secrets at run time, from "
            "Secrets Manager or SSM. If it is none, allow it by its path: [build] allow_secrets = [PATTERN].",
        )


def judged(config: Config, exposures: Iterable[Exposure]) -> Exposed:
    """What of the exposures the configuration does not allow.

    A pattern is matched with the file's path: in the project for a function's own, in the layer for a distribution's.
    """
    sources = {function.name: function.source for function in config.function}
    allowing: set[str] = set()
    found = []
    for one in exposures:
        folder = sources[one.name].strip("/") if one.own else ""
        path = f"{folder}/{one.path}" if folder not in {"", "."} else one.path
        matching = {pattern for pattern in config.build.allow_secrets if fnmatchcase(path, pattern)}
        allowing |= matching
        if not matching:
            owner = "" if one.own else f" of {one.name}"
            found.append(f"{path}:{one.line}{owner}: {one.what}" if one.line else f"{path}{owner}: {one.what}")
    unused = tuple(pattern for pattern in config.build.allow_secrets if pattern not in allowing)
    return Exposed(found=tuple(dict.fromkeys(found)), unused=unused)
