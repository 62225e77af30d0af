"""What requirements lead to and what does not ship all the same, since the configuration leaves it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from packaging.utils import canonicalize_name

from optimizer.inventory.closure import Closure
from optimizer.inventory.uses import own_roots
from optimizer.models import Excluded

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from optimizer.config import SlimConfig


def excluded(closure: Closure, slim: SlimConfig) -> tuple[Excluded, ...]:
    """The distributions at which a closure ended, and those that only these require; sorted by name.

    They are read without regard to whether they could ship: a wheel for another machine may be left out too.
    """
    shipped = {d.name for d in closure.distributions()}
    found: dict[NormalizedName, Excluded] = {}
    for line in sorted(closure.ends, key=lambda x: (x.requirement.name not in slim.provided, str(x.requirement))):
        name = canonicalize_name(line.requirement.name)
        kind: Literal["provided", "leave_out"] = "provided" if name in slim.provided else "leave_out"
        found[name] = Excluded(name=name, version="", kind=kind, by=name, roots=frozenset())
        beyond = Closure(closure.environment, closure.target)
        beyond.walk([line])
        for d in beyond.distributions():
            if d.name == name:
                found[name] = Excluded(name=name, version=d.version, kind=kind, by=name, roots=own_roots(d))
            elif d.name not in shipped and d.name not in slim.cut and d.name not in found:
                found[d.name] = Excluded(name=d.name, version=d.version, kind="beyond", by=name, roots=own_roots(d))
    return tuple(one for _, one in sorted(found.items()))
