"""[pure] Partition and payloads → LayerPlan: what goes where, to the byte, compared with the committed locks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from optimizer import limits
from optimizer.content import END_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optimizer.config import Config, ExternalLayer, FunctionConfig
    from optimizer.graph import Group
    from optimizer.models import Excluded, Inventory, Payload, Target
    from optimizer.partition import Certificate, Partition

LOCK_SCHEMA = 1
_LOCK_HEAD = "# layer-optimizer lock, schema"
_FINGERPRINT = "# fingerprint: "

Change = Literal["new", "changed", "unchanged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDistribution:
    """One distribution in its layer, and why it is there."""

    name: str
    version: str
    installed_bytes: int
    payload: Payload
    reason: str
    requires: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLayer:
    """One layer: its distributions sorted by name, its exact bytes, its lock's text, and how that differs."""

    name: str
    role: str
    order: int
    distributions: tuple[PlannedDistribution, ...]
    unzipped_bytes: int
    zipped_bytes: int
    fingerprint: str
    lock: str
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFunction:
    """One function's own code."""

    config: FunctionConfig
    payload: Payload
    unzipped_bytes: int
    zipped_bytes: int
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlan:
    """What goes where. `stale_locks` are locks on disk that no layer of the plan has.

    `excluded` is what requirements lead to and what does not ship; `never_imported` are the names of distributions that
    ship although the functions' modules do not lead to them. `frontier` says what the best split into other numbers of
    layers would cost, where that was asked for.
    """

    target: Target
    source: str
    layers: tuple[PlannedLayer, ...]
    functions: tuple[PlannedFunction, ...]
    external_layers: tuple[ExternalLayer, ...]
    partition: Partition
    groups: tuple[Group, ...]
    stale_locks: tuple[str, ...]
    warnings: tuple[str, ...]
    excluded: tuple[Excluded, ...] = ()
    never_imported: tuple[str, ...] = ()
    frontier: Mapping[int, Certificate] = field(default_factory=dict)

    @property
    def total_unzipped_bytes(self) -> int:
        """Layers and code of the function that needs most, external layers too."""
        shared = sum(layer.unzipped_bytes for layer in self.layers)
        return shared + max(
            f.unzipped_bytes + sum(x.unzipped_bytes for x in f.config.external_layers) for f in self.functions
        )

    @property
    def headroom_bytes(self) -> int:
        """What is left of Lambda's limit; negative where it is passed."""
        return limits.UNZIPPED_BYTES - self.total_unzipped_bytes

    @property
    def fits(self) -> bool:
        """Whether Lambda would take it."""
        return self.headroom_bytes >= 0

    @property
    def stale(self) -> tuple[str, ...]:
        """Layers whose committed locks are not what is planned, and locks that no layer has any more."""
        return (*(layer.name for layer in self.layers if layer.change != "unchanged"), *self.stale_locks)


def make_plan(
    config: Config,
    inventory: Inventory,
    *,
    groups: tuple[Group, ...],
    partition: Partition,
    payloads: Mapping[str, Payload],
    code: Sequence[Payload],
    locks: Mapping[str, str],
    magic: str | None,
    code_magic: str | None = None,
    notes: Sequence[str] = (),
    never_imported: Sequence[str] = (),
) -> LayerPlan:
    """Join what the stages found.

    Args:
        config: the functions' settings.
        inventory: the distributions, with what was wrong with them.
        groups: what the partition's items are made of.
        partition: each item's layer.
        payloads: each distribution's payload.
        code: each function's payload, in the configuration's order.
        locks: the text of each committed lock by its layer.
        magic: the layers' bytecode's magic number in hex, or None where none ships.
        code_magic: the same for the functions' own code.
        notes: further warnings.
        never_imported: distributions that the functions' modules do not lead to.
    """
    by_name = {str(d.name): d for d in inventory.distributions}
    item = {member: group.name for group in groups for member in group.members}
    reason = {
        member: partition.reasons[group.name]
        + (f", with {', '.join(m for m in group.members if m != member)}" if len(group.members) > 1 else "")
        for group in groups
        for member in group.members
    }
    layers = []
    for order, (name, role) in enumerate(partition.layers):
        planned = tuple(
            PlannedDistribution(
                name=member,
                version=by_name[member].version,
                installed_bytes=by_name[member].installed_bytes,
                payload=payloads[member],
                reason=reason[member],
                requires=tuple(by_name[member].requires),
            )
            for member in sorted(by_name)
            if partition.assignment[item[member]] == name
        )
        mark = fingerprint([d.payload for d in planned], magic)
        lock = lock_text(name, inventory.target, mark, planned)
        before = locks.get(name)
        layers.append(
            PlannedLayer(
                name=name,
                role=role,
                order=order,
                distributions=planned,
                unzipped_bytes=sum(d.payload.unzipped_bytes for d in planned),
                zipped_bytes=sum(d.payload.zipped_bytes for d in planned) + END_BYTES,
                fingerprint=mark,
                lock=lock,
                change="new" if before is None else "unchanged" if before == lock else "changed",
            )
        )
    functions = tuple(
        PlannedFunction(
            config=function,
            payload=payload,
            unzipped_bytes=payload.unzipped_bytes,
            zipped_bytes=payload.zipped_bytes + END_BYTES,
            fingerprint=fingerprint([payload], code_magic),
        )
        for function, payload in zip(config.function, code, strict=True)
    )
    planned_names = {name for name, _ in partition.layers}
    external = {layer.arn: layer for function in config.function for layer in function.external_layers}
    return LayerPlan(
        target=inventory.target,
        source=inventory.source,
        layers=tuple(layers),
        functions=functions,
        external_layers=tuple(external.values()),
        partition=partition,
        groups=groups,
        stale_locks=tuple(sorted(set(locks) - planned_names)),
        warnings=tuple(_warnings(inventory, layers, functions, notes)),
        excluded=inventory.excluded,
        never_imported=tuple(never_imported),
    )


