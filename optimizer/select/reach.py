"""[pure] Which distributions the functions' modules lead to, and what to say of those that they don't lead to.

A distribution is reached as a whole, as soon as any module that is reached may import any of it, names one of its
packages in a string, or requires it and is compiled, so that its imports can't be read. Others may find a distribution
by its entry points: such a one is always reached. So what is not reached is not imported; the other way round, much
that is reached may never be imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer import limits
from optimizer.inventory.uses import own_roots

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optimizer.inventory.uses import Uses
    from optimizer.models import Inventory

_READ_BY_PYTHON = frozenset({"tzdata"})
"""Distributions that the standard library looks for."""


def never_imported(
    inventory: Inventory, code: Mapping[str, Uses], uses: Mapping[str, Uses], plugs_in: frozenset[str]
) -> tuple[str, ...]:
    """The distributions that nothing leads to from the functions' own modules on, sorted.

    Args:
        inventory: what ships.
        code: what each function's modules make use of.
        uses: the same of each distribution.
        plugs_in: the distributions that others find by entry points.
    """
    distributions = {str(d.name): d for d in inventory.distributions}
    owners: dict[str, set[str]] = {}
    whole = set(plugs_in) | (_READ_BY_PYTHON & distributions.keys())
    for name, distribution in distributions.items():
        roots = own_roots(distribution)
        for root in roots:
            owners.setdefault(root, set()).add(name)
        if not roots:
            whole.add(name)  # nothing to import: it is there for what it requires, or for its data
    todo = [*whole, *(owner for found in code.values() for root in found.reached for owner in owners.get(root, ()))]
    reached: set[str] = set()
    while todo:
        name = todo.pop()
        if name in reached or name not in distributions:
            continue
        reached.add(name)
        todo += [owner for root in uses[name].reached for owner in owners.get(root, ())]
        compiled = any(file.path.endswith(".so") for file in distributions[name].files)
        if compiled or name in whole:
            todo += distributions[name].requires
    return tuple(sorted(distributions.keys() - reached))


def exclusion_warnings(inventory: Inventory, code: Mapping[str, Uses]) -> list[str]:
    """What a person should know of the distributions that are left out, or that the runtime is to provide."""
    provided = sorted(str(e.name) for e in inventory.excluded if e.kind == "provided")
    warnings = []
    if provided:
        warnings.append(
            f"{', '.join(provided)}: the runtime's own, by [slim] provided; AWS advises to ship yours, since the "
            "runtime's change under you"
        )
    warnings += [
        f"{d.name}: the runtime's version may not be {d.specifier}, which {d.by or 'the requirements file'} asks for"
        for d in inventory.demands
        if d.name in provided
    ]
    for one in inventory.excluded:
        if one.kind == "beyond" and one.by in provided and one.name not in limits.RUNTIME_DISTRIBUTIONS:
            warnings.append(f"{one.name} does not ship, since only {one.by} leads to it, and the runtime has none")
        if one.kind == "provided" or (one.kind == "beyond" and one.by in provided):
            continue
        places = sorted({uses.reached[root] for uses in code.values() for root in one.roots if root in uses.reached})
        if places:
            warnings.append(f"{one.name} does not ship ({one.reason}), and {places[0]} imports it")
    return warnings
