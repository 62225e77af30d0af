"""[pure] What the modules that ship may make use of, gathered so that a rule can look at one distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optimizer.inventory.uses import Uses


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What bears on the files of one distribution.

    `own` is what its own modules make use of. `test_imports` and `test_names` are those of every module that ships and
    of the functions: the modules in folders of tests that are imported, by the importing module, or by "" where that
    is in no folder of tests; and those that strings name, relative ones of its own alone.
    """

    own: Uses
    test_imports: Mapping[str, frozenset[str]]
    test_names: frozenset[str]


def gather(uses: Mapping[str, Uses]) -> dict[str, Evidence]:
    """The evidence about each distribution, from what all of them and the functions' code make use of."""
    imports: dict[str, set[str]] = {}
    named: set[str] = set()
    for found in uses.values():
        for importer, names in found.test_imports.items():
            imports.setdefault(importer, set()).update(names)
        named |= {name for name in found.test_names if not name.startswith(".")}
    shared = {importer: frozenset(names) for importer, names in imports.items()}
    return {
        name: Evidence(own=found, test_imports=shared, test_names=frozenset(named | found.test_names))
        for name, found in uses.items()
    }
