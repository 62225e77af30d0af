"""Plans our own layers: which are published, which are kept, and whether code alone can go without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer import limits
from optimizer.deploy import descriptions
from optimizer.deploy.actions import KeepLayer, OwnLayer, PublishLayer
from optimizer.deploy.execution.uploads import is_large
from optimizer.deploy.values import LayerVersion, layer_name
from optimizer.errors import DeployRefusedError

if TYPE_CHECKING:
    from collections.abc import Collection

    from optimizer.build import Artifact
    from optimizer.deploy.actions import Action
    from optimizer.deploy.values import LayerKey, RemoteState
    from optimizer.deploy.wanted import Options, Wanted


_SHOWN = 12
"""Hex digits of a fingerprint in messages."""


def layer_action(
    layer: Artifact,
    found: LayerVersion | None,
    *,
    runtime: str,
    architecture: str,
    bucket: str | None,
    coming: Collection[LayerKey] = (),
) -> PublishLayer | KeepLayer:
    """Publish a layer where no version carries its fingerprint, else keep the one that does.

    Raises:
        DeployRefusedError: its zip needs a bucket and none is named.
    """
    short = layer.fingerprint[:_SHOWN]
    if found is not None:
        why = f"version {found.version} has fingerprint {short}"
        return KeepLayer(subject=layer.name, reason=why, found=found, fingerprint=layer.fingerprint)
    if (layer.name, layer.fingerprint) in coming:
        why = f"fingerprint {short} is published for another function of this run"
        return KeepLayer(subject=layer.name, reason=why, found=None, fingerprint=layer.fingerprint)
    return PublishLayer(
        subject=layer.name,
        reason=f"fingerprint {short} is new",
        artifact=layer,
        bucket=bucket_for(layer, bucket),
        runtime=runtime,
        architecture=architecture,
    )


def own_layers(
    wanted: Wanted, state: RemoteState, options: Options, coming: Collection[LayerKey]
) -> list[tuple[Action, OwnLayer]]:
    """Our layers in attach order, each with what is done about it."""
    function, live = wanted.function, state.live
    if wanted.is_marked_by(state.mark) and not state.whole:
        return [_kept(one.arn, one.fingerprint, "same fingerprint") for one in state.published.values()]
    if live is not None and wanted.is_served_by(live):
        told = descriptions.version_fingerprints(live.description)[1:]
        full = told if wanted.fingerprints is None else wanted.fingerprints
        return [_kept(arn, mark, "same fingerprint") for arn, mark in zip(wanted.own(live), full, strict=True)]
    if wanted.layers is None:
        return _attached(wanted, state)
    found: list[tuple[Action, OwnLayer]] = []
    for layer in wanted.layers:
        version = state.published.get(layer.name)
        action = layer_action(
            layer,
            version,
            runtime=function.runtime,
            architecture=function.architecture,
            bucket=options.bucket,
            coming=coming,
        )
        own = OwnLayer(
            name=layer.name,
            fingerprint=layer.fingerprint,
            version=version.version if version else None,
            arn=version.arn if version else None,
        )
        found.append((action, own))
    return found


def _attached(wanted: Wanted, state: RemoteState) -> list[tuple[Action, OwnLayer]]:
    """For code alone: the layers have to be there, all of them and in order, and to be ours."""
    name, latest = wanted.function.name, state.latest
    own = wanted.own(latest) if latest else ()
    if tuple(layer_name(arn) for arn in own) != wanted.function.layers:
        has = ", ".join(layer_name(arn) for arn in own) or ("none of ours" if latest else "no function yet")
        raise DeployRefusedError(
            f"Code alone can't be deployed to {name} in {state.region}: it needs the layers "
            f"{', '.join(wanted.function.layers)}, attached in this order; there: {has}",
            mend="Deploy once without --code-only.",
        )
    unknown = [arn for arn in own if arn not in state.fingerprints]
    if unknown:
        raise DeployRefusedError(
            f"Code alone can't be deployed to {name} in {state.region}: {', '.join(unknown)} carries no fingerprint",
            mend="Deploy once without --code-only, so that its layers are ours.",
        )
    attached = [state.fingerprints[arn] for arn in own]
    if wanted.fingerprints is None:
        return [
            _kept(arn, mark, "attached; what is planned is not known") for arn, mark in zip(own, attached, strict=True)
        ]
    stale = [
        f"{layer_name(arn)} has fingerprint {mark[:_SHOWN]}, planned is {planned[:_SHOWN]}"
        for arn, mark, planned in zip(own, attached, wanted.fingerprints, strict=True)
        if mark != planned[: descriptions.SHORT]
    ]
    if stale:
        raise DeployRefusedError(
            f"Code alone can't be deployed to {name} in {state.region}, which was planned with other layers than are "
            f"attached: {'; '.join(stale)}",
            mend="Deploy without --code-only: it publishes the layers that changed.",
        )
    return [_kept(arn, mark, "attached, as planned") for arn, mark in zip(own, wanted.fingerprints, strict=True)]


def _kept(arn: str, fingerprint: str, reason: str) -> tuple[Action, OwnLayer]:
    layer = OwnLayer(name=layer_name(arn), fingerprint=fingerprint, version=int(arn.rpartition(":")[2]), arn=arn)
    version = LayerVersion(name=layer.name, version=int(arn.rpartition(":")[2]), arn=arn, fingerprint=fingerprint)
    return KeepLayer(subject=layer.name, reason=reason, found=version, fingerprint=fingerprint), layer


def bucket_for(artifact: Artifact, bucket: str | None) -> str | None:
    """The bucket that the zip goes through, or None where it is sent directly.

    Raises:
        DeployRefusedError: it is too large for that, and no bucket is named.
    """
    if not is_large(artifact):
        return None
    if bucket is None:
        raise DeployRefusedError(
            f"{artifact.path} has {artifact.zipped_bytes} bytes; Lambda takes less than {limits.DIRECT_ZIP_BYTES} "
            "in a call",
            mend="Name with --bucket an S3 bucket in the function's region: it goes through there, and is removed.",
        )
    return bucket
