"""Publishes layers: side by side, for a deploy or alone for those whose own tool attaches them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from optimizer.deploy.actions import PublishLayer
from optimizer.deploy.own_layers import layer_action
from optimizer.deploy.sharing import Sharing, share_layer
from optimizer.deploy.uploads import check_zips, on_its_way

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optimizer.build import Artifact, Manifest
    from optimizer.deploy.actions import Action, KeepLayer, ShareLayer, UnshareLayer
    from optimizer.deploy.port import Aws
    from optimizer.deploy.values import LayerKey, LayerVersion


@dataclass(slots=True)
class Journal:
    """What was done so far, for whoever has to tell it when the rest does not happen."""

    done: list[Action] = field(default_factory=list)

    @property
    def sent_bytes(self) -> int:
        """Zipped bytes of what was sent."""
        return sum(action.bytes for action in self.done)


def publish_layers(
    aws: Aws,
    manifest: Manifest,
    actions: Sequence[PublishLayer],
    *,
    published: dict[LayerKey, LayerVersion],
    journal: Journal,
    progress: Callable[[str], None],
) -> None:
    """Publish layers side by side; each that was is entered in `published` and the journal, whatever the others do.

    Raises:
        AwsError: one of them was refused.
    """

    def publish(action: PublishLayer) -> None:
        progress(f"publishing layer {action.subject} ({action.bytes:,} bytes)")
        path = manifest.zip_path(action.artifact)
        with on_its_way(aws, path, action.artifact, action.bucket, progress) as content:
            version = aws.publish_layer(
                action.subject,
                action.artifact.fingerprint,
                content,
                runtime=action.runtime,
                architecture=action.architecture,
            )
        published[action.subject, action.artifact.fingerprint] = version
        journal.done.append(action)
        progress(f"layer {action.subject} has version {version.version}")

    if not actions:
        return
    with ThreadPoolExecutor(max_workers=len(actions), thread_name_prefix="publish") as pool:
        for future in [pool.submit(publish, action) for action in actions]:
            future.result()


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One layer in one region: what `publish` did about it; `shares` is who may attach it since then, or no more."""

    region: str
    action: PublishLayer | KeepLayer
    version: LayerVersion
    shares: tuple[ShareLayer | UnshareLayer, ...] = ()


def publish(
    manifest: Manifest,
    regions: Sequence[str],
    *,
    connect: Callable[[str], Aws],
    bucket: str | None,
    journal: Journal,
    progress: Callable[[str], None],
) -> tuple[Publication, ...]:
    """Publish in each region the layers whose fingerprints are new there, and let those attach them who may.

    Raises:
        ArtifactError: a zip that would be sent is not what was built.
        AwsError: a call failed.
        DeployRefusedError: a zip needs a bucket and none is named.
    """
    layers = [a for a in manifest.artifacts if a.kind == "layer" and a.files]  # Lambda takes no empty zip
    planned = [(region, _layer_actions(manifest, connect(region), layers, bucket)) for region in regions]
    check_zips(manifest, [a.artifact for _, actions in planned for a in actions if isinstance(a, PublishLayer)])
    sharing = Sharing(share=manifest.share)
    shared = [[sharing.of(connect(region), action) for action in actions] for region, actions in planned]
    done = []
    for (region, actions), shares in zip(planned, shared, strict=True):
        published: dict[LayerKey, LayerVersion] = {}
        sending = [action for action in actions if isinstance(action, PublishLayer)]
        publish_layers(connect(region), manifest, sending, published=published, journal=journal, progress=progress)
        for action, own in zip(actions, shares, strict=True):
            for share in own:
                share_layer(connect(region), share, published)
                journal.done.append(share)
            if isinstance(action, PublishLayer):
                version = published[action.subject, action.artifact.fingerprint]
            elif action.found is not None:
                version = action.found
            else:
                continue
            done.append(Publication(region=region, action=action, version=version, shares=own))
    return tuple(done)


def put_parameters(aws: Aws, prefix: str, versions: Sequence[LayerVersion]) -> tuple[str, ...]:
    """Write the ARNs into SSM parameters `<prefix>/<layer>`; the names of those that were changed.

    Raises:
        AwsError: a call failed.
    """
    wanted = {f"{prefix.rstrip('/')}/{version.name}": version.arn for version in versions}
    there = aws.parameters(sorted(wanted))
    changed = tuple(name for name in sorted(wanted) if there.get(name) != wanted[name])
    for name in changed:
        aws.put_parameter(name, wanted[name])
    return changed


def _layer_actions(
    manifest: Manifest, aws: Aws, layers: Sequence[Artifact], bucket: str | None
) -> list[PublishLayer | KeepLayer]:
    runtime, architecture = manifest.target.runtime, manifest.target.architecture
    return [
        layer_action(
            layer,
            aws.find_layer(layer.name, layer.fingerprint, runtime=runtime, architecture=architecture),
            runtime=runtime,
            architecture=architecture,
            bucket=bucket,
        )
        for layer in layers
    ]
