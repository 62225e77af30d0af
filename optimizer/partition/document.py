"""Problems and partitions as JSON documents: for `plan --problem`, the cache of solved problems, and committed stacks.

With the problem and an assignment anybody can compute the cost again: the sum over the scenarios of the weight times
the sum, over the layers that hold an item of the scenario, of `publish_bytes` and the zipped bytes of all that is in
the layer.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from optimizer.partition.problem import Certificate, Item, Partition, Problem, Stability

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
ENGINE = 6
"""Raised when the same problem may get another answer, so that cached ones are not taken."""


def problem_document(problem: Problem) -> dict[str, Any]:
    """The problem, sorted, so that equal problems have equal documents."""
    return {
        "schema": SCHEMA,
        "layers": problem.layers,
        "roles": list(problem.roles),
        "rest": problem.rest,
        "self_contained": list(problem.self_contained),
        "publish_bytes": problem.publish_bytes,
        "horizon_weeks": problem.horizon_weeks,
        "items": [
            {**asdict(item), "members": list(item.members), "requires": list(item.requires)}
            for item in sorted(problem.items, key=lambda item: item.name)
        ],
        "apart": sorted(sorted(names) for names in problem.apart),
        "scenarios": sorted(
            ({"weight": weight, "items": sorted(names)} for weight, names in problem.scenarios),
            key=lambda row: (row["items"], row["weight"]),
        ),
        "observed": [sorted(names) for names in problem.observed],
        "observed_years": problem.observed_years,
        "locked_layers": list(problem.locked_layers),
        "locked": dict(sorted(problem.locked.items())),
    }


def parse_problem(document: Mapping[str, Any]) -> Problem:
    """The problem that the document describes.

    Raises:
        ValueError: the document has another schema.
        KeyError: something is missing in it.
    """
    if document.get("schema") != SCHEMA:
        raise ValueError(f"schema {document.get('schema')!r} is not {SCHEMA}")
    return Problem(
        items=tuple(
            Item(**{**row, "members": tuple(row["members"]), "requires": tuple(row["requires"])})
            for row in document["items"]
        ),
        roles=tuple(document["roles"]),
        rest=document["rest"],
        layers=document["layers"],
        apart=tuple(tuple(names) for names in document["apart"]),
        self_contained=tuple(document["self_contained"]),
        scenarios=tuple((row["weight"], frozenset(row["items"])) for row in document["scenarios"]),
        observed=tuple(frozenset(names) for names in document["observed"]),
        observed_years=document.get("observed_years", 1.0),
        publish_bytes=document["publish_bytes"],
        locked=document["locked"],
        locked_layers=tuple(document["locked_layers"]),
        horizon_weeks=document["horizon_weeks"],
    )


def problem_hash(problem: Problem, **settings: float) -> str:
    """SHA-256 over the problem and what else decides the answer."""
    text = json.dumps([ENGINE, problem_document(problem), settings], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def partition_text(partition: Partition) -> str:
    """The partition as `parse_partition` reads it."""
    return json.dumps(asdict(partition), separators=(",", ":"))


def parse_partition(text: str) -> Partition:
    """The partition that `partition_text` wrote.

    Raises:
        ValueError, KeyError, TypeError: it wrote something else.
    """
    row = json.loads(text)
    stability = row["stability"]
    return Partition(
        layers=tuple((name, role) for name, role in row["layers"]),
        assignment=row["assignment"],
        reasons=row["reasons"],
        certificate=Certificate(**row["certificate"]),
        stability=Stability(**{**stability, "moves": tuple((a, b, c) for a, b, c in stability["moves"])}),
        alternatives=row["alternatives"],
    )


def certificates_text(found: Mapping[int, Certificate]) -> str:
    """A frontier as `parse_certificates` reads it."""
    return json.dumps({str(count): asdict(certificate) for count, certificate in sorted(found.items())})


def parse_certificates(text: str) -> dict[int, Certificate]:
    """The frontier that `certificates_text` wrote.

    Raises:
        ValueError, TypeError: it wrote something else.
    """
    return {int(count): Certificate(**row) for count, row in json.loads(text).items()}
