"""The port to AWS: one verb for each need, over boto3; the only module that imports it."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from optimizer import limits
from optimizer.deploy.errors import translated
from optimizer.deploy.remote import RemoteLayer, RemoteUrl, RemoteVersion, fingerprints_of
from optimizer.errors import AwsError, DeployRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from optimizer.build import Artifact

ALIAS = "live"
BASIC_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
_SETTLE_SECONDS = 300.0
_ROLE_SECONDS = 60.0
"""How long a new role may take until Lambda can assume it (IAM is eventually consistent)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoked:
    """What a call of a function gave."""

    payload: bytes
    error: str | None
    log: str


class Aws(Protocol):
    """What a deploy needs of AWS in one region; reading verbs first, then those that change something."""

    region: str
    calls: Counter[str]
    sent_bytes: int

    def version(self, function: str, qualifier: str | None) -> RemoteVersion | None: ...
    def alias_revision(self, function: str) -> str | None: ...
    def url(self, function: str) -> RemoteUrl | None: ...
    def granted(self, function: str, qualifier: str | None) -> frozenset[str]: ...
    def latest_callers(self, function: str) -> tuple[str, ...]: ...
    def layer_versions(self, layer: str, runtime: str, architecture: str) -> tuple[RemoteLayer, ...]: ...
    def role(self, name: str) -> str | None: ...
    def publish_layer(
        self, artifact: Artifact, path: Path, description: str, runtime: str, architecture: str
    ) -> RemoteLayer: ...
    def create_role(self, name: str, policy: Mapping[str, Any] | None) -> str: ...
    def create_function(self, path: Path, settings: Mapping[str, Any]) -> None: ...
    def update_code(self, function: str, path: Path, revision: str) -> None: ...
    def update_configuration(self, function: str, settings: Mapping[str, Any], revision: str) -> None: ...
    def settled(self, function: str) -> RemoteVersion: ...
    def publish_version(self, function: str, description: str, code_sha256: str, revision: str) -> RemoteVersion: ...
    def invoke(self, function: str, qualifier: str, event: Mapping[str, Any]) -> Invoked: ...
    def point_alias(self, function: str, version: str, revision: str | None) -> None: ...
    def put_url(self, function: str, auth: str, *, exists: bool) -> str: ...
    def grant(self, function: str, statement: Mapping[str, Any]) -> None: ...
    def put_parameter(self, name: str, value: str) -> None: ...


