"""Applies the rules and a person's patterns to files, and keeps the receipt."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from optimizer.inventory.uses import Uses
from optimizer.models import Dropped, InstalledFile, Selection
from optimizer.select.evidence import Evidence
from optimizer.select.parts import SERVICES_OWNER
from optimizer.select.rewrites import REWRITES, is_on
from optimizer.select.rules import RULES, is_protected
from optimizer.select.shipped_services import saying_how_to_add

if TYPE_CHECKING:
    from optimizer.config import Config, FunctionConfig
    from optimizer.models import Distribution, Inventory


SERVICES_RULE = "botocore-services"
"""The name under which service models that do not ship stand in a receipt."""
DROP_RULE = "slim.drop"
"""The same of what a person's patterns take."""
_NONE = Evidence(own=Uses(), test_imports={}, test_names=frozenset())


def unknown_rules(config: Config) -> list[str]:
    """Faults of `[slim]`: names that are no rule here, and rules that can't be switched off."""
    known = ", ".join((*(name for name, rule in RULES.items() if rule.switchable), *REWRITES))
    faults = [
        f"slim.{name}: no such rule; {known} can be switched"
        for name in config.slim.rules
        if name not in RULES and name not in REWRITES
    ]
    return faults + [
        f"slim.{name}: this rule can't be switched off: {RULES[name].why}"
        for name, wanted in config.slim.rules.items()
        if name in RULES and not wanted and not RULES[name].switchable
    ]


def unknown_names(config: Config, inventory: Inventory) -> list[str]:
    """Faults of `[slim]`: patterns for distributions that nothing needs, and such that are left out already."""
    known = {d.name for d in inventory.distributions}
    ends = {e.name for e in inventory.excluded if e.kind != "beyond"}
    named = [(f"{key}.{name}", name, known) for key in ("keep", "drop") for name in getattr(config.slim, key)]
    named += [(key, name, ends) for key in ("leave_out", "provided") for name in getattr(config.slim, key)]
    return [
        f"slim.{where}: {name!r} is not among the distributions that the functions' requirements lead to"
        for where, name, among in named
        if name not in among
    ]


def select_distribution(
    distribution: Distribution,
    config: Config,
    services: frozenset[str] | None = None,
    evidence: Evidence | None = None,
) -> Selection:
    """The files that ship of a distribution, and what each rule left out.

    botocore's gzip'd models ship without gzip's time stamp, which alone differs from release to release.

    A person's `keep` patterns win over everything but what an installer left, which would make the layer wrong; `drop`
    patterns take all but what is protected.

    Args:
        distribution: as it is installed.
        config: `[slim]`.
        services: the service models of botocore and boto3 that ship, None for all.
        evidence: what the rules that can be switched rest on; without it they take nothing.
    """
    keep = config.slim.keep.get(distribution.name, ())
    drop = config.slim.drop.get(distribution.name, ())
    always, switched = _taken(distribution, config, evidence or _NONE, with_evidence=evidence is not None)
    kept: list[InstalledFile] = []
    dropped: defaultdict[str, list[InstalledFile]] = defaultdict(list)
    for file in distribution.files:
        path = file.path
        taker = always.get(path)
        if taker is None and not any(fnmatchcase(path, p) for p in keep):
            if any(fnmatchcase(path, p) for p in drop) and not is_protected(path, distribution.info):
                taker = DROP_RULE
            elif services is not None and _is_other_service(path, distribution.name, services):
                taker = SERVICES_RULE
            else:
                taker = switched.get(path)
        if taker is None:
            kept.append(file)
        else:
            dropped[taker].append(file)
    if SERVICES_RULE in dropped:
        kept = saying_how_to_add(kept, config)
    if distribution.name == SERVICES_OWNER:
        kept = [replace(file, unstamped=True) if file.path.endswith(".gz") else file for file in kept]
    return Selection(
        name=distribution.name,
        version=distribution.version,
        files=tuple(kept),
        record=f"{distribution.info}/RECORD" if distribution.info.endswith(".dist-info") else None,
        dropped=_receipt(dropped),
    )


