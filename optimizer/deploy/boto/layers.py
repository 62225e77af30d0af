"""The port to AWS over boto3: layers, found by their fingerprint and published no more often than needed."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from optimizer.deploy import descriptions
from optimizer.deploy.boto.retry import LOST_SECONDS, THROTTLED_SECONDS, Backoff
from optimizer.deploy.boto.storage import StorageAws
from optimizer.deploy.mends import THROTTLING
from optimizer.deploy.port import Direct
from optimizer.deploy.rejections import MISSING, AnswerLostError, CallRejectedError
from optimizer.deploy.values import LayerFacts, LayerVersion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.deploy.port import Zip
    from optimizer.deploy.values import Absence

_UNREADABLE = frozenset({*MISSING, "AccessDeniedException"})


class LayerAws(StorageAws):
    """Layers in one region."""

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

    def find_layer(self, name: str, fingerprint: str, *, runtime: str, architecture: str) -> LayerVersion | None:
        """See Aws.find_layer."""
        with self._or_none(f"layer {name}") as client:
            pages = client.get_paginator("list_layer_versions").paginate(
                LayerName=name, CompatibleRuntime=runtime, CompatibleArchitecture=architecture
            )
            for page in pages:  # newest first
                for version in page["LayerVersions"]:
                    if descriptions.layer_fingerprint(version.get("Description", "")) == fingerprint:
                        return _layer(name, fingerprint, version)
        return None

    def layer_description(self, arn: str) -> str | None:
        """See Aws.layer_description."""
        with self._or_none(arn, _UNREADABLE) as client:
            return str(client.get_layer_version_by_arn(Arn=arn).get("Description", ""))
        return None

    def layer_facts(self, arn: str) -> LayerFacts | Absence:
        """See Aws.layer_facts."""
        try:
            with self._lambda(arn) as client:
                answer = client.get_layer_version_by_arn(Arn=arn)
        except CallRejectedError as error:
            if error.aws_code not in _UNREADABLE:
                raise
            return "gone" if error.aws_code in MISSING else "hidden"
        return LayerFacts(
            arn=arn,
            description=answer.get("Description", ""),
            zipped_bytes=answer.get("Content", {}).get("CodeSize", 0),
            created=answer.get("CreatedDate", ""),
        )

    def publish_layer(
        self, name: str, fingerprint: str, content: Zip, *, runtime: str, architecture: str, commit: str | None
    ) -> LayerVersion:
        """See Aws.publish_layer; where an answer is lost, the version that it may have made is looked for first."""
        backoff = Backoff(self.clock)
        while True:
            try:
                with self.clients.translated(f"layer {name}", self.region):
                    answer = self.clients.client("lambda", self.region, once=True).publish_layer_version(
                        LayerName=name,
                        Description=descriptions.of_layer(fingerprint, commit),
                        Content=content_of(content),
                        CompatibleRuntimes=[runtime],
                        CompatibleArchitectures=[architecture],
                    )
                    return _layer(name, fingerprint, answer)
            except AnswerLostError:
                if not backoff.wait(LOST_SECONDS):
                    raise
            except CallRejectedError as error:
                if error.aws_code not in THROTTLING or not backoff.wait(THROTTLED_SECONDS):
                    raise
                continue  # it did not act
            found = self.find_layer(name, fingerprint, runtime=runtime, architecture=architecture)
            if found is not None:
                return found

    def layer_grants(self, layer: str, version: int) -> frozenset[str]:
        """See Aws.layer_grants."""
        with self._or_none(f"layer {layer}:{version}") as client:
            answer = client.get_layer_version_policy(LayerName=layer, VersionNumber=version)
            return frozenset(one.get("Sid", "") for one in json.loads(answer["Policy"]).get("Statement", ()))
        return frozenset()

    def share_layer(
        self, layer: str, version: int, statement: str, *, principal: str, organization: str | None
    ) -> None:
        """See Aws.share_layer."""
        with self._lambda(f"layer {layer}:{version}") as client:
            client.add_layer_version_permission(
                LayerName=layer,
                VersionNumber=version,
                StatementId=statement,
                Action="lambda:GetLayerVersion",
                Principal=principal,
                **({"OrganizationId": organization} if organization else {}),
            )

    def unshare_layer(self, layer: str, version: int, statement: str) -> None:
        """See Aws.unshare_layer."""
        with self._or_none(f"layer {layer}:{version}") as client:
            client.remove_layer_version_permission(LayerName=layer, VersionNumber=version, StatementId=statement)


def content_of(content: Zip) -> dict[str, Any]:
    """A zip as the calls that take one have it."""
    if isinstance(content, Direct):
        return {"ZipFile": content.data}
    return {"S3Bucket": content.bucket, "S3Key": content.key}


def _layer(name: str, fingerprint: str, answer: dict[str, Any]) -> LayerVersion:
    return LayerVersion(name=name, version=answer["Version"], arn=answer["LayerVersionArn"], fingerprint=fingerprint)
