"""Which commit a project's files are of: so that what was built, and what runs, can be traced to it."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DIRTY = "-dirty"
"""After a commit's id where files differ from it, as `git describe --dirty` has it."""

_VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA", "BITBUCKET_COMMIT", "CODEBUILD_RESOLVED_SOURCE_VERSION")
"""Where CI systems name the commit, for those that build from an export without git's own folder."""

_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def commit_of(root: Path, *built: Path) -> str | None:
    """The commit's id in hex, with a mark where files differ from it; None where nothing tells.

    Args:
        root: the project's folder.
        built: folders that a build writes to, which are no change of the project.
    """
    inside = [os.path.relpath(place, root) for place in built if place.absolute().is_relative_to(root.absolute())]
    command = ["git", "--no-optional-locks", "-C", str(root), "status", "--porcelain=v2", "--branch", "--", "."]
    try:
        lines = subprocess.run(
            [*command, *(f":(exclude){place}" for place in inside)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
        ).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):  # no git, no work tree, or somebody else's
        lines = []
    ids = [line.split()[2] for line in lines if line.startswith("# branch.oid ")]
    if ids and _ID.fullmatch(ids[0]):
        return ids[0] + (DIRTY if any(not line.startswith("#") for line in lines) else "")
    named = (os.environ.get(name, "") for name in _VARIABLES)
    return next((value for value in named if _ID.fullmatch(value)), None)
