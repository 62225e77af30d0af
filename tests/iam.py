"""IAM, as far as the policies here use it: the grammar of a policy document, and whether it allows a request."""

import re
from fnmatch import fnmatchcase

_ACTION = re.compile(r"\*|[a-z0-9-]+:[A-Za-z*?]+")
_ARN = re.compile(r"\*|arn:(aws|aws-cn|aws-us-gov):[a-z0-9-]+:[a-z0-9-]*:(\d{12}|\*)?:.+")
_TESTS = {"StringEquals", "StringLike", "ArnEquals", "ArnLike", "Bool"}


def faults(document):
    """What of a document is not a policy's grammar (IAM user guide, "Grammar of the IAM JSON policy language")."""
    found = [f"key {key}" for key in document.keys() - {"Version", "Id", "Statement"}]
    if document.get("Version") != "2012-10-17":
        found.append("Version")
    statements = document.get("Statement")
    if not isinstance(statements, list) or not statements:
        return [*found, "Statement"]
    sids = [one["Sid"] for one in statements if "Sid" in one]
    if len(sids) != len(set(sids)):
        found.append("a Sid stands there twice")
    for one in statements:
        found += [f"key {key}" for key in one.keys() - {"Sid", "Effect", "Action", "Resource", "Condition"}]
        if not re.fullmatch(r"[A-Za-z0-9]+", one.get("Sid", "x")):
            found.append(f"Sid {one['Sid']}")
        if one.get("Effect") not in {"Allow", "Deny"}:
            found.append("Effect")
        for key, pattern in (("Action", _ACTION), ("Resource", _ARN)):
            values = one.get(key)
            if not isinstance(values, list) or not values or len(values) != len(set(values)):
                found.append(key)
                continue
            found += [f"{key} {value}" for value in values if not pattern.fullmatch(value)]
        for test, keys in one.get("Condition", {}).items():
            if test not in _TESTS or not keys:
                found.append(f"Condition {test}")
            found += [f"Condition key {key}" for key in keys if not re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", key)]
    return found


def allows(documents, action, resource, context=None):
    """Whether one of the documents has a statement for the action on the resource, under what the request says."""
    return any(
        any(_like(action, pattern) for pattern in one["Action"])
        and any(_like(resource, pattern) for pattern in one["Resource"])
        and all(
            key in (context or {}) and any(_like(context[key], value) for value in _listed(values))
            for keys in one.get("Condition", {}).values()
            for key, values in keys.items()
        )
        for document in documents
        for one in document["Statement"]
    )


def _like(text, pattern):
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _listed(values):
    return values if isinstance(values, list) else [values]
