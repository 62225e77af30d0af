"""[pure] A plan against another one, or against the committed locks: what moved, what is sent for it, what it costs.

Both sides are plan documents (`plan --format json`, schema 1), or on the one side locks, which know no bytes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ValidationError

from optimizer.errors import UsageError
from optimizer.plan import lock_lines, locked_layers

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["added", "removed", "updated", "moved", "changed"]
_ORDER: tuple[Kind, ...] = ("updated", "added", "removed", "moved", "changed")


class _Part(BaseModel):
    """A layer's or a function's own bytes; locks have none."""

    name: str
    fingerprint: str
    zipped_bytes: int | None = None
    unzipped_bytes: int | None = None


class _Distribution(BaseModel):
    name: str
    version: str
    zipped_bytes: int | None = None
    unzipped_bytes: int | None = None
    digest: str | None = None


class _Layer(_Part):
    distributions: list[_Distribution]


class _Objective(BaseModel):
    cost: float | None = None
    republished_bytes_per_year: int | None = None


class _Side(BaseModel):
    """What is compared of a plan document."""

    layers: list[_Layer]
    functions: list[_Part] = []
    total_unzipped_bytes: int | None = None
    objective: _Objective = _Objective()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What became of one distribution; a side that it is not on has None, and so have bytes that are not known."""

    name: str
    kind: Kind
    version_before: str | None
    version_after: str | None
    layer_before: str | None
    layer_after: str | None
    zipped_bytes: int | None
    unzipped_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A layer, or a function's own code, that has to be sent: its content is not the other side's."""

    name: str
    kind: Literal["layer", "function"]
    new: bool
    zipped_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The difference of a plan to what `base` names.

    `removed` are layers that are no more; `total_unzipped_bytes` and the bytes a year are (before, after), None where a
    side does not know them.
    """

    base: str
    shifts: tuple[Shift, ...]
    published: tuple[Published, ...]
    removed: tuple[str, ...]
    layers: int
    total_unzipped_bytes: tuple[int | None, int | None]
    cost: tuple[float | None, float | None]
    republished_bytes_per_year: tuple[int | None, int | None]

    @property
    def differs(self) -> bool:
        """Whether anything would be sent or taken away."""
        return bool(self.published or self.removed)

    @property
    def sent_bytes(self) -> int:
        """Zipped bytes of all that has to be sent."""
        return sum(part.zipped_bytes for part in self.published)

    def document(self) -> dict[str, Any]:
        """The value of `comparison` in `plan --compare --format json`."""
        return {
            "base": self.base,
            "differs": self.differs,
            "sent_bytes": self.sent_bytes,
            "published": [asdict(part) for part in self.published],
            "removed": list(self.removed),
            "distributions": [asdict(shift) for shift in self.shifts],
            **{
                key: {"before": before, "after": after}
                for key, (before, after) in (
                    ("total_unzipped_bytes", self.total_unzipped_bytes),
                    ("cost", self.cost),
                    ("republished_bytes_per_year", self.republished_bytes_per_year),
                )
            },
        }


def against_plan(after: Mapping[str, Any], before: Any, *, base: str) -> Comparison:
    """What differs from another plan's document.

    Args:
        after: This plan's document.
        before: The other's, as it was parsed.
        base: What to call it.

    Raises:
        UsageError: it is no plan document of schema 1.
    """
    try:
        if not isinstance(before, dict) or before.get("schema") != 1:
            raise UsageError(f"{base} is no layer plan of schema 1", mend=_MEND)
        other = _Side.model_validate(before)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{base} is no layer plan: {where}: {first['msg']}", mend=_MEND) from error
    return _compared(_Side.model_validate(after), other, base=base, digests=False)


_MEND = "Write one with `python -m optimizer plan --format json --output FILE`."


