"""Some assignment that keeps the constraints, or the smallest set of items that can't."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.partition.instance import InfeasibleError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.partition.atoms import Atoms


def place(atoms: Atoms) -> tuple[int, ...]:
    """Any assignment that keeps the constraints: the first by index.

    Raises:
        InfeasibleError: there is none; its items are such that all but any one of them could be placed.
    """
    for atom, allowed in enumerate(atoms.allowed):
        if not allowed:
            raise InfeasibleError("an item is allowed in no layer", items=atoms.members[atom])
    tied = [atom for atom, rivals in enumerate(atoms.rivals) if rivals]
    if _coloured(atoms, tied, {}) is None:
        for atom in list(tied):
            rest = [other for other in tied if other != atom]
            if _coloured(atoms, rest, {}) is None:
                tied = rest
        items = tuple(sorted(item for atom in tied for item in atoms.members[atom]))
        raise InfeasibleError("items can't be kept apart in the layers they are allowed in", items=items)
    homes = _filled(atoms, {}, 0, tied) if atoms.nonempty else _coloured(atoms, tied, {})
    if homes is None:
        everything = tuple(sorted(item for items in atoms.members for item in items))
        raise InfeasibleError("the items can't fill every layer", items=everything)
    return tuple(homes.get(atom, atoms.allowed[atom][0]) for atom in range(len(atoms.sizes)))


def _filled(atoms: Atoms, homes: dict[int, int], layer: int, tied: Sequence[int]) -> dict[int, int] | None:
    """One atom for each layer from `layer` on, so that the tied atoms can still be placed."""
    if layer == atoms.layers:
        return _coloured(atoms, [atom for atom in tied if atom not in homes], homes)
    for atom, allowed in enumerate(atoms.allowed):
        if layer in allowed and atom not in homes:
            found = _filled(atoms, {**homes, atom: layer}, layer + 1, tied)
            if found is not None:
                return found
    return None


def _coloured(atoms: Atoms, open_: Sequence[int], homes: dict[int, int]) -> dict[int, int] | None:
    """The homes with every open atom added, none of them beside a rival; the one with least choice goes first."""
    if not open_:
        return homes
    choices = {
        atom: [k for k in atoms.allowed[atom] if all(homes.get(rival) != k for rival in atoms.rivals[atom])]
        for atom in open_
    }
    atom = min(open_, key=lambda a: (len(choices[a]), a))
    rest = [other for other in open_ if other != atom]
    for layer in choices[atom]:
        found = _coloured(atoms, rest, {**homes, atom: layer})
        if found is not None:
            return found
    return None
