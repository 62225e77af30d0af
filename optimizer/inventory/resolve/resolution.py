"""[pure] A resolution: what a requirements file needs on a target, pinned by hash, and its text as it is committed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from optimizer.models import Target

_FORMAT = 1
_DIGEST = "# digest sha256:"
_PIN = re.compile(r"(?P<pin>[^\s#]+) \\\n {4}--hash=sha256:(?P<sha256>[0-9a-f]{64})\n")

Origin = Literal["index", "cache", "lock", "file"]
"""Resolved just now, remembered from an earlier time, read from the committed lock, or the file itself pins all."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Pin:
    """One distribution in one version as one wheel, whose SHA-256 is in hex."""

    name: NormalizedName
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The pins, sorted by name; `source` is the file as it is named in the lock, `digest` what they depend on."""

    source: str
    target: Target
    digest: str
    pins: tuple[Pin, ...]
    origin: Origin

    @property
    def text(self) -> str:
        """A requirements file that pip takes: versions and hashes, no addresses."""
        pins = "".join(f"{pin.name}=={pin.version} \\\n    --hash=sha256:{pin.sha256}\n" for pin in self.pins)
        made = f"# what {self.source} needs on {self.target.runtime}, {self.target.architecture}"
        return f"{made}; written by `plan --write`, do not edit\n{_DIGEST}{self.digest}\n{pins}"


def digest_of(lines: Iterable[str], target: Target) -> str:
    """What a resolution depends on: the lines of the requirements files, and the target."""
    runtime = target.lambda_runtime
    what = [str(_FORMAT), runtime.version, ".".join(map(str, runtime.glibc)), target.machine, *lines]
    return hashlib.sha256("\n".join(what).encode()).hexdigest()


def parse_pins(text: str, digest: str) -> tuple[Pin, ...] | None:
    """The pins of a resolution's text; None where it has another digest, or is no whole text of a resolution."""
    made, _, rest = text.replace("\r\n", "\n").partition("\n")
    header, _, body = rest.partition("\n")
    if not made.startswith("# ") or header != _DIGEST + digest or _PIN.sub("", body):
        return None
    try:
        pins = sorted(_pin(found["pin"], found["sha256"]) for found in _PIN.finditer(body))
    except (InvalidRequirement, InvalidVersion):
        return None
    return tuple(pins)


def _pin(text: str, sha256: str) -> Pin:
    requirement = Requirement(text)
    version = exact_version(requirement)
    if version is None:
        raise InvalidRequirement(f"{text} names no version")
    return Pin(name=canonicalize_name(requirement.name), version=version, sha256=sha256)


def exact_version(requirement: Requirement) -> str | None:
    """The one version that it takes, or None where it takes several."""
    (single,) = requirement.specifier if len(requirement.specifier) == 1 else (None,)
    if single is None or single.operator not in {"==", "==="} or single.version.endswith(".*"):
        return None
    return str(Version(single.version))
