"""Plans a roll, purely: which functions get another version of a layer, in which wave, and which don't, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.deploy import descriptions
from optimizer.deploy.fleet.roll_values import Move, Stay
from optimizer.deploy.values import LATEST, layer_account

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optimizer.deploy.fleet.consumers import Consumers
    from optimizer.deploy.fleet.layer_reference import LayerReference
    from optimizer.deploy.fleet.region import RegionFunction
    from optimizer.deploy.fleet.roll_values import RollOptions, Wave
    from optimizer.deploy.values import Alias, Configuration, ListedLayer


def decide(
    found: Consumers, layer: LayerReference, target: ListedLayer, options: RollOptions, *, backwards: bool
) -> tuple[tuple[Move, ...], tuple[Stay, ...]]:
    """What becomes of each function that uses the layer in `$LATEST` or where its alias points.

    Args:
        found: the functions, and the layer's versions.
        layer: which layer.
        target: the version that they get.
        options: see RollOptions.
        backwards: whether functions with a newer version get it too.
    """
    roll = _Roll(
        layer=layer,
        target=target,
        options=options,
        backwards=backwards,
        fingerprints={
            one.arn: fingerprint
            for one in (*(found.listed or ()), target)
            if (fingerprint := descriptions.layer_fingerprint(one.description)) is not None
        },
    )
    decided = [roll.decide(function) for function in found.functions]
    moves = tuple(one for one in decided if isinstance(one, Move))
    return moves, tuple(one for one in decided if isinstance(one, Stay))


def waves_of(moves: Sequence[Move], wave: Wave) -> tuple[tuple[Move, ...], ...]:
    """The moves in waves, by name."""
    ordered = sorted(moves, key=lambda move: move.function)
    size = wave.size(len(ordered))
    return tuple(tuple(ordered[start : start + size]) for start in range(0, len(ordered), size))


def differences(one: Configuration, other: Configuration) -> tuple[str, ...]:
    """What differs between two configurations of a function besides its layers, in words."""
    compared = (
        ("code", one.code_sha256, other.code_sha256),
        ("handler", one.handler, other.handler),
        ("runtime", one.runtime, other.runtime),
        ("architecture", one.architecture, other.architecture),
        ("memory", one.memory_mb, other.memory_mb),
        ("timeout", one.timeout_seconds, other.timeout_seconds),
        ("environment", one.environment, other.environment),
        ("role", one.role, other.role),
    )
    return tuple(name for name, mine, yours in compared if mine != yours)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Roll:
    layer: LayerReference
    target: ListedLayer
    options: RollOptions
    backwards: bool
    fingerprints: Mapping[str, str]

    def decide(self, function: RegionFunction) -> Move | Stay | None:
        """None where only versions that nobody is sent to have the layer."""
        alias = function.alias(self.options.alias)
        if alias is None or alias.version == LATEST:
            return self._latest_alone(function, alias)
        served = function.version(alias.version)
        arn, latest_arn = self._arn(served) if served else None, self._arn(function.latest)
        if served is None or arn is None:
            if latest_arn is None:
                return None
            why = f"$LATEST has it, but not version {alias.version}, which {alias.name} serves"
            return self._skipped(function, latest_arn, why)
        if alias.weighted:
            versions = " and ".join(sorted(alias.versions, key=int))
            return self._skipped(function, arn, f"{alias.name} shares its callers between versions {versions}")
        return self._stay(function, arn) or self._move(function, arn, alias, served)

    def _latest_alone(self, function: RegionFunction, alias: Alias | None) -> Move | Stay | None:
        arn = self._arn(function.latest)
        if arn is None:
            return None
        if (stay := self._stay(function, arn)) is not None:
            return stay
        if not self.options.accept_latest:
            name = self.options.alias
            why = f"it has no alias {name}" if alias is None else f"{name} points at $LATEST"
            return self._skipped(function, arn, f"{why}: --accept-latest changes $LATEST, before it is checked")
        return self._move(function, arn, None, function.latest)

    def _move(self, function: RegionFunction, arn: str, alias: Alias | None, served: Configuration) -> Move | Stay:
        layers = tuple(self.target.arn if one == arn else one for one in served.layer_arns)
        latest = function.latest
        begun = alias is not None and latest.layer_arns == layers
        differs = differences(latest, served)
        if latest.layer_arns not in {served.layer_arns, layers}:
            differs += ("layers",)
        if differs:
            why = (
                f"$LATEST differs from version {served.version} in its {', '.join(differs)}: somebody is at work there"
            )
            return self._skipped(function, arn, why)
        if (unfit := self._unfit(latest)) is not None:
            return self._skipped(function, arn, unfit)
        return Move(
            function=function.name,
            latest=latest,
            alias=alias,
            layers=layers,
            layers_before=served.layer_arns,
            before=int(arn.rpartition(":")[2]),
            description=self._description(served, arn),
            check_path=self.options.check_paths.get(function.name, self.options.check_path),
            begun=begun,
            notes=_notes(latest),
        )

    def _stay(self, function: RegionFunction, arn: str) -> Stay | None:
        """Why a function needs no move, where it needs none."""
        version = int(arn.rpartition(":")[2])
        if version == self.target.version:
            latest = self._arn(function.latest)
            other = f"version {latest.rpartition(':')[2]}" if latest else "none"
            behind = "" if latest == arn else f", but $LATEST has {other}"
            return Stay(function=function.name, outcome="current", version=version, reason=f"has it already{behind}")
        if version > self.target.version and not self.backwards:
            why = f"has version {version}, which is newer; --to {self.target.version} moves it too"
            return self._skipped(function, arn, why)
        return None

    def _unfit(self, latest: Configuration) -> str | None:
        """Why the layer's version is not for the function, as its publisher said."""
        target = self.target
        if target.runtimes and latest.runtime not in target.runtimes:
            return f"version {target.version} is for {', '.join(target.runtimes)}, the function has {latest.runtime}"
        if target.architectures and latest.architecture not in target.architectures:
            made = ", ".join(target.architectures)
            return f"version {target.version} is for {made}, the function has {latest.architecture}"
        return None

    def _arn(self, version: Configuration) -> str | None:
        """The layer's version in a list; there is one at most."""
        return next((arn for arn in version.layer_arns if self.layer.is_of(arn, version.account)), None)

    @staticmethod
    def _skipped(function: RegionFunction, arn: str, reason: str) -> Stay:
        version = int(arn.rpartition(":")[2])
        return Stay(function=function.name, outcome="skipped", version=version, reason=reason)

    def _description(self, served: Configuration, arn: str) -> str:
        """The new version's description: the old one's, with our fingerprint of the layer replaced where it has one.

        A description that told of another layer than is attached would let a deploy take the version for its own, so
        where the fingerprint or its place is not known, it says in words what was done.
        """
        told = descriptions.version_fingerprints(served.description)
        if not told:
            return served.description
        code, *layers = told
        old = self.fingerprints.get(arn, "")[: descriptions.SHORT]
        own = [one for one in served.layer_arns if layer_account(one) == served.account]
        if layers.count(old) == 1:
            place = layers.index(old)
        elif not old and len(own) == len(layers) and arn in own:
            place = own.index(arn)
        elif old and old not in layers:
            return served.description  # it is none of the layers that the description tells of
        else:
            return self._in_words()
        new = self.fingerprints.get(self.target.arn)
        if new is None:
            return self._in_words()
        layers[place] = new
        return descriptions.of_version(code, layers, descriptions.commit_in(served.description))

    def _in_words(self) -> str:
        return f"with version {self.target.version} of the layer {self.layer.name}"


def _notes(latest: Configuration) -> tuple[str, ...]:
    """PYTHONPATH in a function's environment takes the layers' folders out of the path (LAMBDA.md)."""
    path = (latest.environment or {}).get("PYTHONPATH")
    if path is None or "/opt/python" in path.split(":"):
        return ()
    return ("it sets PYTHONPATH without /opt/python, so it sees no layer",)
