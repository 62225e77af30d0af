"""Value types that two or more stages share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, assert_never

from optimizer import limits

if TYPE_CHECKING:
    from packaging.utils import NormalizedName


def whole(name: str) -> str:
    """The distribution that a name speaks of: botocore for its part `botocore/data/s3`."""
    return name.partition("/")[0]


@dataclass(frozen=True, kw_only=True)
class Target:
    """Runtime and architecture that the layers are for; markers and wheel tags are evaluated against it."""

    runtime: str
    architecture: str

    @cached_property
    def lambda_runtime(self) -> limits.Runtime:
        """The row of the runtimes' table."""
        return limits.RUNTIMES[self.runtime]

    @property
    def machine(self) -> str:
        """The architecture as Python and wheel tags name it."""
        return {"x86_64": "x86_64", "arm64": "aarch64"}[self.architecture]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Where a wheel holds a file: `wheel` is the wheel's SHA-256 in hex, `offset` where the stream of `bytes` begins.

    `method` and `crc32` are the zip's; `recorded` is what the wheel's RECORD gives, as `algorithm=digest`, or empty.
    """

    wheel: str
    offset: int
    bytes: int
    method: int
    crc32: int
    recorded: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledFile:
    """One file on disk: `path` in posix form relative to the folder that is on sys.path, `location` where it lies.

    In a wheel, `packed` says where and `location` is the wheel; `mtime_ns` and `inode` are then 0, since the wheel's
    hash says more. Else `bytes`, `mtime_ns` and `inode` are what stat says; `executable` is whether anybody may run it;
    `recorded` is the SHA-256 that RECORD gives, in its own base64 form, or empty.
    Where `unstamped`, it ships with gzip's time stamp set to none, so that the same content has the same bytes whenever
    it was packed; where `undocumented`, a service model without its texts for people; with `endpoints`, botocore's
    endpoints of those prefixes alone; `added` is text that ships at its end. Where `uncommented`, a module without its
    comments, and without the docstrings that begin on the lines of `unread`. A module that is `unsourced` ships as its
    bytecode alone, in its source's place.
    """

    path: str
    location: str
    bytes: int
    mtime_ns: int
    inode: int
    executable: bool
    recorded: str = ""
    unstamped: bool = False
    undocumented: bool = False
    endpoints: tuple[str, ...] = ()
    added: str = ""
    uncommented: bool = False
    unread: tuple[int, ...] = ()
    unsourced: bool = False
    packed: Packed | None = None


Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """Something wrong with what is installed: `error` can't be shipped, `warning` ships and is told in the plan."""

    distribution: str
    code: str
    detail: str
    severity: Severity

    def __str__(self) -> str:
        return f"{self.distribution}: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """An installed package, or a part of one that is an item of its own (`botocore/data/s3`).

    `requires` are the distributions its requirements lead to on the target, extras in use included; `files` those
    inside the folder on sys.path; `outside_bytes` of files elsewhere (scripts); `tags` the wheel's, where known.
    """

    name: NormalizedName
    version: str
    requires: tuple[NormalizedName, ...]
    files: tuple[InstalledFile, ...]
    outside_bytes: int
    tags: tuple[str, ...]
    info: str

    @property
    def installed_bytes(self) -> int:
        """What lies on disk, scripts included."""
        return sum(file.bytes for file in self.files) + self.outside_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A requirement that holds on the target: `by` (None: a function's requirements) asks for `specifier` of `name`."""

    by: NormalizedName | None
    name: NormalizedName
    specifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """A distribution that requirements lead to and that does not ship.

    `kind` says why: the configuration leaves it out, the runtime provides it, or only such a one, `by`, leads to it.
    `version` is empty where it is not installed; `roots` are the packages and modules that do not ship with it.
    """

    name: NormalizedName
    version: str
    kind: Literal["leave_out", "provided", "beyond"]
    by: NormalizedName
    roots: frozenset[str]

    @property
    def reason(self) -> str:
        """Why it does not ship, in words."""
        match self.kind:
            case "leave_out":
                return "left out by [slim] leave_out"
            case "provided":
                return "the runtime's own is used, by [slim] provided"
            case "beyond":
                return f"only {self.by} leads to it, which does not ship"
            case _:
                assert_never(self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSource:
    """One function's own source folder and the distributions that its requirements lead to.

    `direct` are those that the requirements file names itself, `closure` all in reach.
    """

    name: str
    files: tuple[InstalledFile, ...]
    direct: frozenset[NormalizedName]
    closure: frozenset[NormalizedName]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The distributions in reach of the functions' requirements, sorted by name, and what is wrong with them.

    `demands` are the requirements among them that say which versions they take; `excluded` is what they lead to and
    what does not ship, sorted by name.
    """

    target: Target
    source: str
    distributions: tuple[Distribution, ...]
    functions: tuple[FunctionSource, ...]
    defects: tuple[Defect, ...]
    demands: tuple[Demand, ...] = ()
    excluded: tuple[Excluded, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What one selection rule left out of a distribution: how many files, their bytes on disk, and which they are."""

    rule: str
    files: int
    bytes: int
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What of a distribution (or of a function's source) ships, with the receipt of what doesn't.

    `record` is the path of the RECORD to be made from what ships, or None where there is none; `recorded` are files
    that stand in it too, though they ship with others: the parts of the distribution.
    """

    name: str
    version: str
    files: tuple[InstalledFile, ...]
    record: str | None
    dropped: tuple[Dropped, ...]
    recorded: tuple[InstalledFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file as it stands in a zip: `stream_bytes` compressed, `bytes` unzipped, `content` its SHA-256 in hex."""

    path: str
    mode: int
    content: str
    bytes: int
    stream_bytes: int
    compiled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What ships, to the byte: sources and their bytecode.

    `unzipped_bytes` and `zipped_bytes` are exact and add up, but for the 22 bytes that end a zip;
    `bytecode_bytes` is what bytecode has of the unzipped; `digest` is the
    SHA-256 over the sorted (path, mode, content hash) of the sources; `sources` are those lines, `key` finds the
    entries in the content cache. `dropped` is what the selection left out, `rewritten` how many files ship rewritten by
    which rule, and by how many bytes of text they became shorter; `changed` are the files that something is added to.
    """

    name: str
    version: str
    unzipped_bytes: int
    zipped_bytes: int
    bytecode_bytes: int
    files: int
    digest: str
    sources: tuple[str, ...]
    key: str
    dropped: tuple[Dropped, ...] = ()
    changed: tuple[str, ...] = ()
    rewritten: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()