def against_locks(after: Mapping[str, Any], locks: Mapping[str, str], digests: Mapping[str, str]) -> Comparison:
    """What differs from the committed locks.

    Args:
        after: This plan's document.
        locks: Each lock's text by its layer.
        digests: Each planned distribution's digest, as a lock has it.
    """
    marks = locked_layers(locks)
    side = _Side(
        layers=[
            _Layer(
                name=layer,
                fingerprint=mark,
                distributions=[
                    _Distribution(name=name, version=version, digest=digest)
                    for name, version, digest in lock_lines(locks[layer])
                ],
            )
            for layer, mark in marks.items()
        ]
    )
    own = _Side.model_validate(after)
    for layer in own.layers:
        for distribution in layer.distributions:
            distribution.digest = digests[distribution.name]
    # Locks say nothing of code, and have no layer without content.
    own.functions, own.layers = [], [layer for layer in own.layers if layer.distributions]
    return _compared(own, side, base="the committed locks", digests=True)


def _compared(after: _Side, before: _Side, *, base: str, digests: bool) -> Comparison:
    homes = [
        {d.name: (layer.name, d) for layer in side.layers for d in layer.distributions} for side in (before, after)
    ]
    shifts = [
        shift
        for name in sorted(homes[0].keys() | homes[1].keys())
        if (shift := _shift(name, homes[0].get(name), homes[1].get(name), digests=digests))
    ]
    published: list[Published] = []
    for kind, ours, theirs in (("layer", after.layers, before.layers), ("function", after.functions, before.functions)):
        known = {part.name: part.fingerprint for part in theirs}
        published += [
            Published(
                name=part.name,
                kind="layer" if kind == "layer" else "function",
                new=part.name not in known,
                zipped_bytes=part.zipped_bytes or 0,
            )
            for part in ours
            if known.get(part.name) != part.fingerprint
        ]
    return Comparison(
        base=base,
        shifts=tuple(sorted(shifts, key=lambda s: (_ORDER.index(s.kind), s.name))),
        published=tuple(published),
        removed=tuple(sorted({x.name for x in before.layers} - {x.name for x in after.layers})),
        layers=len(after.layers),
        total_unzipped_bytes=(before.total_unzipped_bytes, after.total_unzipped_bytes),
        cost=(before.objective.cost, after.objective.cost),
        republished_bytes_per_year=(
            before.objective.republished_bytes_per_year,
            after.objective.republished_bytes_per_year,
        ),
    )


def _homes(side: _Side) -> dict[str, tuple[str, _Distribution]]:
    """Each distribution with its layer."""
    return {d.name: (layer.name, d) for layer in side.layers for d in layer.distributions}


def _shift(
    name: str, before: tuple[str, _Distribution] | None, after: tuple[str, _Distribution] | None, *, digests: bool
) -> Shift | None:
    kind = _kind(before, after, digests=digests)
    if kind is None:
        return None
    old, new = before[1] if before else None, after[1] if after else None
    zipped = (new.zipped_bytes or 0 if new else 0) - (old.zipped_bytes or 0 if old else 0)
    unzipped = (new.unzipped_bytes or 0 if new else 0) - (old.unzipped_bytes or 0 if old else 0)
    return Shift(
        name=name,
        kind=kind,
        version_before=old.version if old else None,
        version_after=new.version if new else None,
        layer_before=before[0] if before else None,
        layer_after=after[0] if after else None,
        zipped_bytes=None if digests else zipped,
        unzipped_bytes=None if digests else unzipped,
    )


def _kind(
    before: tuple[str, _Distribution] | None, after: tuple[str, _Distribution] | None, *, digests: bool
) -> Kind | None:
    if before is None or after is None:
        return "added" if before is None else "removed"
    (old_layer, old), (new_layer, new) = before, after
    if old.version != new.version:
        return "updated"
    if old_layer != new_layer:
        return "moved"
    if digests:
        return None if old.digest == new.digest else "changed"
    same = (old.zipped_bytes, old.unzipped_bytes) == (new.zipped_bytes, new.unzipped_bytes)
    return None if same else "changed"
