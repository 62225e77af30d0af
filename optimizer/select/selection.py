"""Applies the rules and a person's patterns to files, and keeps the receipt."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from optimizer.models import Dropped, InstalledFile, Selection
from optimizer.select.rewrites import REWRITES
from optimizer.select.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.config import Config, FunctionConfig
    from optimizer.models import Distribution


SERVICES_RULE = "botocore-services"
"""The name under which service models that do not ship stand in a receipt."""


def unknown_rules(config: Config) -> list[str]:
    """Faults of `[slim]`: names that are no rule here."""
    known = (*RULES, *REWRITES)
    faults = [
        f"slim.{name}: no such rule; there are {', '.join(known)}" for name in config.slim.rules if name not in known
    ]
    return faults + [
        f"slim.{name}: this rule can't be switched off: {RULES[name].why}"
        for name, wanted in config.slim.rules.items()
        if name in RULES and not wanted
    ]


def unknown_patterns(config: Config, distributions: Sequence[Distribution]) -> list[str]:
    """Faults of `[slim]`: patterns for distributions that nothing needs."""
    known = {distribution.name for distribution in distributions}
    return [
        f"slim.{key}.{name}: {name!r} is not among the distributions that the functions' requirements lead to"
        for key in ("keep", "drop")
        for name in getattr(config.slim, key)
        if name not in known
    ]


def select_distribution(
    distribution: Distribution, config: Config, services: frozenset[str] | None = None
) -> Selection:
    """The files that ship of a distribution, and what each rule left out.

    `services` are the service models of botocore and boto3 that ship, None for all. A person's `keep` patterns win over
    that and over `drop`; what an installer left can't be kept, since it would make the layer wrong.
    """
    keep = config.slim.keep.get(distribution.name, ())
    drop = config.slim.drop.get(distribution.name, ())
    rules = RULES.values()
    paths = {file.path for file in distribution.files}
    kept: list[InstalledFile] = []
    dropped: defaultdict[str, list[InstalledFile]] = defaultdict(list)
    for file in distribution.files:
        path = file.path
        taker = None
        for rule in rules:
            if rule.takes(path, distribution.info, paths):
                taker = rule.name
                break
        else:
            if not any(fnmatchcase(path, p) for p in keep):
                if any(fnmatchcase(path, p) for p in drop):
                    taker = "slim.drop"
                elif services is not None and _is_other_service(path, distribution.name, services):
                    taker = SERVICES_RULE
        if taker is None:
            kept.append(file)
        else:
            dropped[taker].append(file)
    return Selection(
        name=distribution.name,
        version=distribution.version,
        files=tuple(kept),
        record=f"{distribution.info}/RECORD" if distribution.info.endswith(".dist-info") else None,
        dropped=_receipt(dropped),
    )


def _is_other_service(path: str, name: str, services: frozenset[str]) -> bool:
    """Whether the file is a service's model (`botocore/data/<service>/...`) and that service does not ship."""
    if name not in {"boto3", "botocore"}:
        return False
    parts = path.split("/", 3)
    return len(parts) > 3 and parts[:2] == [name, "data"] and parts[2] not in services  # noqa: PLR2004


def select_source(function: FunctionConfig, files: tuple[InstalledFile, ...]) -> Selection:
    """The files of a function's own source that go into its zip.

    Left out are hidden files, bytecode, and what only the build reads: requirements files and the role's policy.
    """
    build_only = set()
    for path in (function.requirements, function.policy):
        if path is not None and PurePosixPath(path).is_relative_to(function.source):
            build_only.add(PurePosixPath(path).relative_to(function.source).as_posix())
            build_only.add(PurePosixPath(path).relative_to(function.source).with_suffix(".in").as_posix())
    kept: list[InstalledFile] = []
    dropped: defaultdict[str, list[InstalledFile]] = defaultdict(list)
    for file in files:
        if file.path in build_only:
            dropped["build-only"].append(file)
        elif any(part.startswith(".") for part in file.path.split("/")):
            dropped["hidden"].append(file)
        elif file.path.endswith((".pyc", ".pyo")) and "__pycache__" in file.path.split("/"):
            dropped["installed-bytecode"].append(file)
        else:
            kept.append(file)
    return Selection(name=function.name, version="", files=tuple(kept), record=None, dropped=_receipt(dropped))


def without_shared(selections: list[Selection]) -> tuple[list[Selection], dict[str, tuple[str, str]]]:
    """A path that several distributions own ships once, with the first of them by name.

    Returns the selections, and for each such path the distribution that keeps it and one that doesn't.
    """
    owner: dict[str, str] = {}
    shared: dict[str, tuple[str, str]] = {}
    alone = []
    for selection in sorted(selections, key=lambda s: s.name):
        twice = [file for file in selection.files if owner.setdefault(file.path, selection.name) != selection.name]
        if twice:
            shared.update({file.path: (owner[file.path], selection.name) for file in twice})
            dropped = Dropped(rule="shared-path", files=len(twice), bytes=sum(file.bytes for file in twice))
            selection = replace(  # noqa: PLW2901
                selection,
                files=tuple(file for file in selection.files if file.path not in shared),
                dropped=(*selection.dropped, dropped),
            )
        alone.append(selection)
    return alone, shared


def _receipt(dropped: dict[str, list[InstalledFile]]) -> tuple[Dropped, ...]:
    return tuple(
        Dropped(rule=rule, files=len(files), bytes=sum(file.bytes for file in files))
        for rule, files in sorted(dropped.items())
    )
