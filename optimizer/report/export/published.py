"""What `publish --format json` wrote: the layers by name, with their ARNs in each region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from optimizer.errors import UsageError

_MEND = "Give what `python -m optimizer publish --format json` wrote, of a run that ended well."


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedLayer:
    """Its ARN by region, and the SSM parameter that has it in each of them, where `publish --ssm` wrote one."""

    fingerprint: str
    arns: dict[str, str]
    parameter: str | None


def published_layers(document: Any, where: str) -> dict[str, PublishedLayer]:
    """The layers of the document.

    Args:
        document: the parsed JSON.
        where: what errors call it.

    Raises:
        UsageError: it is another document, tells of an error, or has a layer in some of its regions alone.
    """
    if not isinstance(document, dict) or document.get("schema") != 1 or not isinstance(document.get("layers"), list):
        raise UsageError(f"{where} is not what publish writes", mend=_MEND)
    if document.get("error"):
        raise UsageError(f"{where} tells of a publish that failed", mend=_MEND)
    found: dict[str, PublishedLayer] = {}
    for number, row in enumerate(document["layers"]):
        wrong = [
            key
            for key in ("name", "region", "arn", "fingerprint")
            if not isinstance(row, dict) or not isinstance(row.get(key), str)
        ]
        if wrong or not isinstance(row.get("parameter", ""), str):
            raise UsageError(f"{where}: layers[{number}].{wrong[0] if wrong else 'parameter'} is no text", mend=_MEND)
        name, region, arn = row["name"], row["region"], row["arn"]
        known = found.setdefault(
            name, PublishedLayer(fingerprint=row["fingerprint"], arns={}, parameter=row.get("parameter"))
        )
        if known.fingerprint != row["fingerprint"]:
            raise UsageError(f"{where}: layer {name!r} differs between its regions", mend=_MEND)
        known.arns[region] = arn
    regions = {region for one in found.values() for region in one.arns}
    for name, one in found.items():
        if missing := sorted(regions - one.arns.keys()):
            raise UsageError(f"{where}: layer {name!r} was not published in {', '.join(missing)}", mend=_MEND)
    return found
