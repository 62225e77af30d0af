"""What is required → layers: by role, each with something in it, and no more of them than their bytes deserve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer import limits
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_AWS = frozenset({"aioboto3", "aiobotocore", "boto3", "botocore", "s3fs", "s3transfer"})
_AWS_PREFIXES = ("aws-", "amazon-", "boto3-")
_WEB = frozenset(
    {
        *("apig-wsgi", "bottle", "chalice", "connexion", "django", "djangorestframework", "falcon", "fastapi", "flask"),
        *("litestar", "mangum", "pydantic", "pydantic-settings", "quart", "sanic", "serverless-wsgi", "starlette"),
        *("strawberry-graphql", "werkzeug"),
    }
)
_NUMERIC = frozenset(
    {
        *("catboost", "duckdb", "geopandas", "lightgbm", "matplotlib", "numba", "numpy", "onnxruntime"),
        *("opencv-python-headless", "pandas", "polars", "pyarrow", "scikit-image", "scikit-learn", "scipy", "shapely"),
        *("statsmodels", "tokenizers", "torch", "xgboost"),
    }
)
REST = "utilities"
ROLES = ("aws-core", "web-framework", "numeric", REST)
SMALL_LAYER = 1 << 20
"""A layer of fewer installed bytes joins the rest: to publish it apart saves less than a deploy's code weighs."""
SMALL_STACK = 6 << 20
"""Fewer installed bytes than this are one layer: all of them together are sent in a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What one distribution weighs, `bytes`, and the names that it requires."""

    bytes: int
    requires: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One layer: its name, its roots (none: it takes the rest), and why it is there."""

    name: str
    roots: tuple[str, ...]
    why: str


def role_of(name: str) -> str:
    """The role of a distribution that a person chose, by its normalised name."""
    if name in _AWS or name.startswith(_AWS_PREFIXES):
        return "aws-core"
    if name in _WEB or name.startswith(("django-", "flask-", "fastapi-")):
        return "web-framework"
    return "numeric" if name in _NUMERIC else REST


def propose(
    direct: Iterable[str],
    weights: Mapping[str, Weight],
    measure: str,
    *,
    packed: bool = False,
    most: int = limits.LAYERS,
) -> tuple[Proposal, ...]:
    """The layers for what is required, in attach order; at least one.

    Args:
        direct: normalised names that a person chose.
        weights: of everything in reach of them, where known; empty where not.
        measure: what the bytes are, in words (`installed`).
        packed: whether they are those of wheels, which unpack to about three times as many.
        most: how many layers there may be.
    """
    found = _by_role(direct, weights, measure, 3 if packed else 1)
    if len(found) <= most:
        return found
    why = f"takes the rest: layers of others leave room for {most}"
    return (*found[: most - 1], Proposal(name=REST, roots=(), why=why))


def _by_role(direct: Iterable[str], weights: Mapping[str, Weight], measure: str, packing: int) -> tuple[Proposal, ...]:
    """A layer for each role that has something, those of few bytes joined."""
    small_layer = SMALL_LAYER // packing
    names = sorted(set(direct))
    by_role = {role: [name for name in names if role_of(name) == role] for role in ROLES}
    known = bool(weights) and all(name in weights for name in names)
    reached = _reached(by_role, weights)
    total = sum(weight.bytes for weight in weights.values()) if known else 0
    if known and total < SMALL_STACK // packing:
        weight = f"{_count(len(weights))}, {human_bytes(total)} {measure}"
        why = f"all in one: {weight}; two layers would save next to nothing"
        return (Proposal(name=REST, roots=(), why=why),)
    small = {role for role in ROLES[:-1] if known and reached[role] < small_layer and by_role[role]}
    rest = by_role[REST] + [name for role in small for name in by_role[role]]
    found = [
        Proposal(
            name=role,
            roots=tuple(by_role[role]),
            why=f"with what they require {human_bytes(reached[role])} {measure}" if known else "bytes not known here",
        )
        for role in ROLES[:-1]
        if by_role[role] and role not in small
    ]
    if not rest:
        return tuple(found) or (Proposal(name=REST, roots=(), why="nothing is required yet"),)
    if known and found and reached[REST] + sum(reached[role] for role in small) < small_layer:
        return _joined(found, rest, small_layer)
    why = f"takes the rest: {_some(rest)}"
    if small:
        why += f" ({' and '.join(sorted(small))} would have less than {human_bytes(small_layer)})"
    return (*found, Proposal(name=REST, roots=(), why=why))


def _joined(found: list[Proposal], rest: list[str], small_layer: int) -> tuple[Proposal, ...]:
    """A rest that is no layer's worth goes where the plan puts it: the last layer, before there is a history."""
    last = found[-1]
    why = f"{last.why}; the rest, {_some(rest)}, has less than {human_bytes(small_layer)} and no layer of its own"
    return (*found[:-1], Proposal(name=last.name, roots=last.roots, why=why))


def _reached(by_role: Mapping[str, list[str]], weights: Mapping[str, Weight]) -> dict[str, int]:
    """The bytes in reach of each role's names, each distribution counted where it is reached first."""
    seen: set[str] = set()
    found = {}
    for role in ROLES:
        pending, own = list(by_role[role]), 0
        while pending:
            name = pending.pop()
            if name not in seen and name in weights:
                seen.add(name)
                own += weights[name].bytes
                pending += weights[name].requires
        found[role] = own
    return found


def _some(names: list[str], most: int = 4) -> str:
    chosen = sorted(names)
    return ", ".join(chosen[:most]) + (f" and {len(chosen) - most} more" if len(chosen) > most else "")


def _count(number: int) -> str:
    return "1 distribution" if number == 1 else f"{number} distributions"