class BotoAws:
    """The real thing, or whatever answers at an endpoint.

    Args:
        region: where.
        endpoint_url: instead of AWS's own endpoints.
        credentials: (access key id, secret) instead of the environment's.
        bucket: for zips that are too large to be sent in a call.

    Raises:
        AwsError: there are no credentials, or the session can't be made.
    """

    def __init__(
        self,
        region: str,
        *,
        endpoint_url: str | None = None,
        credentials: tuple[str, str] | None = None,
        bucket: str | None = None,
    ) -> None:
        self.region = region
        self.calls: Counter[str] = Counter()
        self.sent_bytes = 0
        self._endpoint_url = endpoint_url
        self._bucket = bucket
        with translated(region):
            import boto3
            from botocore.config import Config

            key, secret = credentials or (None, None)
            self._session = boto3.session.Session(
                region_name=region, aws_access_key_id=key, aws_secret_access_key=secret
            )
            self._config = Config(
                retries={"mode": "standard", "max_attempts": 5},
                connect_timeout=10,
                read_timeout=120,
                user_agent_extra="layer-optimizer/0.1",
            )
            self._lambda = self._client("lambda")

    def _client(self, service: str) -> Any:
        with translated(self.region):
            client = self._session.client(service, endpoint_url=self._endpoint_url, config=self._config)
        client.meta.events.register("before-send", self._count)
        return client

    def _count(self, event_name: str, **_: Any) -> None:
        self.calls[event_name.rpartition(".")[2]] += 1

    def version(self, function: str, qualifier: str | None) -> RemoteVersion | None:
        """$LATEST, or what a qualifier points at; None where there is none."""
        extra = {"Qualifier": qualifier} if qualifier else {}
        found = self._get(self._lambda.get_function, FunctionName=function, **extra)
        return RemoteVersion.of(found["Configuration"]) if found else None

    def alias_revision(self, function: str) -> str | None:
        """The RevisionId that guards the alias; None where there is no alias."""
        found = self._get(self._lambda.get_alias, FunctionName=function, Name=ALIAS)
        return found["RevisionId"] if found else None

    def url(self, function: str) -> RemoteUrl | None:
        """The alias's URL."""
        found = self._get(self._lambda.get_function_url_config, FunctionName=function, Qualifier=ALIAS)
        return RemoteUrl(url=found["FunctionUrl"], auth=found["AuthType"]) if found else None

    def granted(self, function: str, qualifier: str | None) -> frozenset[str]:
        """The ids of a resource policy's statements."""
        extra = {"Qualifier": qualifier} if qualifier else {}
        found = self._get(self._lambda.get_policy, FunctionName=function, **extra)
        return frozenset(s["Sid"] for s in json.loads(found["Policy"])["Statement"]) if found else frozenset()

    def latest_callers(self, function: str) -> tuple[str, ...]:
        """What calls $LATEST: an unqualified URL, statements of an unqualified policy, event source mappings."""
        callers = []
        found = self._get(self._lambda.get_function_url_config, FunctionName=function)
        if found:
            callers.append(f"function URL {found['FunctionUrl']}")
        callers += [f"policy statement {sid}" for sid in sorted(self.granted(function, None))]
        with translated(self.region):
            pages = self._lambda.get_paginator("list_event_source_mappings").paginate(FunctionName=function)
            callers += [
                f"event source mapping {mapping['UUID']} of {mapping.get('EventSourceArn', 'an unknown source')}"
                for page in pages
                for mapping in page["EventSourceMappings"]
            ]
        return tuple(callers)

    def layer_versions(self, layer: str, runtime: str, architecture: str) -> tuple[RemoteLayer, ...]:
        """A layer's versions for the target, newest first."""
        found = []
        with translated(self.region):
            for page in self._lambda.get_paginator("list_layer_versions").paginate(LayerName=layer):
                for row in page["LayerVersions"]:
                    if runtime not in row.get("CompatibleRuntimes", [runtime]):
                        continue
                    if architecture not in row.get("CompatibleArchitectures", [architecture]):
                        continue
                    marks = fingerprints_of(row.get("Description", ""))
                    found.append(
                        RemoteLayer(
                            name=layer,
                            version=row["Version"],
                            arn=row["LayerVersionArn"],
                            fingerprint=marks[0] if marks else "",
                        )
                    )
        return tuple(found)

    def role(self, name: str) -> str | None:
        """A role's ARN; None where there is none."""
        found = self._get(self._client("iam").get_role, RoleName=name)
        return found["Role"]["Arn"] if found else None

    def publish_layer(
        self, artifact: Artifact, path: Path, description: str, runtime: str, architecture: str
    ) -> RemoteLayer:
        """Publish one version of a layer."""
        with self._upload(path) as content, translated(self.region):
            done = self._lambda.publish_layer_version(
                LayerName=artifact.name,
                Description=description,
                Content=content,
                CompatibleRuntimes=[runtime],
                CompatibleArchitectures=[architecture],
            )
        return RemoteLayer(
            name=artifact.name, version=done["Version"], arn=done["LayerVersionArn"], fingerprint=artifact.fingerprint
        )

    def create_role(self, name: str, policy: Mapping[str, Any] | None) -> str:
        """A role that Lambda may assume, that may write logs and what the policy says."""
        iam = self._client("iam")
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
        with translated(self.region):
            done = iam.create_role(
                RoleName=name,
                AssumeRolePolicyDocument=json.dumps(trust),
                Description="Made by layer-optimizer for the function of this name",
            )
            iam.attach_role_policy(RoleName=name, PolicyArn=BASIC_POLICY)
            if policy:
                iam.put_role_policy(RoleName=name, PolicyName="function", PolicyDocument=json.dumps(policy))
        return str(done["Role"]["Arn"])

    def create_function(self, path: Path, settings: Mapping[str, Any]) -> None:
        """Create the function, waiting until Lambda can assume a role that was just made."""
        deadline = time.monotonic() + _ROLE_SECONDS
        with self._upload(path) as content:
            while True:
                try:
                    with translated(self.region):
                        self._lambda.create_function(Code=content, **settings)
                except AwsError as error:
                    if "cannot be assumed" not in error.message or time.monotonic() > deadline:
                        raise
                    time.sleep(2)
                else:
                    return

    def update_code(self, function: str, path: Path, revision: str) -> None:
        """Send new code."""
        with self._upload(path) as content, translated(self.region):
            self._lambda.update_function_code(FunctionName=function, RevisionId=revision, **content)

    def update_configuration(self, function: str, settings: Mapping[str, Any], revision: str) -> None:
        """Change layers and settings in one call."""
        with translated(self.region):
            self._lambda.update_function_configuration(FunctionName=function, RevisionId=revision, **settings)

    def settled(self, function: str) -> RemoteVersion:
        """$LATEST when no update is under way any more.

        Raises:
            AwsError: an update failed, or did not settle in time.
        """
        deadline = time.monotonic() + _SETTLE_SECONDS
        pause = 0.1
        while True:
            with translated(self.region):
                found = self._lambda.get_function_configuration(FunctionName=function)
            if found.get("LastUpdateStatus") == "Failed" or found.get("State") == "Failed":
                reason = found.get("LastUpdateStatusReason") or found.get("StateReason") or "no reason given"
                raise AwsError(f"The update of {function} failed: {reason}", mend="Mend the cause and deploy again.")
            version = RemoteVersion.of(found)
            if version.settled:
                return version
            if time.monotonic() > deadline:
                raise AwsError(
                    f"The update of {function} has not settled in {_SETTLE_SECONDS:.0f} s",
                    mend="Deploy again: what was done is found and not done twice.",
                )
            time.sleep(pause)
            pause = min(pause * 1.5, 5)

    def publish_version(self, function: str, description: str, code_sha256: str, revision: str) -> RemoteVersion:
        """Freeze $LATEST."""
        with translated(self.region):
            return RemoteVersion.of(
                self._lambda.publish_version(
                    FunctionName=function, Description=description, CodeSha256=code_sha256, RevisionId=revision
                )
            )

    def invoke(self, function: str, qualifier: str, event: Mapping[str, Any]) -> Invoked:
        """Call a version."""
        import base64

        with translated(self.region):
            done = self._lambda.invoke(
                FunctionName=function, Qualifier=qualifier, Payload=json.dumps(event).encode(), LogType="Tail"
            )
            payload = done["Payload"].read()
        log = base64.b64decode(done.get("LogResult", "")).decode("utf-8", "replace")
        return Invoked(payload=payload, error=done.get("FunctionError"), log=log)

    def point_alias(self, function: str, version: str, revision: str | None) -> None:
        """Create the alias, or move it; guarded by its revision."""
        with translated(self.region):
            if revision is None:
                self._lambda.create_alias(FunctionName=function, Name=ALIAS, FunctionVersion=version)
            else:
                self._lambda.update_alias(
                    FunctionName=function,
                    Name=ALIAS,
                    FunctionVersion=version,
                    RevisionId=revision,
                    RoutingConfig={"AdditionalVersionWeights": {}},
                )

    def put_url(self, function: str, auth: str, *, exists: bool) -> str:
        """Give the alias its URL, or change who may call it."""
        with translated(self.region):
            put = self._lambda.update_function_url_config if exists else self._lambda.create_function_url_config
            return str(put(FunctionName=function, Qualifier=ALIAS, AuthType=auth)["FunctionUrl"])

    def grant(self, function: str, statement: Mapping[str, Any]) -> None:
        """Add one statement to the alias's policy."""
        with translated(self.region):
            self._lambda.add_permission(FunctionName=function, Qualifier=ALIAS, **statement)

    def put_parameter(self, name: str, value: str) -> None:
        """Write one parameter of SSM."""
        with translated(self.region):
            self._client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    def _get(self, call: Any, **parameters: Any) -> Any:
        """A reading call's answer, or None where there is nothing to read."""
        from botocore.exceptions import ClientError

        with translated(self.region):
            try:
                return call(**parameters)
            except ClientError as error:
                if error.response["Error"]["Code"] in {"ResourceNotFoundException", "NoSuchEntity"}:
                    return None
                raise

    def _upload(self, path: Path) -> _Upload:
        size = path.stat().st_size
        self.sent_bytes += size
        if size <= limits.DIRECT_ZIP_BYTES:
            return _Upload(content={"ZipFile": path.read_bytes()})
        if self._bucket is None:
            raise DeployRefusedError(
                f"{path.name} has {size:,} bytes; Lambda takes at most {limits.DIRECT_ZIP_BYTES:,} in a call",
                mend="Name a bucket of the region with --bucket: larger zips go through S3.",
            )
        s3 = self._client("s3")
        key = f"layer-optimizer/{path.stem}-{time.time_ns()}.zip"
        with translated(self.region):
            s3.upload_file(str(path), self._bucket, key)
        return _Upload(content={"S3Bucket": self._bucket, "S3Key": key}, s3=s3)


@dataclass
class _Upload:
    """A zip as the API takes it; what went through S3 is removed from there at the end of the block."""

    content: dict[str, Any]
    s3: Any = None

    def __enter__(self) -> dict[str, Any]:
        return self.content

    def __exit__(self, *_: object) -> None:
        if self.s3 is not None:
            self.s3.delete_object(Bucket=self.content["S3Bucket"], Key=self.content["S3Key"])
