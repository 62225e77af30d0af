"""What the API model says of parameters beyond their types: lengths, ranges, patterns, enumerations."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, MapShape, StructureShape
from botocore.validate import ParamValidator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.model import Shape


class AnswerValidator(ParamValidator):  # type: ignore[misc]  # botocore has no types
    """Types and members of an answer; not the lengths of its strings, since addresses here are shorter than AWS's."""

    def _validate_string(self, param: object, shape: Shape, errors: Any, name: str) -> None:
        del shape
        if not isinstance(param, str):
            errors.report(name, "invalid type", param=param, valid_types=[str])


def violations(parameters: Mapping[str, Any], shape: StructureShape) -> str | None:
    """The service's text for parameters that do not satisfy the model, or None where all do.

    Clients check required members and types; these constraints are the service's alone (botocore checks minima only).
    """
    found = list(_structure(parameters, shape, ""))
    if not found:
        return None
    count = "1 validation error" if len(found) == 1 else f"{len(found)} validation errors"
    return f"{count} detected: " + "; ".join(found)


def _structure(value: Mapping[str, Any], shape: StructureShape, place: str) -> Iterator[str]:
    for name, member in shape.members.items():
        if name in value:
            yield from _any(value[name], member, f"{place}{name[0].lower()}{name[1:]}")


def _any(value: Any, shape: Shape, place: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        yield from _structure(value, shape, f"{place}.")
    elif isinstance(shape, ListShape):
        yield from _range(value, len(value), shape, place, "length")
        for number, item in enumerate(value, 1):
            yield from _any(item, shape.member, f"{place}.{number}.member")
    elif isinstance(shape, MapShape):
        yield from _range(value, len(value), shape, place, "length")
        for key, item in value.items():
            yield from _any(key, shape.key, f"{place} key")
            yield from _any(item, shape.value, f"{place}.{key}.member")
    elif shape.type_name == "string":
        yield from _string(value, shape, place)
    elif shape.type_name in {"integer", "long", "double", "float"}:
        yield from _range(value, value, shape, place, "value")


def _string(value: str, shape: Shape, place: str) -> Iterator[str]:
    yield from _range(value, len(value), shape, place, "length")
    pattern = _compiled(shape.metadata.get("pattern", ""))
    if pattern is not None and not pattern.fullmatch(value):
        yield _failed(value, place, f"satisfy regular expression pattern: {pattern.pattern}")
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield _failed(value, place, f"satisfy enum value set: [{', '.join(allowed)}]")


def _range(value: Any, measure: float, shape: Shape, place: str, what: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and measure < low:
        yield _failed(value, place, f"have {what} greater than or equal to {low}")
    if high is not None and measure > high:
        yield _failed(value, place, f"have {what} less than or equal to {high}")


def _failed(value: Any, place: str, rule: str) -> str:
    return f"Value '{value}' at '{place}' failed to satisfy constraint: Member must {rule}"


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern, or None where there is none, or it is in Java's dialect and says nothing here."""
    try:
        return re.compile(pattern) if pattern else None
    except re.error:
        return None
