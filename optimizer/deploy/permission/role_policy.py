"""The policy of a function's role, and how it compares with the AWS services that code makes clients for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from optimizer.inventory.clients import ClientCalls

_OTHER_PREFIXES = {
    "cloudcontrol": "cloudformation",
    "cloudwatch": "cloudwatch",
    "iot-data": "iot",
    "iot-jobs-data": "iot",
    "iotsecuretunneling": "iot",
    "mturk": "mechanicalturk",
    "resourcegroupstaggingapi": "tag",
    "sso": "sso",
}
"""Services whose actions do not begin with the name that requests to them are signed for (Service Authorization
Reference)."""
FOR_ANYBODY = frozenset({"sts"})
"""Services that answer without any permission what code mostly asks them: GetCallerIdentity."""
OF_THE_RUNTIME = frozenset({"ec2", "kms", "logs", "xray"})
"""What Lambda itself does with the role, where a function has a VPC, a key, logs or traces: no client shows that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """That clients of a service are made; `prefix` begins its actions, None where the SDK does not know the service."""

    service: str
    prefix: str | None
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What code uses against what a policy allows.

    `denied` are uses without any allowed action, `idle` prefixes of allowed actions for which no client is made,
    `unknown` places where it can't be told of which service a client is, or which service it is.
    """

    uses: tuple[Use, ...]
    denied: tuple[Use, ...]
    idle: tuple[str, ...]
    unknown: tuple[str, ...]


def prefix_of(service: str) -> str | None:
    """What a service's actions begin with, by its name in the SDK; None where the SDK has no such service."""
    if service in _OTHER_PREFIXES:
        return _OTHER_PREFIXES[service]
    from botocore.exceptions import UnknownServiceError
    from botocore.loaders import create_loader

    try:
        metadata = create_loader().load_service_model(service, "service-2")["metadata"]
    except UnknownServiceError:
        return None
    return str(metadata.get("signingName", metadata["endpointPrefix"]))


def allowed_prefixes(document: Mapping[str, Any]) -> frozenset[str]:
    """What the actions begin with that a policy allows some of; `*` where it allows all services'."""
    found: set[str] = set()
    for statement in _listed(document.get("Statement", ())):
        if statement.get("Effect") != "Allow":
            continue
        if "NotAction" in statement:
            found.add("*")
        found |= {str(action).partition(":")[0].lower() for action in _listed(statement.get("Action", ()))}
    return frozenset(found)


def compare(document: Mapping[str, Any] | None, calls: Mapping[str, ClientCalls]) -> Comparison:
    """Compare a policy, or none, with the clients that are made, by the place of each module."""
    places: dict[str, list[str]] = {}
    for place, made in sorted(calls.items()):
        for name in made.names:
            places.setdefault(name, []).append(place)
    uses = tuple(Use(service=name, prefix=prefix_of(name), places=tuple(places[name])) for name in sorted(places))
    allowed = allowed_prefixes(document or {})
    used = {use.prefix for use in uses}
    lines = [f"{place}:{line}" for place, made in sorted(calls.items()) for line in made.unknown_lines]
    return Comparison(
        uses=uses,
        denied=tuple(use for use in uses if use.prefix is not None and not {use.prefix, "*"} & (allowed | FOR_ANYBODY)),
        idle=tuple(sorted(allowed - used - OF_THE_RUNTIME - {"*"})),
        unknown=(*lines, *(f"{use.service} at {', '.join(use.places)}" for use in uses if use.prefix is None)),
    )


def _listed(value: Any) -> Iterable[Any]:
    """IAM lets a single element stand without its list."""
    return value if isinstance(value, list | tuple) else (value,)
