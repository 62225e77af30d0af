"""What the last deploy left, in the alias's description: one GetAlias then tells what would take six calls to read.

A mark names the version that it is about. Versions never change, so it is true for as long as the alias points there;
whoever moves the alias by other means makes the mark void, and everything is read again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.deploy.descriptions import SHORT, version_fingerprints

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from optimizer.build import Function
    from optimizer.deploy.values import Alias, Configuration

_LONGEST = 256
"""Characters in an alias's description (API model)."""

_REST = 16
_TEXT = re.compile(
    rf"lo1 (\d+) ([0-9a-f]{{{SHORT}}}) ([0-9a-f]{{{_REST}}}) (-|\d+(?:,\d+)*) ([or]) (-|https?://\S+)(?: was \d+)?"
)
_BEFORE = re.compile(r"lo1 (\d+)\b.* was (\d+)")
_SCRYPT = {"n": 2**13, "r": 8, "p": 1}
"""Variables may be secret and short: whoever reads the mark must not be able to guess them by trying."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is known of a mark before anything is done.

    `code` is the short fingerprint of the code, `rest` the digest of all else that is wanted, `own_role` whether the
    function has the role that a deploy made for it.
    """

    code: str
    rest: str
    own_role: bool

    def said(self, version: str, layers: Iterable[object], url: str | None, before: str | None) -> str:
        """The mark's text for what came of it."""
        numbers = ",".join(map(str, layers)) or "-"
        text = f"lo1 {version} {self.code} {self.rest} {numbers} {'o' if self.own_role else 'r'} {url or '-'}"
        return text + (f" was {before}" if before else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One deploy's end state: the draft, and what came of it.

    `version` is the one that the alias serves, `layers` the version numbers of our layers in attach order, `url` the
    alias's address, `before` the version that it served before.
    """

    draft: Draft
    version: str
    layers: tuple[int, ...]
    url: str | None
    before: str | None = None

    def text(self) -> str:
        """The alias's description; empty where it would be too long, since half a mark is none."""
        text = self.draft.said(self.version, self.layers, self.url, self.before)
        return text if len(text) <= _LONGEST else ""

    def arns(self, alias: Alias, names: Iterable[str]) -> tuple[str, ...] | None:
        """The ARNs of our layers by their names in attach order; None where these are not so many."""
        names = tuple(names)
        if len(names) != len(self.layers):
            return None
        base = alias.arn.partition(":function:")[0]
        return tuple(f"{base}:layer:{name}:{number}" for name, number in zip(names, self.layers, strict=True))


def read_mark(alias: Alias | None) -> Mark | None:
    """The mark of an alias that serves one version alone, and the one that the mark is about; else None."""
    match = _TEXT.fullmatch(alias.description) if alias is not None and not alias.weighted else None
    if alias is None or match is None or match[1] != alias.version:
        return None
    return Mark(
        draft=Draft(code=match[2], rest=match[3], own_role=match[5] == "o"),
        version=match[1],
        layers=tuple(int(number) for number in match[4].split(",")) if match[4] != "-" else (),
        url=match[6] if match[6] != "-" else None,
        before=read_before(alias),
    )


def words_of(alias: Alias | None) -> str:
    """What a person wrote into the alias's description: it stays, and nothing of ours is written over it."""
    return "" if alias is None or alias.description.startswith("lo1 ") else alias.description


def bare_text(version: str, before: str | None) -> str:
    """The description of an alias that was moved to a version of which nothing else is known."""
    return f"lo1 {version} was {before}" if before else ""


def read_before(alias: Alias) -> str | None:
    """The version that an alias served before it was moved to the one that it serves; None where nothing tells."""
    match = _BEFORE.fullmatch(alias.description)
    return match[2] if match is not None and match[1] == alias.version else None


def version_before(alias: Alias, versions: Iterable[Configuration]) -> str | None:
    """Which of a function's published `versions` a rollback that names none leads the alias back to, if any.

    The older one that the alias served before; where it does not tell, the newest older one of ours. Versions between
    them were published and did not pass their check, or their canary.
    """
    served = int(alias.version) if alias.version.isdigit() else None
    there = {int(one.version): one.description for one in versions}
    told = read_before(alias)
    if told is not None and served is not None and int(told) in there and int(told) < served:
        return told
    older = [
        number
        for number, description in there.items()
        if (served is None or number < served) and version_fingerprints(description)
    ]
    return str(max(older)) if older else None


def rest_of(function: Function, fingerprints: Sequence[str]) -> str:
    """The digest of all that is wanted besides the code."""
    configured = dataclasses.asdict(function)  # whatever it is, also what is added to a function later
    if not configured["tags"]:
        del configured["tags"]  # so that marks from before there were any stay true
    told = {
        **configured,
        "environment": _guarded(function.environment, function.name),
        "regions": None,
        "fingerprints": list(fingerprints),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:_REST]


def _guarded(environment: dict[str, str], name: str) -> str:
    if not environment:
        return ""
    text = json.dumps(environment, sort_keys=True).encode()
    return hashlib.scrypt(text, salt=name.encode(), dklen=16, **_SCRYPT).hex()
