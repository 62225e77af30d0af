"""[reads] Releases on the package index → what really changes of what ships, and which of them can be skipped."""

from optimizer.upgrades.changes import Change, Comparison, compare, service_of
from optimizer.upgrades.look import Look, Looked, Looker
from optimizer.upgrades.saving import Advice, Advised, FamilySaving, Wanted, advise, known_history

__all__ = [
    "Advice",
    "Advised",
    "Change",
    "Comparison",
    "FamilySaving",
    "Look",
    "Looked",
    "Looker",
    "Wanted",
    "advise",
    "compare",
    "known_history",
    "service_of",
]
