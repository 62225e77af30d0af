"""[reads] Release dates and sizes → scenarios: what changes when, from a committed snapshot."""

from optimizer.history.families import co_release_families
from optimizer.history.scenarios import CADENCES, Scenarios, make_scenarios
from optimizer.history.snapshot import SNAPSHOT, History, Release, Releases, read_history, snapshot_text

__all__ = [
    "CADENCES",
    "SNAPSHOT",
    "History",
    "Release",
    "Releases",
    "Scenarios",
    "co_release_families",
    "make_scenarios",
    "read_history",
    "snapshot_text",
]
