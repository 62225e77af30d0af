"""Who deploys: the run of a CI service as its environment tells it, or the person and the machine."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SERVICES = (
    ("GITHUB_RUN_ID", "GitHub run {GITHUB_RUN_ID} of {GITHUB_REPOSITORY}", "GITHUB_SHA"),
    ("CI_JOB_URL", "{CI_JOB_URL}", "CI_COMMIT_SHA"),
    ("BUILDKITE_BUILD_URL", "{BUILDKITE_BUILD_URL}", "BUILDKITE_COMMIT"),
    ("CIRCLE_BUILD_URL", "{CIRCLE_BUILD_URL}", "CIRCLE_SHA1"),
    ("CODEBUILD_BUILD_ID", "CodeBuild {CODEBUILD_BUILD_ID}", "CODEBUILD_RESOLVED_SOURCE_VERSION"),
    ("BITBUCKET_BUILD_NUMBER", "Bitbucket build {BITBUCKET_BUILD_NUMBER}", "BITBUCKET_COMMIT"),
    ("BUILD_BUILDURI", "Azure build {BUILD_BUILDURI}", "BUILD_SOURCEVERSION"),
    ("BUILD_URL", "{BUILD_URL}", "GIT_COMMIT"),
)
"""What tells a CI service (GitHub, GitLab, Buildkite, CircleCI, CodeBuild, Bitbucket, Azure, Jenkins), how its run is
called, and where it names the commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who deploys, and from which commit; None where that is not known."""

    who: str
    commit: str | None

    @classmethod
    def of(cls, environment: Mapping[str, str], folder: Path) -> Holder:
        """The run that this environment is of, in that folder."""
        for sign, name, commit in _SERVICES:
            if environment.get(sign):
                return cls(who=name.format_map(_Known(environment)), commit=environment.get(commit) or None)
        return cls(who=f"{_user()}@{socket.gethostname()}", commit=_commit(folder))


class _Known(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "somebody"


def _commit(folder: Path) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run([git, "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None if done.returncode == 0 else None
