"""The port to AWS over boto3: Lambda's functions, aliases, URLs and layers in one region; never decides anything."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from optimizer.deploy import descriptions
from optimizer.deploy.account import AccountAws
from optimizer.deploy.port import Direct
from optimizer.deploy.rejections import MISSING, AnswerLostError, CallRejectedError
from optimizer.deploy.values import (
    LATEST,
    Alias,
    AttachedLayer,
    AuthType,
    Configuration,
    Invocation,
    LayerVersion,
    Url,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.deploy.port import Settings, Zip

_LOST_TRIES = 4
_UNREADABLE = frozenset({*MISSING, "AccessDeniedException"})


class BotoAws(AccountAws):
    """Lambda in one region; roles, storage and parameters come from AccountAws."""

    @contextmanager
    def _lambda(self, subject: str) -> Iterator[Any]:
        with self.clients.translated(subject, self.region):
            yield self.clients.client("lambda", self.region)

    @contextmanager
    def _or_none(self, subject: str, codes: frozenset[str] = MISSING) -> Iterator[Any]:
        """The client; what is not there leaves the block quietly."""
        try:
            with self._lambda(subject) as client:
                yield client
        except CallRejectedError as error:
            if error.aws_code not in codes:
                raise

    def configuration(self, function: str, qualifier: str | None = None) -> Configuration | None:
        """See Aws.configuration."""
        with self._or_none(_named(function, qualifier)) as client:
            return _configuration(client.get_function(**_qualified(function, qualifier))["Configuration"])
        return None

    def create_function(
        self, function: str, settings: Settings, code: Zip, *, architecture: str, role: str
    ) -> Configuration:
        """See Aws.create_function."""
        with self._lambda(function) as client:
            answer = client.create_function(
                FunctionName=function,
                Role=role,
                Code=_content(code),
                Architectures=[architecture],
                **_settings(settings),
            )
            return _configuration(answer)

    def update_code(self, function: str, code: Zip, *, architecture: str, revision: str) -> None:
        """See Aws.update_code."""
        with self._lambda(function) as client:
            client.update_function_code(
                FunctionName=function, Architectures=[architecture], RevisionId=revision, **_content(code)
            )

    def update_configuration(self, function: str, settings: Settings, *, revision: str) -> None:
        """See Aws.update_configuration."""
        with self._lambda(function) as client:
            client.update_function_configuration(FunctionName=function, RevisionId=revision, **_settings(settings))

    def publish_version(self, function: str, description: str, *, code_sha256: str, revision: str) -> Configuration:
        """See Aws.publish_version."""
        with self._lambda(function) as client:
            return _configuration(
                client.publish_version(
                    FunctionName=function, Description=description, CodeSha256=code_sha256, RevisionId=revision
                )
            )

    def invoke(self, function: str, version: str, event: bytes) -> Invocation:
        """See Aws.invoke."""
        with self._lambda(f"{function}:{version}") as client:
            answer = client.invoke(FunctionName=function, Qualifier=version, LogType="Tail", Payload=event)
            return Invocation(
                payload=answer["Payload"].read(),
                error=answer.get("FunctionError"),
                log=base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace"),
            )

    def alias(self, function: str, name: str) -> Alias | None:
        """See Aws.alias."""
        with self._or_none(f"{function}:{name}") as client:
            answer = client.get_alias(FunctionName=function, Name=name)
            weights = answer.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
            return Alias(
                name=name,
                version=answer["FunctionVersion"],
                revision=answer.get("RevisionId", ""),
                weighted=bool(weights),
            )
        return None

    def create_alias(self, function: str, name: str, version: str) -> None:
        """See Aws.create_alias."""
        with self._lambda(f"{function}:{name}") as client:
            client.create_alias(FunctionName=function, Name=name, FunctionVersion=version)

    def move_alias(self, function: str, name: str, version: str, *, revision: str) -> None:
        """See Aws.move_alias."""
        with self._lambda(f"{function}:{name}") as client:
            client.update_alias(
                FunctionName=function,
                Name=name,
                FunctionVersion=version,
                RoutingConfig={"AdditionalVersionWeights": {}},
                RevisionId=revision,
            )

    def url(self, function: str, qualifier: str | None) -> Url | None:
        """See Aws.url."""
        with self._or_none(_named(function, qualifier)) as client:
            return _url(client.get_function_url_config(**_qualified(function, qualifier)))
        return None

    def create_url(self, function: str, qualifier: str, auth: AuthType) -> Url:
        """See Aws.create_url."""
        with self._lambda(f"{function}:{qualifier}") as client:
            return _url(client.create_function_url_config(FunctionName=function, Qualifier=qualifier, AuthType=auth))

    def update_url(self, function: str, qualifier: str, auth: AuthType) -> None:
        """See Aws.update_url."""
        with self._lambda(f"{function}:{qualifier}") as client:
            client.update_function_url_config(FunctionName=function, Qualifier=qualifier, AuthType=auth)

    def delete_url(self, function: str, qualifier: str) -> None:
        """See Aws.delete_url."""
        with self._or_none(f"{function}:{qualifier}") as client:
            client.delete_function_url_config(FunctionName=function, Qualifier=qualifier)

    def statements(self, function: str, qualifier: str | None) -> tuple[str, ...]:
        """See Aws.statements."""
        with self._or_none(_named(function, qualifier)) as client:
            document = json.loads(client.get_policy(**_qualified(function, qualifier))["Policy"])
            return tuple(statement.get("Sid", "") for statement in document.get("Statement", ()))
        return ()

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

    def revoke(self, function: str, qualifier: str, statement: str) -> None:
        """See Aws.revoke."""
        with self._or_none(f"{function}:{qualifier}") as client:
            client.remove_permission(FunctionName=function, Qualifier=qualifier, StatementId=statement)

    def callers_of_latest(self, function: str) -> tuple[str, ...]:
        """See Aws.callers_of_latest."""
        found = []
        url = self.url(function, None)
        if url is not None:
            found.append(f"the function URL {url.address}")
        found += [f"the permission {statement!r}" for statement in self.statements(function, None)]
        with self._lambda(function) as client:
            for page in client.get_paginator("list_event_source_mappings").paginate(FunctionName=function):
                found += [
                    f"the event source {mapping.get('EventSourceArn', mapping['UUID'])}"
                    for mapping in page["EventSourceMappings"]
                    if mapping["FunctionArn"].endswith(f":function:{function}")  # those of an alias end in its name
                ]
            for page in client.get_paginator("list_aliases").paginate(FunctionName=function, FunctionVersion=LATEST):
                found += [f"the alias {alias['Name']!r}" for alias in page["Aliases"]]
        return tuple(found)

    def find_layer(self, name: str, fingerprint: str, *, runtime: str, architecture: str) -> LayerVersion | None:
        """See Aws.find_layer."""
        wanted = descriptions.of_layer(fingerprint)
        with self._or_none(f"layer {name}") as client:
            pages = client.get_paginator("list_layer_versions").paginate(
                LayerName=name, CompatibleRuntime=runtime, CompatibleArchitecture=architecture
            )
            for page in pages:  # newest first
                for version in page["LayerVersions"]:
                    if version.get("Description") == wanted:
                        return _layer(name, fingerprint, version)
        return None

    def layer_description(self, arn: str) -> str | None:
        """See Aws.layer_description."""
        with self._or_none(arn, _UNREADABLE) as client:
            return str(client.get_layer_version_by_arn(Arn=arn).get("Description", ""))
        return None

    def publish_layer(
        self, name: str, fingerprint: str, content: Zip, *, runtime: str, architecture: str
    ) -> LayerVersion:
        """See Aws.publish_layer; where an answer is lost, the version that it may have made is looked for first."""
        for left in reversed(range(_LOST_TRIES)):
            try:
                with self.clients.translated(f"layer {name}", self.region):
                    answer = self.clients.client("lambda", self.region, once=True).publish_layer_version(
                        LayerName=name,
                        Description=descriptions.of_layer(fingerprint),
                        Content=_content(content),
                        CompatibleRuntimes=[runtime],
                        CompatibleArchitectures=[architecture],
                    )
                    return _layer(name, fingerprint, answer)
            except (AnswerLostError, CallRejectedError) as error:
                throttled = isinstance(error, CallRejectedError) and error.aws_code == "TooManyRequestsException"
                if not left or not (throttled or isinstance(error, AnswerLostError)):
                    raise
            self.clock.sleep(2.0 ** (_LOST_TRIES - left) / 4)
            found = self.find_layer(name, fingerprint, runtime=runtime, architecture=architecture)
            if found is not None:
                return found
        raise AssertionError("unreachable: the last try returns or raises")


def _named(function: str, qualifier: str | None) -> str:
    return f"{function}:{qualifier}" if qualifier else function


def _qualified(function: str, qualifier: str | None) -> dict[str, str]:
    return {"FunctionName": function, **({"Qualifier": qualifier} if qualifier else {})}


def _content(content: Zip) -> dict[str, Any]:
    if isinstance(content, Direct):
        return {"ZipFile": content.data}
    return {"S3Bucket": content.bucket, "S3Key": content.key}


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


def _url(answer: dict[str, Any]) -> Url:
    return Url(address=answer["FunctionUrl"], auth=answer["AuthType"])


def _layer(name: str, fingerprint: str, answer: dict[str, Any]) -> LayerVersion:
    return LayerVersion(name=name, version=answer["Version"], arn=answer["LayerVersionArn"], fingerprint=fingerprint)


def _configuration(answer: dict[str, Any]) -> Configuration:
    return Configuration(
        arn=answer["FunctionArn"],
        version=answer["Version"],
        description=answer.get("Description", ""),
        code_sha256=answer["CodeSha256"],
        zipped_bytes=answer["CodeSize"],
        layers=tuple(
            AttachedLayer(arn=layer["Arn"], zipped_bytes=layer.get("CodeSize", 0)) for layer in answer.get("Layers", ())
        ),
        handler=answer.get("Handler", ""),
        runtime=answer.get("Runtime", ""),
        architecture=answer.get("Architectures", ["x86_64"])[0],
        memory_mb=answer["MemorySize"],
        timeout_seconds=answer["Timeout"],
        environment=answer.get("Environment", {}).get("Variables", {}),
        role=answer["Role"],
        revision=answer.get("RevisionId", ""),
        state=answer.get("State", "Active"),
        state_reason=answer.get("StateReason", ""),
        update_status=answer.get("LastUpdateStatus", "Successful"),
        update_reason=answer.get("LastUpdateStatusReason", ""),
    )