def _taken(
    distribution: Distribution, config: Config, evidence: Evidence, *, with_evidence: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """The rule that takes each path: of those that are always on, and of those that can be switched."""
    always: dict[str, str] = {}
    switched: dict[str, str] = {}
    for rule in RULES.values():
        if not rule.switchable:
            taken = always
        elif with_evidence and is_on(config, rule.name):
            taken = switched
        else:
            continue
        for path in rule.takes(distribution, evidence):
            if not (rule.switchable and is_protected(path, distribution.info)):
                taken.setdefault(path, rule.name)
    return always, switched


def pattern_warnings(distribution: Distribution, config: Config, selection: Selection) -> list[str]:
    """What a person's `drop` patterns would take and may not, or take at a risk."""
    patterns = config.slim.drop.get(distribution.name, ())
    if not patterns:
        return []
    shipped = {file.path for file in selection.files}
    warnings = [
        f"{distribution.name}: slim.drop.{distribution.name} matches {path}, which is read at run time or a licence: "
        "it ships all the same"
        for path in sorted(shipped)
        if is_protected(path, distribution.info) and any(fnmatchcase(path, p) for p in patterns)
    ]
    libraries = [p for d in selection.dropped if d.rule == DROP_RULE for p in d.paths if ".libs/" in p]
    if libraries and any(path.endswith(".so") for path in shipped):
        more = f" and {len(libraries) - 1} more" if len(libraries) > 1 else ""
        warnings.append(
            f"{distribution.name}: slim.drop.{distribution.name} takes {libraries[0]}{more}, which extension modules "
            "that ship may need: let `verify` load them"
        )
    return warnings


def _is_other_service(path: str, name: str, services: frozenset[str]) -> bool:
    """Whether the file is a service's model (`botocore/data/<service>/...`) and that service does not ship."""
    if name not in {"boto3", "botocore"}:
        return False
    parts = path.split("/", 3)
    return len(parts) > 3 and parts[:2] == [name, "data"] and parts[2] not in services  # noqa: PLR2004


_COMMITTED = ("layers/*/layer.lock", "layers/history.json", "layers/requirements-*.txt", "config/constraints-*.txt")
"""What `plan --write`, `history update` and `init` write, relative to the project."""


def select_source(function: FunctionConfig, files: tuple[InstalledFile, ...], config: Config) -> Selection:
    """The files of a function's own source that go into its zip.

    Left out are hidden files, bytecode, and what only the build reads; of the last, the function's `keep` patterns win.
    """
    build_only = _build_only(function.source, config)
    kept: list[InstalledFile] = []
    dropped: defaultdict[str, list[InstalledFile]] = defaultdict(list)
    for file in files:
        only = file.path in build_only or _is_ours(function.source, file.path)
        if only and not any(fnmatchcase(file.path, pattern) for pattern in function.keep):
            dropped["build-only"].append(file)
        elif any(part.startswith(".") for part in file.path.split("/")):
            dropped["hidden"].append(file)
        elif file.path.endswith((".pyc", ".pyo")) and "__pycache__" in file.path.split("/"):
            dropped["installed-bytecode"].append(file)
        else:
            kept.append(file)
    return Selection(name=function.name, version="", files=tuple(kept), record=None, dropped=_receipt(dropped))


def _build_only(source: str, config: Config) -> frozenset[str]:
    """Paths in a source folder that the configuration names as no code, of whichever function, and itself."""
    named = [config.path.resolve()]
    for function in config.function:
        requirements = config.root / function.requirements
        named += [requirements, requirements.with_suffix(".in")]
        named += [config.root / function.policy] if function.policy else []
    folder = config.root / source
    return frozenset(path.relative_to(folder).as_posix() for path in named if path.is_relative_to(folder))


def _is_ours(source: str, path: str) -> bool:
    """Whether it is what this tool commits, where a source folder has that in it: each plan would change the code."""
    place = PurePosixPath(os.path.normpath(PurePosixPath(source, path)))
    return any(place.match(pattern) and len(place.parts) == pattern.count("/") + 1 for pattern in _COMMITTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Paths that two distributions own: those of `keeper` ship; `differing` are those that `other` has otherwise."""

    keeper: str
    other: str
    paths: tuple[str, ...]
    differing: tuple[str, ...]

    def __str__(self) -> str:
        first, count = self.paths[0], len(self.paths)
        what = f"{first} and {count - 1} more paths" if count > 1 else first
        told = f"{self.keeper} and {self.other} both own {what}; "
        if not self.differing:
            return f"{told}what they share ships once, with {self.keeper}"
        how = f"{len(self.differing)} of {count} differ" if count > 1 else "it differs"
        return f"{told}{how} and only {self.keeper}'s can ship: install one of the two"


def without_shared(selections: list[Selection]) -> tuple[list[Selection], list[Shared]]:
    """A path that several distributions own ships once, with the first of them by name.

    Returns the selections, and what each two of them share. Whether a file differs is told by RECORD's hashes, or else
    by its bytes' count: of two distributions that were installed into one folder, the disk has only one's.
    """
    owner: dict[str, tuple[str, InstalledFile]] = {}
    shared: defaultdict[tuple[str, str], list[tuple[InstalledFile, InstalledFile]]] = defaultdict(list)
    alone = []
    for selection in sorted(selections, key=lambda s: s.name):
        twice = []
        for file in selection.files:
            keeper, first = owner.setdefault(file.path, (selection.name, file))
            if keeper != selection.name:
                twice.append(file)
                shared[keeper, selection.name].append((first, file))
        if twice:
            taken = {file.path for file in twice}
            selection = replace(  # noqa: PLW2901
                selection,
                files=tuple(file for file in selection.files if file.path not in taken),
                dropped=(*selection.dropped, *_receipt({"shared-path": twice})),
            )
        alone.append(selection)
    return alone, [
        Shared(
            keeper=keeper,
            other=other,
            paths=tuple(sorted(first.path for first, _ in pairs)),
            differing=tuple(sorted(first.path for first, second in pairs if _differ(first, second))),
        )
        for (keeper, other), pairs in sorted(shared.items())
    ]


def _differ(one: InstalledFile, other: InstalledFile) -> bool:
    if one.recorded and other.recorded:
        return one.recorded != other.recorded
    return one.bytes != other.bytes


def _receipt(dropped: dict[str, list[InstalledFile]]) -> tuple[Dropped, ...]:
    return tuple(
        Dropped(
            rule=rule,
            files=len(files),
            bytes=sum(file.bytes for file in files),
            paths=tuple(sorted(file.path for file in files)),
        )
        for rule, files in sorted(dropped.items())
    )
