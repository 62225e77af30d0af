"""Publishes layers alone: those whose fingerprint is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.deploy.remote import layer_description

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from optimizer.build import Manifest
    from optimizer.deploy.aws import Aws
    from optimizer.deploy.remote import RemoteLayer


def publish_layers(
    aws: Aws, manifest: Manifest, *, progress: Callable[[str], None]
) -> Iterator[tuple[RemoteLayer, bool]]:
    """Each layer of the manifest as it is on AWS now, and whether it was published just now.

    Raises:
        AwsError: AWS refuses or can't be reached.
    """
    target = manifest.target
    for artifact in manifest.artifacts:
        if artifact.kind != "layer" or not artifact.files:
            continue
        versions = aws.layer_versions(artifact.name, target.runtime, target.architecture)
        found = next((v for v in versions if v.fingerprint == artifact.fingerprint), None)
        if found is not None:
            yield found, False
            continue
        progress(f"publishing layer {artifact.name} ({artifact.zipped_bytes:,} bytes)")
        yield (
            aws.publish_layer(
                artifact,
                manifest.zip_path(artifact),
                layer_description(artifact.fingerprint),
                target.runtime,
                target.architecture,
            ),
            True,
        )
