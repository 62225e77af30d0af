"""What differs between two builds, as values: artifacts, distributions, files and settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from optimizer.build.manifest import Artifact
    from optimizer.models import Target

Status = Literal["new", "published", "same-content", "unchanged", "removed"]
Kind = Literal["added", "removed", "updated", "changed", "came", "left"]
FileKind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A source file that differs, with its unzipped bytes before and after, 0 where there is none."""

    path: str
    kind: FileKind
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What differs of one distribution in one zip; `name` is empty for a function's code, and files that none has.

    `updated` is another version, `changed` the same one with other files; what `came` from or `left` for the layer
    `other` moved, and its files are compared with those there, told where it came. `unzipped_bytes` and `zipped_bytes`
    are differences, bytecode included; `files` are sources, those that differ most first.
    """

    name: str
    kind: Kind
    before: str | None
    after: str | None
    other: str | None
    unzipped_bytes: int
    zipped_bytes: int
    files: tuple[FileChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipDifference:
    """One artifact in both builds; `status` says whether a deploy sends it.

    One that is `published` without any change was built for another target, or with other options.
    """

    name: str
    kind: Literal["layer", "function"]
    status: Status
    before: Artifact | None
    after: Artifact | None
    changes: tuple[Change, ...]

    @property
    def unzipped_bytes(self) -> int:
        """The difference."""
        return (self.after.unzipped_bytes if self.after else 0) - (self.before.unzipped_bytes if self.before else 0)

    @property
    def zipped_bytes(self) -> int:
        """The difference."""
        return (self.after.zipped_bytes if self.after else 0) - (self.before.zipped_bytes if self.before else 0)

    @property
    def sent_bytes(self) -> int:
        """What a deploy sends of it."""
        return self.after.zipped_bytes if self.after and self.status in {"new", "published"} else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """A setting of a function that differs, as JSON; None for both where it may be a secret."""

    function: str
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Every artifact of either build, those of the new one in its order, and the functions' settings."""

    before: Target
    after: Target
    zips: tuple[ZipDifference, ...]
    settings: tuple[SettingChange, ...]

    @property
    def sent_bytes(self) -> int:
        """What a deploy of the new build sends, the old one being live."""
        return sum(one.sent_bytes for one in self.zips)

    @property
    def zipped_bytes(self) -> int:
        """The difference of all zips together."""
        return sum(one.zipped_bytes for one in self.zips)

    @property
    def differs(self) -> bool:
        """Whether anything does, were it only the zips' bytes."""
        return bool(self.settings) or self.before != self.after or any(z.status != "unchanged" for z in self.zips)
