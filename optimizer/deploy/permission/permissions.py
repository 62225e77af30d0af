"""Which IAM action each call to AWS needs, on what, and for which command: a table that policies are made from.

Actions and the resources that they are limited by are those of AWS's Service Authorization Reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Part = Literal[
    "deploy",
    "publish",
    "rollback",
    "bucket",
    "lease",
    "ssm",
    "adopt",
    "canary",
    "status",
    "consumers",
    "roll",
    "prune",
    "versions",
]
"""A command, or what an option or a table of the configuration adds to it; `versions` is `prune --versions`."""
PARTS: tuple[Part, ...] = get_args(Part)

Kind = Literal[
    "anything",
    "function",
    "function-version",
    "function-with-url",
    "function-without-url",
    "public-function",
    "private-function",
    "tagged-function",
    "checked-version",
    "any-function",
    "any-function-version",
    "event-source",
    "layer",
    "layer-version",
    "shared-layer-version",
    "attached-layer-version",
    "any-layer-version",
    "passed-role",
    "made-role",
    "made-role-logs",
    "made-role-with-policy",
    "made-role-without-policy",
    "zip",
    "zip-listing",
    "zip-bucket",
    "lease",
    "lease-bucket",
    "parameter",
    "any-bucket",
    "any-rule",
    "any-topic",
]
"""What an action is limited to. `any-` ones are of the region and not of the configuration; `anything` is where the
service knows no resources, so that such an action can't be limited."""
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """That a call, by botocore's name of its operation, needs an action on a kind of resource in some parts."""

    operation: str
    action: str
    kind: Kind
    parts: frozenset[Part]


def _rows(kind: Kind, *rows: tuple[str, str, str]) -> tuple[Need, ...]:
    """Rows of the table: an operation, its action (with the operation's own name where it is `service:`), its parts."""
    found = []
    for operation, action, parts in rows:
        named = frozenset(part for part in PARTS if part in parts.split())
        if len(named) != len(parts.split()):
            raise ValueError(f"{operation}: {parts} has a part that is none")
        full = action + operation if action.endswith(":") else action
        found.append(Need(operation=operation, action=full, kind=kind, parts=named))
    return tuple(found)


