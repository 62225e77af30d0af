"""ChangeSet = f(Manifest, RemoteState): pure; it decides everything and calls nothing."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from optimizer import limits
from optimizer.deploy.actions import (
    Action,
    AttachLayers,
    ChangeSet,
    Check,
    CreateFunction,
    CreateRole,
    Grant,
    KeepCode,
    KeepLayer,
    MoveAlias,
    PublishLayer,
    PublishVersion,
    PutUrl,
    UpdateCode,
    UpdateSettings,
)
from optimizer.deploy.remote import RemoteLayer, fingerprints_of, layer_description, version_description
from optimizer.errors import DeployRefusedError

if TYPE_CHECKING:
    from optimizer.build import Artifact, Function, Manifest
    from optimizer.deploy.remote import RemoteState, RemoteVersion

_AUTH = {"iam": "AWS_IAM", "public": "NONE"}
STATEMENTS: dict[str, tuple[dict[str, Any], ...]] = {
    # URLs made since October 2025 need both actions in the policy
    "NONE": (
        {
            "StatementId": "layer-optimizer-url",
            "Action": "lambda:InvokeFunctionUrl",
            "Principal": "*",
            "FunctionUrlAuthType": "NONE",
        },
        {
            "StatementId": "layer-optimizer-url-invoke",
            "Action": "lambda:InvokeFunction",
            "Principal": "*",
            "InvokedViaFunctionUrl": True,
        },
    ),
    # callers of the same account need no statement, only their own IAM policy
    "AWS_IAM": (),
}


def up_to_date(manifest: Manifest, function: Function, state: RemoteState) -> bool:
    """Whether what the alias serves is what the manifest wants; a partial state is enough to tell."""
    live = state.live
    if live is None or live.description != wanted_description(manifest, function):
        return False
    if _differing(function, live) or not _attached_as_wanted(function, live):
        return False
    if function.url == "none":
        return True
    return state.url is not None and state.url.auth == _AUTH[function.url]


def wanted_description(manifest: Manifest, function: Function) -> str:
    """The description that the version of this very code with these very layers has."""
    code = manifest.artifact(function.artifact, "function").fingerprint
    return version_description(code, tuple(manifest.artifact(n, "layer").fingerprint for n in function.layers))


def make_change_set(
    manifest: Manifest, function: Function, state: RemoteState, *, code_only: bool = False, accept_latest: bool = False
) -> ChangeSet:
    """The actions that lead from what is there to what is planned.

    Args:
        manifest: what was built.
        function: which of its functions.
        state: what is there.
        code_only: refuse where anything but the code would have to change.
        accept_latest: go on although something calls $LATEST.

    Raises:
        DeployRefusedError: it would not fit, callers of $LATEST would be hurt, or code alone is not enough.
    """
    code = manifest.artifact(function.artifact, "function")
    layers = {name: manifest.artifact(name, "layer") for name in function.layers}
    _check_limits(function, code, layers)
    if up_to_date(manifest, function, state):
        return _nothing(manifest, function, state, layers, code)
    if state.latest_callers and not accept_latest:
        raise DeployRefusedError(
            f"{function.name} in {state.region} has callers of $LATEST, which a deploy changes under them:\n  "
            + "\n  ".join(state.latest_callers),
            mend="Point them at the alias `live`, or deploy with --accept-latest.",
        )
    planned, kept = _layers(function, layers, state)
    actions: list[Action] = [*planned]
    latest = state.latest
    wanted = _attach_order(function, latest, layers)
    if latest is None:
        actions += _create(function, code, state, wanted)
    else:
        actions += _update(function, code, state, latest, wanted, kept)
    if code_only:
        _check_code_only(function, manifest, state, actions)
    actions += _serve(manifest, function, code, state)
    return ChangeSet(
        function=function.name,
        region=state.region,
        actions=tuple(actions),
        layers=function.layers,
        fingerprints={name: layer.fingerprint for name, layer in layers.items()},
        version=state.live.version if state.live else None,
        url=state.url.url if state.url else None,
        kept=tuple(kept.values()),
    )


def _nothing(
    manifest: Manifest, function: Function, state: RemoteState, layers: dict[str, Artifact], code: Artifact
) -> ChangeSet:
    del manifest
    attached = {arn.split(":")[6]: arn for arn in (state.live.layers if state.live else ())}
    kept = tuple(
        RemoteLayer(
            name=name,
            version=int(attached[name].rpartition(":")[2]),
            arn=attached[name],
            fingerprint=layer.fingerprint,
        )
        for name, layer in layers.items()
    )
    actions: list[Action] = [
        KeepLayer(subject=layer.name, reason=f"version {layer.version} has this fingerprint", layer=layer)
        for layer in kept
    ]
    actions.append(KeepCode(subject=code.name, reason="the alias serves this fingerprint"))
    return ChangeSet(
        function=function.name,
        region=state.region,
        actions=tuple(actions),
        layers=function.layers,
        fingerprints={name: layer.fingerprint for name, layer in layers.items()},
        version=state.live.version if state.live else None,
        url=state.url.url if state.url else None,
        kept=kept,
    )


def _check_limits(function: Function, code: Artifact, layers: dict[str, Artifact]) -> None:
    """What is known before the first call has to fit."""
    attached = len(layers) + len(function.external_layers)
    if attached > limits.LAYERS:
        raise DeployRefusedError(
            f"{function.name} would have {attached} layers; Lambda attaches at most {limits.LAYERS}",
            mend="Configure fewer layers.",
        )
    total = code.unzipped_bytes + sum(layer.unzipped_bytes for layer in layers.values())
    total += sum(layer.unzipped_bytes for layer in function.external_layers)
    if total > limits.UNZIPPED_BYTES:
        raise DeployRefusedError(
            f"{function.name} with its layers has {total:,} bytes unzipped; "
            f"Lambda takes at most {limits.UNZIPPED_BYTES:,}",
            mend="Run `python -m optimizer plan` to see what could be left out.",
        )


def _layers(
    function: Function, layers: dict[str, Artifact], state: RemoteState
) -> tuple[list[Action], dict[str, RemoteLayer]]:
    """Publish a layer only where its fingerprint is new; the newest version that has it is kept."""
    actions: list[Action] = []
    kept: dict[str, RemoteLayer] = {}
    for name in function.layers:
        artifact = layers[name]
        versions = (state.layers or {}).get(name, ())
        found = next((v for v in versions if v.fingerprint == artifact.fingerprint), None)
        if found is not None:
            kept[name] = found
            reason = f"version {found.version} has this fingerprint"
            actions.append(KeepLayer(subject=name, reason=reason, layer=found))
            continue
        reason = "not there yet" if not versions else f"its content differs from version {versions[0].version}"
        actions.append(
            PublishLayer(
                subject=name,
                reason=reason,
                bytes=artifact.zipped_bytes,
                artifact=artifact,
                description=layer_description(artifact.fingerprint),
            )
        )
    return actions, kept


def _attach_order(function: Function, latest: RemoteVersion | None, layers: dict[str, Artifact]) -> tuple[str, ...]:
    """Our layers by name and the others by ARN, in attach order.

    Layers that are not ours keep their places: those before our first stay before, the others after. External layers
    of the configuration that are not attached yet come last.
    """
    attached = latest.layers if latest else ()
    external = {layer.arn.rpartition(":")[0]: layer.arn for layer in function.external_layers}
    before: list[str] = []
    after: list[str] = []
    seen_ours = False
    for arn in attached:
        base, name = arn.rpartition(":")[0], arn.split(":")[6]
        if name in layers:
            seen_ours = True
        else:
            (after if seen_ours else before).append(external.pop(base, arn))
    if not seen_ours:
        before, after = [], before
    return (*before, *function.layers, *after, *external.values())


def _create(function: Function, code: Artifact, state: RemoteState, wanted: tuple[str, ...]) -> list[Action]:
    actions: list[Action] = []
    if state.role_arn is None:
        from optimizer.deploy.read import role_name

        actions.append(
            CreateRole(subject=role_name(function.name), reason="the function has no role yet", policy=function.policy)
        )
    actions.append(
        CreateFunction(
            subject=function.name,
            reason="not there yet",
            bytes=code.zipped_bytes,
            artifact=code,
            settings={
                "FunctionName": function.name,
                "Runtime": function.runtime,
                "Handler": function.handler,
                "Architectures": [function.architecture],
                "MemorySize": function.memory_mb,
                "Timeout": function.timeout_seconds,
                "Environment": {"Variables": function.environment},
            },
            layers=wanted,
            role_arn=state.role_arn,
        )
    )
    return actions


def _update(
    function: Function,
    code: Artifact,
    state: RemoteState,
    latest: RemoteVersion,
    wanted: tuple[str, ...],
    kept: dict[str, RemoteLayer],
) -> list[Action]:
    """Code first, then layers: a fat package has to shrink before layers have room beside it."""
    if len(wanted) > limits.LAYERS:
        raise DeployRefusedError(
            f"{function.name} in {state.region} would have {len(wanted)} layers with those that are not ours: "
            + ", ".join(layer for layer in wanted if ":" in layer),
            mend="Detach one of them, or configure fewer layers.",
        )
    actions: list[Action] = []
    if _same_code(code, state, latest):
        actions.append(KeepCode(subject=code.name, reason="$LATEST has this fingerprint"))
    else:
        actions.append(
            UpdateCode(subject=code.name, reason="its content differs", bytes=code.zipped_bytes, artifact=code)
        )
    settings = _differing(function, latest)
    resolved = tuple(kept[name].arn if name in kept else name for name in wanted)
    if resolved != latest.layers:
        reason = "order or versions differ" if latest.layers else "none is attached"
        actions.append(AttachLayers(subject=", ".join(wanted), reason=reason, layers=wanted, settings=settings))
    elif settings:
        actions.append(UpdateSettings(subject=function.name, reason=f"{', '.join(settings)} differ", settings=settings))
    return actions


def _same_code(code: Artifact, state: RemoteState, latest: RemoteVersion) -> bool:
    """Whether $LATEST has this code: the same zip, or the one of a version with the same fingerprint."""
    if latest.code_sha256 == zip_sha256(code):
        return True
    live = state.live
    if live is None or live.code_sha256 != latest.code_sha256:
        return False
    marks = fingerprints_of(live.description)
    return bool(marks) and code.fingerprint.startswith(marks[0])


def zip_sha256(artifact: Artifact) -> str:
    """The hash of the zip as the API has it: base64."""
    return base64.b64encode(bytes.fromhex(artifact.sha256)).decode()


def _serve(manifest: Manifest, function: Function, code: Artifact, state: RemoteState) -> list[Action]:
    """Freeze, check, and only then let callers in."""
    actions: list[Action] = [
        PublishVersion(
            subject=function.name,
            reason="code and layers are frozen together",
            description=wanted_description(manifest, function),
            code_sha256=zip_sha256(code),
        )
    ]
    if function.check_path:
        actions.append(
            Check(subject=f"GET {function.check_path}", reason="before callers reach it", path=function.check_path)
        )
    reason = f"from version {state.live.version}" if state.live else "not there yet"
    actions.append(MoveAlias(subject="live", reason=reason, revision=state.alias_revision))
    if function.url != "none":
        auth = _AUTH[function.url]
        if state.url is None or state.url.auth != auth:
            reason = "not there yet" if state.url is None else f"callers change from {state.url.auth} to {auth}"
            actions.append(PutUrl(subject="live", reason=reason, auth=auth, exists=state.url is not None))
        actions += [
            Grant(subject=statement["StatementId"], reason=f"anybody may {statement['Action']}", statement=statement)
            for statement in STATEMENTS[auth]
            if statement["StatementId"] not in state.granted
        ]
    return actions


def _differing(function: Function, version: RemoteVersion) -> dict[str, Any]:
    """Settings that are not as wanted, as UpdateFunctionConfiguration takes them; variables of others are kept."""
    wanted: dict[str, tuple[Any, Any]] = {
        "Handler": (function.handler, version.handler),
        "Runtime": (function.runtime, version.runtime),
        "MemorySize": (function.memory_mb, version.memory_mb),
        "Timeout": (function.timeout_seconds, version.timeout_seconds),
    }
    differing: dict[str, Any] = {key: new for key, (new, old) in wanted.items() if new != old}
    merged = {**version.environment, **function.environment}
    if merged != dict(version.environment):
        differing["Environment"] = {"Variables": merged}
    if function.role_arn and function.role_arn != version.role:
        differing["Role"] = function.role_arn
    return differing


def _attached_as_wanted(function: Function, version: RemoteVersion) -> bool:
    """Whether our layers are attached in order, and every external one at its version."""
    names = [arn.split(":")[6] for arn in version.layers]
    ours = [name for name in names if name in function.layers]
    return ours == list(function.layers) and all(layer.arn in version.layers for layer in function.external_layers)


def _check_code_only(function: Function, manifest: Manifest, state: RemoteState, actions: list[Action]) -> None:
    """With code alone, layers and settings have to be as they are."""
    more = [a for a in actions if not isinstance(a, KeepLayer | KeepCode | UpdateCode)]
    live = state.live
    marks = fingerprints_of(live.description)[1:] if live else ()
    wanted = tuple(manifest.artifact(name, "layer").fingerprint[:32] for name in function.layers)
    if state.latest is None:
        raise DeployRefusedError(
            f"{function.name} is not in {state.region} yet, so its code alone can't be deployed",
            mend="Deploy without --code-only once.",
        )
    if more or (marks and marks != wanted):
        what = ", ".join(sorted({a.subject for a in more})) or "the layers"
        raise DeployRefusedError(
            f"More than the code of {function.name} changed in {state.region}: {what}",
            mend="Deploy without --code-only.",
        )