def fingerprint(payloads: Sequence[Payload], magic: str | None) -> str:
    """SHA-256 over the sorted (path, mode, content hash) of the sources, the magic number and the build options.

    Bytecode itself is not in it: equal fingerprints mean the same layer, whichever patch release compiled it.
    """
    lines = sorted(line for payload in payloads for line in payload.sources)
    head = f"layer-optimizer 1\nbytecode {magic or 'none'} unchecked-hash optimize=0\n"
    return hashlib.sha256((head + "\n".join(lines)).encode()).hexdigest()


def lock_text(name: str, target: Target, mark: str, distributions: Sequence[PlannedDistribution]) -> str:
    """The committed text of one layer's content: no bytes, no dates, one line a distribution."""
    lines = [
        f"{_LOCK_HEAD} {LOCK_SCHEMA}: written by `python -m optimizer plan --write`",
        f"# layer: {name}",
        f"# target: {target.runtime} {target.architecture}",
        f"{_FINGERPRINT}{mark}",
        *(f"{d.name}=={d.version} sha256:{d.payload.digest}" for d in distributions),
    ]
    return "\n".join(lines) + "\n"


def lock_lines(text: str) -> list[tuple[str, str, str]]:
    """(name, version, digest) of each distribution in a lock."""
    lines = [line for line in text.splitlines() if "==" in line and not line.startswith("#")]
    parts = [(name, *rest.partition(" sha256:")) for name, _, rest in (line.partition("==") for line in lines)]
    return [(name, version, digest) for name, version, _, digest in parts]


def locked_homes(locks: Mapping[str, str]) -> dict[str, str]:
    """Each distribution's layer by the locks' texts; one that several layers have is in none."""
    found: dict[str, set[str]] = {}
    for layer, text in locks.items():
        for name, _, _ in lock_lines(text):
            found.setdefault(name, set()).add(layer)
    return {name: layers.pop() for name, layers in sorted(found.items()) if len(layers) == 1}


def locked_layers(locks: Mapping[str, str]) -> dict[str, str]:
    """The fingerprint of each layer that holds anything, by the locks' texts."""
    found = {}
    for layer, text in sorted(locks.items()):
        marks = [line.removeprefix(_FINGERPRINT) for line in text.splitlines() if line.startswith(_FINGERPRINT)]
        if marks and lock_lines(text):
            found[layer] = marks[0]
    return found


def is_lock(text: str) -> bool:
    """Whether the text is a lock of ours, of whatever schema."""
    return text.startswith(_LOCK_HEAD)


def _warnings(
    inventory: Inventory,
    layers: Sequence[PlannedLayer],
    functions: Sequence[PlannedFunction],
    notes: Sequence[str],
) -> list[str]:
    found = [str(defect) for defect in inventory.defects]
    found += [f"{d.name}: {note}" for layer in layers for d in layer.distributions for note in d.payload.notes]
    found += [f"function {f.config.name}: {note}" for f in functions for note in f.payload.notes]
    found += [
        f"layer {layer.name} is empty: no distribution belongs to it" for layer in layers if not layer.distributions
    ]
    found += [
        f"{kind} {name}: its zip has {size} bytes, over the {limits.DIRECT_ZIP_BYTES} that go in a call: it needs S3"
        for kind, name, size in (
            *(("layer", layer.name, layer.zipped_bytes) for layer in layers),
            *(("function", f.config.name, f.zipped_bytes) for f in functions),
        )
        if size > limits.DIRECT_ZIP_BYTES
    ]
    ended = inventory.target.lambda_runtime.ended
    if ended:
        found.append(f"{inventory.target.runtime} reached its end on {ended}: move to a later runtime")
    return [*found, *notes]
