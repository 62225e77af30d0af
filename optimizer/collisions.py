"""[pure] Finds what hides what: across layers, the function's code, the standard library and the runtime's own.

Layers merge physically in /opt, later ones over earlier ones; code comes before layers on sys.path, and both before
the standard library. So a file, a package or a distribution that is there twice hides another one, and the function
runs with what nobody chose. Copies with the same bytes are harmless and no finding.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from packaging.utils import canonicalize_name

from optimizer import limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from optimizer.models import Payload
    from optimizer.plan import LayerPlan

_INIT = "__init__."
_MODULES = (".py", ".pyc", ".so")
METADATA_FOLDER = re.compile(rf"({limits.LAYER_PREFIX}(lib/python3\.\d+/site-packages/)?)?(?P<info>[^/]+)\.dist-info")
"""A distribution's metadata folder; one further down is what some distribution vendors (setuptools/_vendor)."""
_HARMLESS = frozenset({"test"})
"""Python's own tests, which no function imports; distributions that ship a `test` of theirs hide nothing needed."""
_SDK = frozenset({"boto3", "botocore"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What one zip holds: `place` as in `layer aws-core` or `code of f`, each file's content hash by its path."""

    place: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision:
    """One thing that hides another: what, where, and what to do; `advice` may well be what somebody wants."""

    kind: Literal[
        "replaced-file", "two-versions", "hidden-package", "hidden-namespace", "hidden-stdlib", "pythonpath", "runtime"
    ]
    subject: str
    detail: str
    mend: str
    severity: Literal["fault", "advice"] = "fault"

    def __str__(self) -> str:
        return f"{self.subject}: {self.detail}; {self.mend}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A name in one folder on sys.path: its files by path below that folder, with content and place."""

    kind: Literal["package", "module", "namespace"]
    files: Mapping[str, tuple[str, str]]

    @property
    def places(self) -> str:
        return " and ".join(sorted({place for _, place in self.files.values()}))


def find_collisions(
    code: Listing, layers: Sequence[Listing], *, environment: Mapping[str, str], python: str
) -> tuple[Collision, ...]:
    """Everything that hides something in one function, sorted by kind and subject.

    Args:
        code: the function's own zip.
        layers: its layers in attach order.
        environment: the function's variables.
        python: the runtime's minor version, as in `3.11`.
    """
    folders = _folders(code, layers, python)
    found = [
        *_replaced(layers),
        *_versions((code, *layers)),
        *_hidden(folders, ""),
        *_hiding_stdlib(folders),
        *_runtime((code, *layers)),
    ]
    if "PYTHONPATH" in environment:
        found.append(
            Collision(
                kind="pythonpath",
                subject="PYTHONPATH",
                detail="the function sets it, and Lambda then adds no layer to sys.path",
                mend="take it out of the function's environment",
            )
        )
    return tuple(sorted(found, key=lambda c: (c.kind, c.subject, c.detail)))


def plan_collisions(plan: LayerPlan) -> tuple[Collision, ...]:
    """What hides something in any of the planned functions, each said once."""
    layers = [_planned(f"layer {layer.name}", [d.payload for d in layer.distributions]) for layer in plan.layers]
    found = (
        find_collisions(
            _planned(f"code of {function.config.name}", [function.payload]),
            layers,
            environment=function.config.environment,
            python=plan.target.lambda_runtime.version,
        )
        for function in plan.functions
    )
    return tuple(dict.fromkeys(collision for each in found for collision in each))


def _planned(place: str, payloads: Sequence[Payload]) -> Listing:
    """What a zip of those payloads will hold beside bytecode."""
    lines = (line.split("\0") for payload in payloads for line in payload.sources)
    return Listing(place=place, files={path: content for path, _, content in lines})


def _replaced(layers: Sequence[Listing]) -> Iterator[Collision]:
    """Files of one path and other bytes in two layers, told once for each pair of layers and top-level name."""
    last: dict[str, tuple[str, str]] = {}
    pairs: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for layer in layers:
        for path, content in layer.files.items():
            if _is_bytecode(path):
                continue
            before = last.get(path)
            if before and before[0] != content:
                top = "/".join(path.split("/")[:2])
                pairs[before[1], layer.place, top].append(path)
            last[path] = (content, layer.place)
    for (earlier, later, _), paths in pairs.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield Collision(
            kind="replaced-file",
            subject=min(paths),
            detail=f"it{more} in {later} replaces another of the same path in {earlier}",
            mend="ship one of the two distributions, or build both layers from one plan",
        )


def _versions(listings: Sequence[Listing]) -> Iterator[Collision]:
    """Distributions that are there in two versions."""
    found: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for listing in listings:
        for name, version in distributions(listing):
            found[name][version].add(listing.place)
    for name, versions in found.items():
        if len(versions) > 1:
            where = ", ".join(f"{version} in {' and '.join(sorted(at))}" for version, at in sorted(versions.items()))
            yield Collision(
                kind="two-versions",
                subject=name,
                detail=f"it is there in {len(versions)} versions: {where}",
                mend="ship one of them",
            )


def distributions(listing: Listing) -> set[tuple[str, str]]:
    """(name, version) of the distributions whose metadata the listing holds where Python looks for it."""
    folders = {path.rpartition("/")[0] for path in listing.files}
    infos = (match["info"] for match in map(METADATA_FOLDER.fullmatch, folders) if match)
    return {(canonicalize_name(name), version) for name, _, version in (info.partition("-") for info in infos)}


def _folders(code: Listing, layers: Sequence[Listing], python: str) -> tuple[dict[str, _Held], ...]:
    """What each folder on sys.path holds by top-level name, in sys.path's order."""
    site = f"{limits.LAYER_PREFIX}lib/python{python}/site-packages/"
    parts: tuple[dict[str, tuple[str, str]], ...] = ({}, {}, {})
    parts[0].update((path, (content, code.place)) for path, content in code.files.items())
    for layer in layers:
        for path, content in layer.files.items():
            if path.startswith(site):
                parts[1][path.removeprefix(site)] = (content, layer.place)
            elif path.startswith(limits.LAYER_PREFIX):
                parts[2][path.removeprefix(limits.LAYER_PREFIX)] = (content, layer.place)
    return tuple(_by_name(part) for part in parts)


def _by_name(files: Mapping[str, tuple[str, str]]) -> dict[str, _Held]:
    """The modules and packages that a folder holds, without its bytecode."""
    names: defaultdict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for path, fact in files.items():
        if not _is_bytecode(path):
            names[path.split("/", 1)[0].split(".", 1)[0]][path] = fact
    found = {}
    for name, own in names.items():
        if name.isidentifier() and (kind := _kind(name, own)):
            found[name] = _Held(kind=kind, files={p: f for p, f in own.items() if _belongs(p, name, kind)})
    return found


def _kind(name: str, paths: Mapping[str, object]) -> Literal["package", "module", "namespace"] | None:
    """What Python takes a name in one folder for: a package before a module before a namespace's portion."""
    if any(path.startswith(f"{name}/{_INIT}") for path in paths):
        return "package"
    if any("/" not in path and path.endswith(_MODULES) for path in paths):
        return "module"
    inside = any(path.startswith(f"{name}/") and path.endswith(_MODULES) for path in paths)
    return "namespace" if inside else None


def _belongs(path: str, name: str, kind: str) -> bool:
    return "/" not in path if kind == "module" else path.startswith(f"{name}/")


def _hidden(folders: Sequence[Mapping[str, _Held]], inside: str) -> Iterator[Collision]:
    """Packages and modules of one folder on sys.path that another folder's hides."""
    for name in sorted({name for folder in folders for name in folder}):
        held = [folder[name] for folder in folders if name in folder]
        if len(held) == 1:
            continue
        dotted = f"{inside}{name}"
        winner = next((each for each in held if each.kind != "namespace"), None)
        if winner is None:  # portions of one namespace: Python finds all of them
            yield from _hidden([_by_name(_below(each, name)) for each in held], f"{dotted}.")
            continue
        for loser in held:
            if loser is winner or loser.files.items() <= winner.files.items() or _same(loser, winner):
                continue
            what = f"the {winner.kind} in {winner.places} hides the {loser.kind} in {loser.places} whole"
            yield Collision(
                kind="hidden-namespace" if loser.kind == "namespace" else "hidden-package",
                subject=dotted,
                detail=f"{what}: Python looks no further, and what is only there can't be imported",
                mend="rename one, keep both in one zip, or take the __init__.py out where it is a namespace's"
                if loser.kind == "namespace"
                else "rename one of them, or ship them in one zip",
            )


def _same(loser: _Held, winner: _Held) -> bool:
    """Whether all that is hidden is there as well, to the byte."""
    known = {path: content for path, (content, _) in winner.files.items()}
    return all(known.get(path) == content for path, (content, _) in loser.files.items())


def _below(held: _Held, name: str) -> dict[str, tuple[str, str]]:
    return {path.removeprefix(f"{name}/"): fact for path, fact in held.files.items()}


def _hiding_stdlib(folders: Sequence[Mapping[str, _Held]]) -> Iterator[Collision]:
    """Modules that have the name of one of the standard library; folders without __init__.py hide nothing."""
    for folder in folders:
        for name, held in folder.items():
            if held.kind == "namespace" or name not in sys.stdlib_module_names or name in _HARMLESS:
                continue
            first = name in sys.builtin_module_names
            effect = "the built-in one comes first, and this one is never imported" if first else "it hides that one"
            yield Collision(
                kind="hidden-stdlib",
                subject=name,
                detail=f"the {held.kind} in {held.places} has the name of one of the standard library: {effect}",
                mend="rename it, or leave its distribution out",
            )


def _runtime(listings: Sequence[Listing]) -> Iterator[Collision]:
    """What ships of the runtime's own boto3's requirements, where boto3 itself is the runtime's."""
    ships = {name for listing in listings for name, _ in distributions(listing)}
    hiding = sorted(ships & limits.RUNTIME_DISTRIBUTIONS - _SDK)
    if hiding and not ships & _SDK:
        names = ", ".join(hiding)
        yield Collision(
            kind="runtime",
            subject=names,
            detail="the runtime's boto3 finds the layers' before its own, whose versions must suit it",
            mend="ship boto3 as well, or pin what suits the runtime's",
            severity="advice",
        )


def _is_bytecode(path: str) -> bool:
    return "__pycache__/" in path