NEEDS: tuple[Need, ...] = (
    *_rows(
        "anything",
        ("ListFunctions", "lambda:", "consumers roll prune"),
        ("ListLayerVersions", "lambda:", "deploy publish consumers roll prune"),
        ("ListEventSourceMappings", "lambda:", "deploy status roll versions"),
        ("GetAccountSettings", "lambda:", "prune"),
        ("GetMetricData", "cloudwatch:", "canary versions"),
    ),
    *_rows(
        "function",
        ("GetFunction", "lambda:", "deploy rollback status versions"),
        ("GetAlias", "lambda:", "deploy rollback"),
        ("GetFunctionUrlConfig", "lambda:", "deploy rollback status"),
        ("GetPolicy", "lambda:", "deploy status versions"),
        ("ListAliases", "lambda:", "deploy status versions"),
        ("ListVersionsByFunction", "lambda:", "rollback status"),
        ("ListProvisionedConcurrencyConfigs", "lambda:", "deploy rollback status versions"),
        ("CreateFunction", "lambda:", "deploy"),
        ("UpdateFunctionCode", "lambda:", "deploy"),
        ("UpdateFunctionConfiguration", "lambda:", "deploy"),
        ("PublishVersion", "lambda:", "deploy"),
        ("CreateAlias", "lambda:", "deploy"),
        ("UpdateAlias", "lambda:", "deploy rollback"),
        ("AddPermission", "lambda:", "adopt"),
        ("RemovePermission", "lambda:", "adopt"),
        ("GetFunction", "lambda:ListTags", "deploy status"),  # without it the answer leaves the tags out
        ("UntagResource", "lambda:", "deploy"),
    ),
    *_rows(
        "tagged-function",
        ("TagResource", "lambda:", "deploy"),
        ("CreateFunction", "lambda:TagResource", "deploy"),
    ),
    *_rows("checked-version", ("Invoke", "lambda:InvokeFunction", "deploy rollback")),
    *_rows("function-version", ("DeleteFunction", "lambda:", "versions")),
    *_rows(
        "function-with-url",
        ("CreateFunctionUrlConfig", "lambda:", "deploy"),
        ("UpdateFunctionUrlConfig", "lambda:", "deploy"),
    ),
    *_rows("function-without-url", ("DeleteFunctionUrlConfig", "lambda:", "deploy")),
    *_rows("public-function", ("AddPermission", "lambda:", "deploy")),
    *_rows("private-function", ("RemovePermission", "lambda:", "deploy")),
    *_rows(
        "any-function",
        ("ListAliases", "lambda:", "consumers roll"),
        ("ListVersionsByFunction", "lambda:", "prune"),
        ("GetFunction", "lambda:", "roll"),
        ("GetAlias", "lambda:", "roll"),
        ("GetFunctionUrlConfig", "lambda:", "roll"),
        ("GetPolicy", "lambda:", "roll"),
        ("UpdateFunctionConfiguration", "lambda:", "roll"),
        ("PublishVersion", "lambda:", "roll"),
        ("UpdateAlias", "lambda:", "roll"),
    ),
    *_rows("any-function-version", ("Invoke", "lambda:InvokeFunction", "roll")),
    *_rows("event-source", ("UpdateEventSourceMapping", "lambda:", "adopt")),
    *_rows("layer", ("PublishLayerVersion", "lambda:", "deploy publish")),
    *_rows(
        "layer-version",
        ("GetLayerVersionPolicy", "lambda:", "prune"),
        ("DeleteLayerVersion", "lambda:", "prune"),
    ),
    *_rows(
        "shared-layer-version",
        ("GetLayerVersionPolicy", "lambda:", "deploy publish status"),
        ("AddLayerVersionPermission", "lambda:", "deploy publish"),
        ("RemoveLayerVersionPermission", "lambda:", "deploy publish"),
    ),
    *_rows(
        "attached-layer-version",
        ("GetLayerVersionByArn", "lambda:GetLayerVersion", "deploy rollback status prune"),
        # whoever attaches a layer has to be allowed to read it
        ("CreateFunction", "lambda:GetLayerVersion", "deploy"),
        ("UpdateFunctionConfiguration", "lambda:GetLayerVersion", "deploy"),
    ),
    *_rows(
        "any-layer-version",
        ("GetLayerVersionByArn", "lambda:GetLayerVersion", "roll"),
        ("UpdateFunctionConfiguration", "lambda:GetLayerVersion", "roll"),
    ),
    *_rows(
        "passed-role",
        ("CreateFunction", "iam:PassRole", "deploy"),
        ("UpdateFunctionConfiguration", "iam:PassRole", "deploy"),
    ),
    *_rows(
        "made-role",
        ("GetRole", "iam:", "deploy status"),
        ("GetRolePolicy", "iam:", "deploy status"),
        ("ListAttachedRolePolicies", "iam:", "deploy status"),
        ("CreateRole", "iam:", "deploy"),
    ),
    *_rows("made-role-logs", ("AttachRolePolicy", "iam:", "deploy")),
    *_rows("made-role-with-policy", ("PutRolePolicy", "iam:", "deploy")),
    *_rows("made-role-without-policy", ("DeleteRolePolicy", "iam:", "deploy")),
    *_rows(
        "zip",
        ("PutObject", "s3:", "bucket"),
        ("CreateMultipartUpload", "s3:PutObject", "bucket"),
        ("UploadPart", "s3:PutObject", "bucket"),
        ("CompleteMultipartUpload", "s3:PutObject", "bucket"),
        ("AbortMultipartUpload", "s3:", "bucket"),
        ("DeleteObject", "s3:", "bucket"),
        # Lambda reads the zip on behalf of whoever sends it there
        ("PublishLayerVersion", "s3:GetObject", "bucket"),
        ("CreateFunction", "s3:GetObject", "bucket"),
        ("UpdateFunctionCode", "s3:GetObject", "bucket"),
    ),
    *_rows("zip-listing", ("ListObjectsV2", "s3:ListBucket", "bucket")),
    *_rows("zip-bucket", ("ListMultipartUploads", "s3:ListBucketMultipartUploads", "bucket")),
    *_rows(
        "lease",
        ("GetObject", "s3:", "lease"),
        ("PutObject", "s3:", "lease"),
        ("DeleteObject", "s3:", "lease"),
    ),
    # without it S3 says of an object that is not there that it may not be read
    *_rows("lease-bucket", ("GetObject", "s3:ListBucket", "lease")),
    *_rows("parameter", ("GetParameters", "ssm:", "ssm"), ("PutParameter", "ssm:", "ssm")),
    *_rows("any-bucket", ("GetBucketNotificationConfiguration", "s3:GetBucketNotification", "adopt")),
    *_rows("any-rule", ("ListTargetsByRule", "events:", "adopt")),
    *_rows("any-topic", ("ListSubscriptionsByTopic", "sns:", "adopt")),
)
"""Everything that this project calls; an operation stands in several rows where it needs several actions."""


def action_of(operation: str) -> str:
    """The action that has an operation's name in a policy, as `service:Action`: the one that its denial is about.

    An operation that is not in the table is taken for one of Lambda's, whose actions mostly have their operations'
    names.
    """
    return next((need.action for need in NEEDS if need.operation == operation), f"lambda:{operation}")


def operations_of(parts: frozenset[Part]) -> frozenset[str]:
    """The operations that those parts call."""
    return frozenset(need.operation for need in NEEDS if need.parts & parts)
