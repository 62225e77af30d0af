"""Descent by moves and swaps, and many starts of it: finds the best wherever a proof was had, proves nothing."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from optimizer.partition import clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from optimizer.partition.atoms import Atoms

_MOST_SWAPPED = 80  # atoms: above, all pairs take too long


class State:
    """An assignment whose changes are cheap to weigh: each layer's bytes, and scenarios that touch it once, twice.

    A scenario that touches a layer through two atoms or more stays when one of them leaves.
    """

    def __init__(self, atoms: Atoms, home: Sequence[int]) -> None:
        self.atoms, self.home = atoms, list(home)
        self.size = [atoms.publish_bytes] * atoms.layers
        self.held = [0] * atoms.layers
        self.once, self.twice = [0] * atoms.layers, [0] * atoms.layers
        for layer in range(atoms.layers):
            self._recount(layer)

    def _recount(self, layer: int) -> None:
        size, held, once, twice = self.atoms.publish_bytes, 0, 0, 0
        for atom, place in enumerate(self.home):
            if place == layer:
                size += self.atoms.sizes[atom]
                held += 1
                twice |= once & self.atoms.masks[atom]
                once |= self.atoms.masks[atom]
        self.size[layer], self.held[layer], self.once[layer], self.twice[layer] = size, held, once, twice

    def cost(self) -> float:
        """What the assignment costs."""
        return sum(size * self.atoms.weigh(once) for size, once in zip(self.size, self.once, strict=True))

    def put(self, atom: int, layer: int) -> None:
        """Move the atom."""
        old, self.home[atom] = self.home[atom], layer
        self._recount(old)
        self._recount(layer)

    def may(self, atom: int, layer: int, without: int = -1) -> bool:
        """Whether no constraint but that of empty layers forbids the move, when `without` leaves that layer."""
        return layer in self.atoms.allowed[atom] and all(
            self.home[rival] != layer or rival == without for rival in self.atoms.rivals[atom]
        )

    def move(self, atom: int, layer: int) -> float:
        """What moving the atom there would add to the cost."""
        a, old, mask = self.atoms, self.home[atom], self.atoms.masks[atom]
        left = self.once[old] & ~(mask & ~self.twice[old])
        before = self.size[old] * a.weigh(self.once[old]) + self.size[layer] * a.weigh(self.once[layer])
        after = (self.size[old] - a.sizes[atom]) * a.weigh(left)
        return after + (self.size[layer] + a.sizes[atom]) * a.weigh(self.once[layer] | mask) - before

    def swap(self, one: int, two: int) -> float:
        """What exchanging the layers of two atoms would add to the cost."""
        a, here, there = self.atoms, self.home[one], self.home[two]
        first, second = a.masks[one], a.masks[two]
        before = self.size[here] * a.weigh(self.once[here]) + self.size[there] * a.weigh(self.once[there])
        left = self.once[here] & ~(first & ~self.twice[here]) | second
        right = self.once[there] & ~(second & ~self.twice[there]) | first
        change = a.sizes[two] - a.sizes[one]
        return (self.size[here] + change) * a.weigh(left) + (self.size[there] - change) * a.weigh(right) - before


def descend(atoms: Atoms, home: Sequence[int], *, end: float) -> tuple[int, ...]:
    """Move, and where no move helps swap, until nothing helps; `home` keeps the constraints, as does the answer."""
    state = State(atoms, home)
    least = 1e-12 * state.cost()
    while clock.now() < end and (_moved(state, least) or _swapped(state, least, end)):
        pass
    return tuple(state.home)


def _moved(state: State, least: float) -> bool:
    found = False
    for atom, allowed in enumerate(state.atoms.allowed):
        if state.atoms.nonempty and state.held[state.home[atom]] == 1:
            continue
        changes = [(state.move(atom, k), k) for k in allowed if k != state.home[atom] and state.may(atom, k)]
        if changes and min(changes)[0] < -least:
            state.put(atom, min(changes)[1])
            found = True
    return found


def _swapped(state: State, least: float, end: float) -> bool:
    n = len(state.home)
    if n > _MOST_SWAPPED:
        return False
    found = False
    for one in range(n):
        if clock.now() >= end:
            break
        for two in range(one):
            here, there = state.home[one], state.home[two]
            if (
                here != there
                and state.swap(one, two) < -least
                and state.may(one, there, two)
                and state.may(two, here, one)
            ):
                state.put(one, there)
                state.put(two, here)
                found = True
    return found


def search(
    atoms: Atoms, starts: Iterable[Sequence[int]], *, seed: int, end: float, kicks: int
) -> list[tuple[int, ...]]:
    """Descend from every start, then from the best with some atoms moved by chance; all that was found, the best first.

    Args:
        atoms: what to assign.
        starts: assignments that keep the constraints, at least one.
        seed: of the chance.
        end: when to stop, by `clock.now`.
        kicks: how many times the best is disturbed.
    """
    chance = random.Random(seed)  # noqa: S311  # a search, no secret
    found = {home: atoms.cost(home) for home in map(tuple, starts)}
    for start in list(found):
        home = atoms.canonical(descend(atoms, start, end=end))
        found[home] = atoms.cost(home)
    for _ in range(kicks):
        if clock.now() >= end:
            break
        best = min(found, key=lambda home: (found[home], home))
        home = atoms.canonical(descend(atoms, _kicked(atoms, best, chance), end=end))
        found[home] = atoms.cost(home)
    return sorted(found, key=lambda home: (found[home], home))


def _kicked(atoms: Atoms, home: Sequence[int], chance: random.Random) -> list[int]:
    state = State(atoms, home)
    for _ in range(chance.randint(2, max(3, len(home) // 4))):
        atom = chance.randrange(len(home))
        layer = chance.choice(atoms.allowed[atom])
        if state.may(atom, layer) and not (atoms.nonempty and state.held[state.home[atom]] == 1):
            state.put(atom, layer)
    return state.home
