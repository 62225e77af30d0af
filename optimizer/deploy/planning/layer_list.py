"""The list of attached layers: ours in order, others in their places; and how to get there without passing 250 MB.

A code upload is checked against the layers attached at that moment, a new list against the code of that moment: so
the step between can be refused although the end fits. AWS tells no unzipped bytes of what is there; they are guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from optimizer import limits
from optimizer.deploy.actions import Slot
from optimizer.deploy.planning.access import partition_of
from optimizer.deploy.values import layer_base, layer_name
from optimizer.errors import DeployRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.deploy.values import RemoteState
    from optimizer.deploy.wanted import Wanted

UNZIPPED_FACTOR = 10
"""What is not told is taken for at most this many times its zipped bytes; hardly any Python code unzips to more."""

Order = Literal["code-first", "shrink-first"]


def attach_list(wanted: Wanted, state: RemoteState, own: Sequence[Slot]) -> tuple[Slot, ...]:
    """The whole list: our layers in the places of ours, foreign ones where they are, missing external ones at the end.

    With [apm:7, aws-core:1, web:1, tracer:2] attached, aws-core, web and utilities ours, the answer is
    [apm:7, aws-core, web, utilities, tracer:2].

    Raises:
        DeployRefusedError: they are more than Lambda attaches, or one is of another region or partition.
    """
    prefix = f"arn:{partition_of(state.region)}:lambda:{state.region}:"
    elsewhere = [layer.arn for layer in wanted.function.external_layers if not layer.arn.startswith(prefix)]
    if elsewhere:
        raise DeployRefusedError(
            f"{wanted.function.name} in {state.region} can't attach {', '.join(elsewhere)}: Lambda takes layers of its "
            f"own region alone, whose ARNs begin with {prefix}",
            mend="Name under external_layers a layer of that region, or leave the region out.",
        )
    latest = state.latest
    attached = latest.layer_arns if latest else ()
    ours = {*(wanted.own(latest) if latest else ()), *state.retired}
    external = {layer_base(layer.arn): layer.arn for layer in wanted.function.external_layers}
    slots: list[Slot] = []
    waiting = list(own)
    places = [i for i, arn in enumerate(attached) if arn in ours]
    for i, arn in enumerate(attached):
        if arn in ours:
            here = len(waiting) if i == places[-1] else 1
            slots += waiting[:here]
            del waiting[:here]
        else:
            kept = external.pop(layer_base(arn), arn)
            slots.append(Slot(name=layer_name(kept), arn=kept))
    slots += waiting
    slots += [Slot(name=layer_name(arn), arn=arn) for arn in external.values()]
    if len(slots) > limits.LAYERS:
        names = ", ".join(slot.arn or slot.name for slot in slots)
        raise DeployRefusedError(
            f"{wanted.function.name} in {state.region} would have {len(slots)} layers; Lambda attaches at most "
            f"{limits.LAYERS}: {names}",
            mend="Plan fewer layers (--layers), or take a layer that isn't ours off the function.",
        )
    return tuple(slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weight:
    """Unzipped bytes between what they are at least and what they are taken for at most."""

    least: int
    most: int

    def __add__(self, other: _Weight) -> _Weight:
        return _Weight(least=self.least + other.least, most=self.most + other.most)


_NOTHING = _Weight(least=0, most=0)


def transition(wanted: Wanted, state: RemoteState, target: Sequence[Slot]) -> Order:
    """In which order code and list change so that every state on the way fits.

    `code-first` where new code fits beside the old layers as far as can be guessed, else `shrink-first`: first only the
    layers that stay, then the code, then the whole list. That one always fits: its states are parts of the first and of
    the last. So it is what is left where the guess was too low, and the code is refused: see UpdateCode.

    Raises:
        DeployRefusedError: the end state itself does not fit.
    """
    code = _exact(wanted.code.unzipped_bytes)
    final = sum((_weigh(slot, wanted, state) for slot in target), code)
    if final.least > limits.UNZIPPED_BYTES:
        raise DeployRefusedError(
            f"{wanted.function.name} in {state.region}: code and layers have {final.least} bytes unzipped; "
            f"Lambda takes at most {limits.UNZIPPED_BYTES}",
            mend="Run `python -m optimizer plan` to see what weighs how much, and what could be left out.",
        )
    latest = state.latest
    if latest is None:
        return "code-first"
    before = [Slot(name=layer_name(arn), arn=arn) for arn in latest.layer_arns]
    if sum((_weigh(slot, wanted, state) for slot in before), code).most <= limits.UNZIPPED_BYTES:
        return "code-first"
    return "shrink-first"


def staying(state: RemoteState, target: Sequence[Slot]) -> tuple[Slot, ...]:
    """The layers of the new list that are attached now, in the new order."""
    attached = set(state.latest.layer_arns) if state.latest else set()
    return tuple(slot for slot in target if slot.arn in attached)


def _exact(count: int) -> _Weight:
    return _Weight(least=count, most=count)


def _guess(zipped_bytes: int) -> _Weight:
    return _Weight(least=0, most=zipped_bytes * UNZIPPED_FACTOR)


def _weigh(slot: Slot, wanted: Wanted, state: RemoteState) -> _Weight:
    """What a layer weighs: by the manifest, by the configuration, or by its zipped bytes (AWS tells no others)."""
    for external in wanted.function.external_layers:
        if slot.arn == external.arn:
            return _exact(external.unzipped_bytes)
    for layer in wanted.layers or ():
        version = state.published.get(layer.name)
        if slot.name == layer.name and (slot.arn is None or (version is not None and version.arn == slot.arn)):
            return _exact(layer.unzipped_bytes)
    attached = {layer.arn: layer.zipped_bytes for layer in (state.latest.layers if state.latest else ())}
    return _guess(attached.get(slot.arn or "", 0))
