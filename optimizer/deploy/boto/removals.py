"""The port to AWS over boto3: what can go, who may still need it, and taking it away."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from optimizer.deploy.boto.listings import ListingAws
from optimizer.deploy.rejections import MISSING, CallRejectedError
from optimizer.deploy.values import CodeStorage

_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
"""CloudWatch's word for it, and Lambda's."""

_HOUR_SECONDS = 3600


class RemovalAws(ListingAws):
    """Versions of layers and functions, and the room that they take."""

    def shared_with(self, layer: str, version: int) -> tuple[str, ...] | None:
        """See Aws.shared_with."""
        try:
            with self._lambda(f"layer {layer}:{version}") as client:
                answer = client.get_layer_version_policy(LayerName=layer, VersionNumber=version)
        except CallRejectedError as error:
            if error.aws_code in MISSING:
                return ()
            if error.aws_code in _DENIED:
                return None
            raise
        statements = json.loads(answer["Policy"]).get("Statement", ())
        return tuple(f"{one.get('Sid', 'a statement')} for {_principal(one)}" for one in statements)

    def callers_of_version(self, function: str, version: str) -> tuple[str, ...]:
        """See Aws.callers_of_version."""
        found: list[str] = []
        with self._or_none(f"{function}:{version}") as client:
            document = json.loads(client.get_policy(FunctionName=function, Qualifier=version)["Policy"])
            found += [f"the permission {one.get('Sid', '')!r}" for one in document.get("Statement", ())]
        with self._lambda(f"{function}:{version}") as client:
            pages = client.get_paginator("list_event_source_mappings").paginate(FunctionName=f"{function}:{version}")
            found += [
                f"the event source {mapping.get('EventSourceArn', mapping['UUID'])}"
                for page in pages
                for mapping in page["EventSourceMappings"]
            ]
        return tuple(found)

    def calls_by_number(self, function: str, version: str, *, since: datetime) -> int | None:
        """See Aws.calls_by_number; calls through an alias are counted under the alias."""
        query = {
            "Id": "calls",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": "Invocations",
                    "Dimensions": [
                        {"Name": "FunctionName", "Value": function},
                        {"Name": "Resource", "Value": f"{function}:{version}"},
                    ],
                },
                "Period": _HOUR_SECONDS,
                "Stat": "Sum",
            },
        }
        try:
            with self._about(f"the metrics of {function}:{version}"):
                pages = (
                    self.clients.client("cloudwatch", self.region)
                    .get_paginator("get_metric_data")
                    .paginate(
                        MetricDataQueries=[query], StartTime=since, EndTime=datetime.now(UTC) + timedelta(minutes=1)
                    )
                )
                return int(sum(sum(row["Values"]) for page in pages for row in page["MetricDataResults"]))
        except CallRejectedError as error:
            if error.aws_code in _DENIED:
                return None
            raise

    def code_storage(self) -> CodeStorage:
        """See Aws.code_storage."""
        with self._lambda("the account's settings") as client:
            answer = client.get_account_settings()
        return CodeStorage(
            used_bytes=answer["AccountUsage"]["TotalCodeSize"], limit_bytes=answer["AccountLimit"]["TotalCodeSize"]
        )

    def delete_layer_version(self, layer: str, version: int) -> None:
        """See Aws.delete_layer_version."""
        with self._or_none(f"layer {layer}:{version}") as client:
            client.delete_layer_version(LayerName=layer, VersionNumber=version)

    def delete_version(self, function: str, version: str) -> None:
        """See Aws.delete_version."""
        with self._or_none(f"{function}:{version}") as client:
            client.delete_function(FunctionName=function, Qualifier=version)


def _principal(statement: dict[str, object]) -> str:
    """Whom a statement lets in, as its policy has it."""
    principal = statement.get("Principal")
    name = principal.get("AWS", principal) if isinstance(principal, dict) else principal
    condition = json.dumps(statement["Condition"], sort_keys=True) if "Condition" in statement else ""
    return f"{name} {condition}".strip()
