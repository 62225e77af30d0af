"""[reads] Release dates and sizes → scenarios: what changes when, from a committed snapshot."""

from optimizer.history.families import co_release_families
from optimizer.history.scenarios import CADENCES, YEAR, Scenarios, changes, make_scenarios
from optimizer.history.snapshot import SNAPSHOT, History, Release, Releases, read_history, snapshot_text

__all__ = [
    "CADENCES",
    "SNAPSHOT",
    "YEAR",
    "History",
    "Release",
    "Releases",
    "Scenarios",
    "changes",
    "co_release_families",
    "make_scenarios",
    "read_history",
    "snapshot_text",
]
