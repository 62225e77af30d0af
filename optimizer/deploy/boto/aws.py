"""The port to AWS over boto3: Lambda's functions, aliases and URLs in one region; never decides anything."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from optimizer.deploy.boto.answers import alias_of, configuration_of
from optimizer.deploy.boto.caller_calls import named, qualified, url_of
from optimizer.deploy.boto.layers import content_of
from optimizer.deploy.boto.removals import RemovalAws
from optimizer.deploy.boto.traffic import TrafficAws
from optimizer.deploy.values import Invocation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optimizer.deploy.port import Settings, Zip
    from optimizer.deploy.values import Alias, AuthType, Configuration, Url


class BotoAws(TrafficAws, RemovalAws):
    """Lambda in one region.

    Aliases' traffic comes from TrafficAws, URLs, permissions and callers from CallerAws, removals from RemovalAws,
    listings from ListingAws, layers from LayerAws, zips in S3 from StorageAws, roles and parameters from AccountAws.
    """

    def configuration(self, function: str, qualifier: str | None = None) -> Configuration | None:
        """See Aws.configuration."""
        with self._or_none(named(function, qualifier)) as client:
            answer = client.get_function(**qualified(function, qualifier))
            told = qualifier is None and "TagsError" not in answer
            tags = answer.get("Tags", {}) if told else None  # left out where there are none
            return configuration_of(answer["Configuration"], tags)
        return None

    def create_function(
        self, function: str, settings: Settings, code: Zip, *, architecture: str, role: str, tags: Mapping[str, str]
    ) -> Configuration:
        """See Aws.create_function."""
        with self._lambda(function) as client:
            answer = client.create_function(
                FunctionName=function,
                Role=role,
                Code=content_of(code),
                Architectures=[architecture],
                **({"Tags": dict(tags)} if tags else {}),  # which would take a right of its own
                **_settings(settings),
            )
            return configuration_of(answer, dict(tags))

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """See Aws.tag."""
        with self._lambda(arn) as client:
            client.tag_resource(Resource=arn, Tags=dict(tags))

    def untag(self, arn: str, keys: Sequence[str]) -> None:
        """See Aws.untag."""
        with self._lambda(arn) as client:
            client.untag_resource(Resource=arn, TagKeys=list(keys))

    def update_code(self, function: str, code: Zip, *, architecture: str, revision: str) -> None:
        """See Aws.update_code."""
        with self._lambda(function) as client:
            client.update_function_code(
                FunctionName=function, Architectures=[architecture], RevisionId=revision, **content_of(code)
            )

    def update_configuration(self, function: str, settings: Settings, *, revision: str) -> None:
        """See Aws.update_configuration."""
        with self._lambda(function) as client:
            client.update_function_configuration(FunctionName=function, RevisionId=revision, **_settings(settings))

    def publish_version(
        self, function: str, description: str, *, code_sha256: str, revision: str | None
    ) -> Configuration:
        """See Aws.publish_version."""
        guards = {"CodeSha256": code_sha256, **({"RevisionId": revision} if revision is not None else {})}
        with self._lambda(function) as client:
            return configuration_of(client.publish_version(FunctionName=function, Description=description, **guards))

    def invoke(self, function: str, version: str, event: bytes) -> Invocation:
        """See Aws.invoke."""
        subject = f"{function}:{version}"
        with self.clients.translated(subject, self.region):
            client = self.clients.client("lambda", self.region, once=True)
            answer = client.invoke(FunctionName=function, Qualifier=version, LogType="Tail", Payload=event)
            return Invocation(
                payload=answer["Payload"].read(),
                error=answer.get("FunctionError"),
                log=base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace"),
            )

    def alias(self, function: str, name: str) -> Alias | None:
        """See Aws.alias."""
        with self._or_none(f"{function}:{name}") as client:
            return alias_of(client.get_alias(FunctionName=function, Name=name))
        return None

    def create_alias(self, function: str, name: str, version: str, *, description: str) -> None:
        """See Aws.create_alias."""
        with self._lambda(f"{function}:{name}") as client:
            client.create_alias(FunctionName=function, Name=name, FunctionVersion=version, Description=description)

    def describe_alias(self, function: str, name: str, description: str) -> None:
        """See Aws.describe_alias."""
        with self._lambda(f"{function}:{name}") as client:
            client.update_alias(FunctionName=function, Name=name, Description=description)

    def move_alias(
        self, function: str, name: str, version: str, *, description: str, revision: str, shared: bool = True
    ) -> None:
        """See Aws.move_alias."""
        routing: dict[str, Any] = {"RoutingConfig": {"AdditionalVersionWeights": {}}} if shared else {}
        with self._lambda(f"{function}:{name}") as client:
            client.update_alias(
                FunctionName=function,
                Name=name,
                FunctionVersion=version,
                Description=description,
                RevisionId=revision,
                **routing,
            )

    def create_url(self, function: str, qualifier: str, auth: AuthType, *, like: Url | None = None) -> Url:
        """See Aws.create_url."""
        with self._lambda(f"{function}:{qualifier}") as client:
            return url_of(
                client.create_function_url_config(
                    FunctionName=function, Qualifier=qualifier, AuthType=auth, **_manners(like)
                )
            )

    def update_url(self, function: str, qualifier: str, auth: AuthType, *, like: Url | None = None) -> None:
        """See Aws.update_url."""
        with self._lambda(f"{function}:{qualifier}") as client:
            client.update_function_url_config(
                FunctionName=function, Qualifier=qualifier, AuthType=auth, **_manners(like)
            )

    def delete_url(self, function: str, qualifier: str) -> None:
        """See Aws.delete_url."""
        with self._or_none(f"{function}:{qualifier}") as client:
            client.delete_function_url_config(FunctionName=function, Qualifier=qualifier)

    def statements(self, function: str, qualifier: str | None) -> tuple[str, ...]:
        """See Aws.statements."""
        return tuple(statement.sid for statement in self.policy(function, qualifier))

    def grant_url(self, function: str, qualifier: str, statement: str, *, via_url_only: bool) -> None:
        """See Aws.grant_url."""
        # function URLs made since October 2025 need both actions in the permission
        action: dict[str, Any] = (
            {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True}
            if via_url_only
            else {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"}
        )
        with self._lambda(f"{function}:{qualifier}") as client:
            client.add_permission(
                FunctionName=function, Qualifier=qualifier, StatementId=statement, Principal="*", **action
            )


def _manners(like: Url | None) -> dict[str, Any]:
    """CORS and invoke mode of a URL as calls take them."""
    if like is None:
        return {}
    return {"InvokeMode": like.mode, **({"Cors": like.cors} if like.cors is not None else {})}


def _settings(settings: Settings) -> dict[str, Any]:
    given: dict[str, Any] = {
        "Handler": settings.handler,
        "Runtime": settings.runtime,
        "MemorySize": settings.memory_mb,
        "Timeout": settings.timeout_seconds,
        "Role": settings.role,
        "Environment": None if settings.environment is None else {"Variables": settings.environment},
        "Layers": None if settings.layers is None else list(settings.layers),
    }
    return {key: value for key, value in given.items() if value is not None}
