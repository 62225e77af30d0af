"""The port to AWS over boto3: who calls `$LATEST`, by what right, and how they come to call the alias."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from optimizer.deploy.boto.listings import ListingAws
from optimizer.deploy.planning.callers import (
    FOLLOWS,
    CallingAlias,
    CallingPermission,
    CallingSource,
    CallingUrl,
    Surroundings,
)
from optimizer.deploy.planning.statements import Statement
from optimizer.deploy.rejections import CallRejectedError
from optimizer.deploy.values import ALIAS, LATEST, Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from optimizer.deploy.planning.callers import Caller
    from optimizer.deploy.planning.statements import Permission


class CallerAws(ListingAws):
    """URLs, permissions and event sources in one region."""

    def url(self, function: str, qualifier: str | None) -> Url | None:
        """See Aws.url."""
        with self._or_none(named(function, qualifier)) as client:
            return url_of(client.get_function_url_config(**qualified(function, qualifier)))
        return None

    def policy(self, function: str, qualifier: str | None) -> tuple[Statement, ...]:
        """See Aws.policy."""
        with self._or_none(named(function, qualifier)) as client:
            document = json.loads(client.get_policy(**qualified(function, qualifier))["Policy"])
            return tuple(Statement(sid=one.get("Sid", ""), document=one) for one in document.get("Statement", ()))
        return ()

    def grant(self, function: str, qualifier: str, statement: str, permission: Permission) -> None:
        """See Aws.grant."""
        given: dict[str, Any] = {
            "SourceArn": permission.source_arn,
            "SourceAccount": permission.source_account,
            "PrincipalOrgID": permission.organization,
            "EventSourceToken": permission.event_source_token,
            "FunctionUrlAuthType": permission.url_auth,
            "InvokedViaFunctionUrl": permission.via_url_only,
        }
        with self._lambda(named(function, qualifier)) as client:
            client.add_permission(
                **qualified(function, qualifier),
                StatementId=statement,
                Principal=permission.principal,
                Action=permission.action,
                **{key: value for key, value in given.items() if value},
            )

    def revoke(self, function: str, qualifier: str | None, statement: str) -> None:
        """See Aws.revoke."""
        with self._or_none(named(function, qualifier)) as client:
            client.remove_permission(**qualified(function, qualifier), StatementId=statement)

    def callers_of_latest(self, function: str) -> tuple[Caller, ...]:
        """See Aws.callers_of_latest."""
        found: list[Caller] = []
        url = self.url(function, None)
        if url is not None:
            found.append(CallingUrl(url=url))
        found += [CallingPermission(statement=statement) for statement in self.policy(function, None)]
        found += [
            CallingSource(identifier=mapping["UUID"], source=mapping.get("EventSourceArn", ""))
            for mapping in self._mappings(function)
            if mapping["FunctionArn"].endswith(f":function:{function}")  # those of an alias end in its name
        ]
        found += [
            CallingAlias(
                name=alias.name,
                revision=alias.revision,
                description=alias.description,
                waits=alias.version != LATEST,
            )
            for alias in self.aliases(function)
            if alias.version == LATEST or alias.description.endswith(FOLLOWS)
        ]
        return tuple(found)

    def sources_of_latest(self) -> dict[str, tuple[CallingSource, ...]]:
        """See Aws.sources_of_latest."""
        found: dict[str, list[CallingSource]] = {}
        with self._lambda("the event sources") as client:
            for page in client.get_paginator("list_event_source_mappings").paginate():
                for mapping in page["EventSourceMappings"]:
                    name, *qualifier = mapping["FunctionArn"].split(":")[6:]
                    if not qualifier:
                        source = CallingSource(identifier=mapping["UUID"], source=mapping.get("EventSourceArn", ""))
                        found.setdefault(name, []).append(source)
        return {name: tuple(sources) for name, sources in found.items()}

    def surroundings(self, function: str, sources: Sequence[str]) -> Surroundings:
        """See Aws.surroundings."""
        targets = {source: self._targets(source) for source in sorted(set(sources))}
        return Surroundings(
            granted=self.policy(function, ALIAS),
            sources=frozenset(
                mapping.get("EventSourceArn", "")
                for mapping in self._mappings(f"{function}:{ALIAS}")
                if mapping["FunctionArn"].endswith(f":{ALIAS}")
            )
            - {""},
            targets={source: found for source, found in targets.items() if found is not None},
        )

    def move_source(self, identifier: str, function: str, qualifier: str) -> None:
        """See Aws.move_source."""
        with self._lambda(f"event source {identifier}") as client:
            client.update_event_source_mapping(UUID=identifier, FunctionName=f"{function}:{qualifier}")

    def point_alias(self, function: str, name: str, version: str, *, description: str, revision: str) -> None:
        """See Aws.point_alias."""
        with self._lambda(f"{function}:{name}") as client:
            client.update_alias(
                FunctionName=function,
                Name=name,
                FunctionVersion=version,
                Description=description,
                RevisionId=revision,
            )

    def _mappings(self, function: str) -> Iterator[dict[str, Any]]:
        with self._or_none(function) as client:
            for page in client.get_paginator("list_event_source_mappings").paginate(FunctionName=function):
                yield from page["EventSourceMappings"]

    def _targets(self, source: str) -> frozenset[str] | None:
        """The functions that a bucket, a rule or a topic calls; None where it can't be asked."""
        service, resource = source.split(":")[2], source.split(":", 5)[5]
        try:
            with self._about(source):
                if service not in {"s3", "events", "sns"}:
                    return None
                client = self.clients.client(service, self.region)
                if service == "s3":
                    found = client.get_bucket_notification_configuration(Bucket=resource)
                    return frozenset(row["LambdaFunctionArn"] for row in found.get("LambdaFunctionConfigurations", ()))
                if service == "events" and resource.startswith("rule/"):
                    *bus, name = resource.split("/")[1:]
                    where = {"EventBusName": "/".join(bus)} if bus else {}
                    pages = client.get_paginator("list_targets_by_rule").paginate(Rule=name, **where)
                    return frozenset(target["Arn"] for page in pages for target in page["Targets"])
                if service == "sns":
                    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=source)
                    return frozenset(row["Endpoint"] for page in pages for row in page["Subscriptions"])
        except CallRejectedError:  # another account's, gone, or not allowed: nothing is known of it
            return None
        return None


def named(function: str, qualifier: str | None) -> str:
    """A function as messages name it."""
    return f"{function}:{qualifier}" if qualifier else function


def qualified(function: str, qualifier: str | None) -> dict[str, str]:
    """A function as calls take it."""
    return {"FunctionName": function, **({"Qualifier": qualifier} if qualifier else {})}


def url_of(answer: dict[str, Any]) -> Url:
    """A function URL as calls answer it."""
    return Url(
        address=answer["FunctionUrl"],
        auth=answer["AuthType"],
        cors=answer.get("Cors") or None,
        mode=answer.get("InvokeMode", "BUFFERED"),
    )
