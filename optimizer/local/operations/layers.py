"""Layers: published as immutable versions, read, listed, deleted, shared."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any

from optimizer import limits
from optimizer.local.conditions import INVALID, RESOURCE_MISSING, STALE_REVISION, STATEMENT_EXISTS
from optimizer.local.service import UNLOCKED, operation, page
from optimizer.local.state import ACCOUNT, LayerVersion, timestamp
from optimizer.local.uploads import receive

if TYPE_CHECKING:
    from optimizer.local.protocol import Call
    from optimizer.local.service import Lambda

UNLOCKED.add("PublishLayerVersion")  # large uploads side by side, and calls go on meanwhile
_FACTS = ("Description", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo")


def _summary(version: LayerVersion) -> dict[str, Any]:
    """What listings show: no hash, only the description."""
    return {
        "LayerVersionArn": version.arn,
        "Version": version.version,
        "CreatedDate": version.created,
        **{key: version.facts[key] for key in _FACTS if key in version.facts},
    }


def _whole(lam: Lambda, version: LayerVersion) -> dict[str, Any]:
    return {
        **_summary(version),
        "LayerArn": version.arn.rpartition(":")[0],
        "Content": {
            "Location": lam.content_url(version.blob.path),
            "CodeSha256": version.blob.code_sha256,
            "CodeSize": version.blob.zipped_bytes,
        },
    }


@operation
def publish_layer_version(lam: Lambda, call: Call) -> dict[str, Any]:
    """Each call makes a new version, whether anything changed or not."""
    given = call.parameters
    name = given["LayerName"].rpartition(":layer:")[2]
    if not re.fullmatch(limits.LAYER_NAME_PATTERN, name) or len(name) > limits.LAYER_NAME_LENGTH:
        raise INVALID.error(message=f"Value {name!r} at 'layerName' failed to satisfy constraint")
    region = lam.region(call)
    blob = receive(lam, region, given["Content"])
    with lam.state.lock:
        versions = region.layers.setdefault(name, [])
        number = versions[-1].version + 1 if versions else 1
        version = LayerVersion(
            arn=f"arn:aws:lambda:{region.name}:{ACCOUNT}:layer:{name}:{number}",
            version=number,
            blob=blob,
            facts={key: given[key] for key in _FACTS if key in given},
            created=timestamp(),
        )
        versions.append(version)
    return _whole(lam, version)


@operation
def get_layer_version(lam: Lambda, call: Call) -> dict[str, Any]:
    """One version, with where its zip is."""
    return _whole(lam, lam.region(call).layer(call.parameters["LayerName"], call.parameters["VersionNumber"]))


@operation
def get_layer_version_by_arn(lam: Lambda, call: Call) -> dict[str, Any]:
    """The same, by ARN."""
    found = lam.region(call).layer_version(call.parameters["Arn"])
    if found is None:
        raise RESOURCE_MISSING.error(message="The resource you requested does not exist.")
    return _whole(lam, found)


@operation
def list_layers(lam: Lambda, call: Call) -> dict[str, Any]:
    """Each layer's newest version."""
    rows = []
    for name, versions in sorted(lam.region(call).layers.items()):
        alive = [version for version in versions if not version.deleted and _compatible(version, call)]
        if alive:
            arn = alive[-1].arn.rpartition(":")[0]
            rows.append({"LayerName": name, "LayerArn": arn, "LatestMatchingVersion": _summary(alive[-1])})
    return page(rows, call, "Layers")


@operation
def list_layer_versions(lam: Lambda, call: Call) -> dict[str, Any]:
    """A layer's versions, newest first; of a layer that is not there, none."""
    name = call.parameters["LayerName"].rpartition(":layer:")[2]
    versions = lam.region(call).layers.get(name, [])
    rows = [_summary(v) for v in reversed(versions) if not v.deleted and _compatible(v, call)]
    return page(rows, call, "LayerVersions")


def _compatible(version: LayerVersion, call: Call) -> bool:
    runtime = call.parameters.get("CompatibleRuntime")
    architecture = call.parameters.get("CompatibleArchitecture")
    return (not runtime or runtime in version.facts.get("CompatibleRuntimes", ())) and (
        not architecture or architecture in version.facts.get("CompatibleArchitectures", ())
    )


@operation
def delete_layer_version(lam: Lambda, call: Call) -> dict[str, Any]:
    """Gone for readers; where it is attached it works on."""
    name = call.parameters["LayerName"].rpartition(":layer:")[2]
    for version in lam.region(call).layers.get(name, []):
        if version.version == call.parameters["VersionNumber"]:
            version.deleted = True
    return {}


@operation
def add_layer_version_permission(lam: Lambda, call: Call) -> dict[str, Any]:
    """Share one version; the next has to be shared anew."""
    given = call.parameters
    version = lam.region(call).layer(given["LayerName"], given["VersionNumber"])
    if given["StatementId"] in version.policy:
        raise STATEMENT_EXISTS.error(sid=given["StatementId"])
    if given.get("RevisionId") not in {None, version.policy_revision}:
        raise STALE_REVISION.error()
    principal = given["Principal"]
    statement: dict[str, Any] = {
        "Sid": given["StatementId"],
        "Effect": "Allow",
        "Principal": principal if principal == "*" else {"AWS": f"arn:aws:iam::{principal}:root"},
        "Action": given["Action"],
        "Resource": version.arn,
    }
    if "OrganizationId" in given:
        statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": given["OrganizationId"]}}
    version.policy[given["StatementId"]] = statement
    version.policy_revision = str(uuid.uuid4())
    return {"Statement": json.dumps(statement), "RevisionId": version.policy_revision}


@operation
def get_layer_version_policy(lam: Lambda, call: Call) -> dict[str, Any]:
    """Whom one version is shared with."""
    version = lam.region(call).layer(call.parameters["LayerName"], call.parameters["VersionNumber"])
    if not version.policy:
        raise RESOURCE_MISSING.error(message="No policy is associated with the given resource.")
    document = {"Version": "2012-10-17", "Id": "default", "Statement": list(version.policy.values())}
    return {"Policy": json.dumps(document), "RevisionId": version.policy_revision}


@operation
def remove_layer_version_permission(lam: Lambda, call: Call) -> dict[str, Any]:
    """Share it no longer."""
    version = lam.region(call).layer(call.parameters["LayerName"], call.parameters["VersionNumber"])
    if version.policy.pop(call.parameters["StatementId"], None) is None:
        raise RESOURCE_MISSING.error(
            message=f"Statement {call.parameters['StatementId']} is not found in resource policy."
        )
    version.policy_revision = str(uuid.uuid4())
    return {}
