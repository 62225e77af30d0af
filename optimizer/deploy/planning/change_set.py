"""Remote state and manifest → change set, purely: what is kept, what is sent, in which order; or a refusal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer import tags
from optimizer.deploy import descriptions
from optimizer.deploy.actions import (
    AttachLayers,
    ChangeSet,
    CreateFunction,
    KeepCode,
    OwnLayer,
    Slot,
    UpdateCode,
    UpdateSettings,
)
from optimizer.deploy.mark import words_of
from optimizer.deploy.planning.access import role_actions, tag_actions, url_actions
from optimizer.deploy.planning.adoption import Adoption, adopt, not_adopted
from optimizer.deploy.planning.canary import return_actions
from optimizer.deploy.planning.layer_list import attach_list, staying, transition
from optimizer.deploy.planning.own_layers import bucket_for, own_layers
from optimizer.deploy.planning.release import draft_of, keep_alias, marking, release, served_before
from optimizer.deploy.port import Settings
from optimizer.deploy.wanted import code_sha256
from optimizer.errors import DeployRefusedError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from optimizer.deploy.actions import Action
    from optimizer.deploy.values import Configuration, LayerKey, RemoteState
    from optimizer.deploy.wanted import Options, Wanted


def make_change_set(
    wanted: Wanted, state: RemoteState, options: Options, *, coming: Collection[LayerKey] = ()
) -> ChangeSet:
    """The change set of one function in one region.

    Args:
        wanted: what the manifest says of it.
        state: what there is.
        options: what the command line says.
        coming: the layers that an earlier change set of the same run publishes in this region.

    Raises:
        DeployRefusedError: it would not fit, would change code under callers of `$LATEST`, or lacks what it needs.
    """
    layers = own_layers(wanted, state, options, coming)
    latest, live = state.latest, state.live
    if latest is not None and latest.state == "Failed":
        raise DeployRefusedError(
            f"{wanted.function.name} in {state.region} is in the state Failed: {latest.state_reason}",
            mend="Mend what the reason names, or delete the function; then deploy again.",
        )
    if latest is not None and latest.image:
        raise DeployRefusedError(
            f"{wanted.function.name} in {state.region} is made from a container image, which has no layers",
            mend="Give the function another name in config/layers.toml, or delete that one; then deploy again.",
        )
    if layers and latest is not None and "PYTHONPATH" in (latest.environment or {}):
        raise DeployRefusedError(
            f"{wanted.function.name} in {state.region} has the environment variable PYTHONPATH: with it Lambda adds no "
            "layer to sys.path",
            mend="Remove the variable from the function; then deploy again.",
        )
    back = return_actions(state.alias)
    before = live.version if live else state.alias.version if state.alias else None
    adoption = Adoption()
    draft = draft_of(wanted, state)
    served = wanted.is_marked_by(state.mark) or (live is not None and wanted.is_served_by(live))
    target = () if served else attach_list(wanted, state, _slots(layers))
    if before is not None and (served or (live is not None and _is_live(wanted, live, target))):
        core: tuple[Action, ...] = (
            KeepCode(subject=wanted.function.name, reason="same fingerprint"),
            *role_actions(wanted, state),
            *([] if back else [keep_alias(before)]),
        )
        adoption = _adoption(wanted, state, options, core)
        after = (*tag_actions(wanted, state), *url_actions(wanted, state, like=adoption.url))
    else:
        if latest is None:
            transition(wanted, state, target)
            made: Sequence[Action] = [_create(wanted, state, options, target)]
        else:
            made = _updates(wanted, state, latest, options, target)
            adoption = _adoption(wanted, state, options, made)
        after = (*tag_actions(wanted, state), *url_actions(wanted, state, like=adoption.url))
        last = not any(action.changes for action in after)
        core = (
            *role_actions(wanted, state),
            *adoption.first,
            *made,
            *release(wanted, state, layers, options, draft if last else None, frozen=adoption.frozen),
        )
    actions = (*back, *(action for action, _ in layers), *core, *after, *adoption.last)
    callers = _accepted_callers(wanted, state, options, adoption, actions)
    return ChangeSet(
        function=wanted.function.name,
        region=state.region,
        actions=(*actions, *marking(draft, state.mark, actions)),
        layers=tuple(layer for _, layer in layers),
        version=before,
        url=state.url.address if state.url else None,
        role=wanted.function.role_arn or (latest.role if latest else state.role.arn if state.role else None),
        revision=latest.revision if latest else "",
        code_sha256=latest.code_sha256 if latest else "",
        attached=latest.layer_arns if latest else (),
        settings=Settings.of(latest) if latest else Settings(),
        before=served_before(state, actions),
        words=words_of(state.alias),
        callers=callers,
    )


def _slots(layers: Sequence[tuple[Action, OwnLayer]]) -> list[Slot]:
    return [Slot(name=layer.name, arn=layer.arn) for _, layer in layers]


def _is_live(wanted: Wanted, live: Configuration, target: Sequence[Slot]) -> bool:
    """Whether the live version is what is wanted: by its description, or byte by byte where others published it."""
    if wanted.is_served_by(live):
        return True
    return (
        live.version.isdigit()
        and live.code_sha256 == code_sha256(wanted.code)
        and live.layer_arns == tuple(slot.arn for slot in target)
        and live.architecture == wanted.function.architecture
        and (wanted.layers is None or wanted.settings(live) == Settings())
    )


def _create(wanted: Wanted, state: RemoteState, options: Options, target: tuple[Slot, ...]) -> CreateFunction:
    function = wanted.function
    role = function.role_arn or (state.role.arn if state.role else None)
    return CreateFunction(
        subject=function.name,
        reason="it does not exist yet",
        artifact=wanted.code,
        bucket=bucket_for(wanted.code, options.bucket),
        settings=Settings(
            handler=function.handler,
            runtime=function.runtime,
            memory_mb=function.memory_mb,
            timeout_seconds=function.timeout_seconds,
            environment=function.environment or None,
        ),
        architecture=function.architecture,
        role=role,
        layers=target,
        tags=tags.marked(function.tags),
    )


def _updates(
    wanted: Wanted, state: RemoteState, latest: Configuration, options: Options, target: tuple[Slot, ...]
) -> list[Action]:
    """Code, layers and settings of `$LATEST`, in an order in which every state on the way fits."""
    name = wanted.function.name
    code = _code(wanted, state, latest, options)
    attach: list[Action] = []
    if latest.layer_arns != tuple(slot.arn for slot in target):
        attach.append(AttachLayers(subject=name, reason=_list_reason(latest, target), layers=target))
    order = transition(wanted, state, target)
    settings: list[Action] = []
    if wanted.layers is not None:
        differ = wanted.settings(latest)
        if differ != Settings():
            settings.append(UpdateSettings(subject=name, reason=_settings_reason(differ), settings=differ))
    left = staying(state, target)
    if not (attach and isinstance(code, UpdateCode) and len(left) < len(latest.layers)):
        return [code, *attach, *settings]
    if order == "code-first":
        return [replace(code, room=left), *attach, *settings]
    why = "only the layers that stay, since old and new may pass 250 MB together"
    shrink = AttachLayers(subject=name, reason=why, layers=left)
    return [shrink, code, *(attach if left != target else []), *settings]


def _code(wanted: Wanted, state: RemoteState, latest: Configuration, options: Options) -> UpdateCode | KeepCode:
    live, name, function = state.live, wanted.function.name, wanted.function
    same_architecture = latest.architecture == function.architecture
    fingerprint = wanted.code.fingerprint
    if latest.update_status == "Failed":
        return _sent(wanted, options, "the update before failed")
    if same_architecture and latest.code_sha256 == code_sha256(wanted.code):
        return KeepCode(subject=name, reason="same zip")
    if same_architecture and live is not None and live.code_sha256 == latest.code_sha256:
        told = descriptions.version_fingerprints(live.description)
        if told and told[0] == fingerprint[: descriptions.SHORT]:
            return KeepCode(subject=name, reason="same fingerprint")
    why = f"fingerprint {fingerprint[:12]} is new" if same_architecture else f"now for {function.architecture}"
    return _sent(wanted, options, why)


def _sent(wanted: Wanted, options: Options, reason: str) -> UpdateCode:
    return UpdateCode(
        subject=wanted.function.name,
        reason=reason,
        artifact=wanted.code,
        bucket=bucket_for(wanted.code, options.bucket),
        architecture=wanted.function.architecture,
    )


def _changing(actions: Sequence[Action]) -> bool:
    """Whether `$LATEST` is changed."""
    return any(isinstance(action, UpdateCode | AttachLayers | UpdateSettings) for action in actions)


def _adoption(wanted: Wanted, state: RemoteState, options: Options, updates: Sequence[Action]) -> Adoption:
    return adopt(wanted, state, changing=_changing(updates)) if options.adopt else not_adopted(state)


def _accepted_callers(
    wanted: Wanted, state: RemoteState, options: Options, adoption: Adoption, actions: Sequence[Action]
) -> tuple[str, ...]:
    """Who calls `$LATEST` while it is changed.

    Raises:
        DeployRefusedError: there are some, and that was not accepted.
    """
    if not _changing(actions):
        return ()
    if adoption.exposed and not options.accept_latest:
        callers = "".join(f"\n  {caller.told}{f': {why}' if why else ''}" for caller, why in adoption.exposed)
        raise DeployRefusedError(
            f"$LATEST of {wanted.function.name} in {state.region} has callers, under whom a deploy changes code and "
            f"layers one after the other:{callers}",
            mend="Accept with --accept-latest that these see half-done states once more: all others are moved then, "
            "and these get on the alias the rights that they have on the function, so that what is said of each can be "
            "done."
            if options.adopt
            else "Move them to the alias `live` with --adopt, or accept that they see half-done states with "
            "--accept-latest.",
        )
    return tuple(caller.told for caller, _ in adoption.exposed)


def _list_reason(latest: Configuration, target: Sequence[Slot]) -> str:
    """What becomes of the list, as in `aws-core:1 web:3 → aws-core:2 web:3`."""
    before = [":".join(arn.split(":")[6:]) for arn in latest.layer_arns]
    after = [":".join(slot.arn.split(":")[6:]) if slot.arn else f"{slot.name}:new" for slot in target]
    return f"{' '.join(before) or 'none'} → {' '.join(after) or 'none'}"


def _settings_reason(differ: Settings) -> str:
    """Which settings differ; never the values of variables, which may be secret."""
    names = ("handler", "runtime", "memory_mb", "timeout_seconds", "role")
    told = [f"{name} → {getattr(differ, name)}" for name in names if getattr(differ, name) is not None]
    if differ.environment is not None:
        told.append("environment variables")
    return ", ".join(told)
