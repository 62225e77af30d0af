"""Plans how a version comes to serve: frozen, checked, given its traffic at once or in steps, and marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.deploy import descriptions
from optimizer.deploy.actions import (
    Check,
    CreateAlias,
    CreateUrl,
    DeleteUrl,
    KeepAlias,
    MarkAlias,
    MoveAlias,
    OwnLayer,
    PublishVersion,
)
from optimizer.deploy.mark import Draft, read_before, words_of
from optimizer.deploy.planning.canary import shift_actions
from optimizer.deploy.values import ALIAS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.deploy.actions import Action
    from optimizer.deploy.mark import Mark
    from optimizer.deploy.values import RemoteState
    from optimizer.deploy.wanted import Options, Wanted


def release(
    wanted: Wanted,
    state: RemoteState,
    layers: Sequence[tuple[Action, OwnLayer]],
    options: Options,
    mark: Draft | None,
    *,
    frozen: bool = False,
) -> list[Action]:
    """Freeze, check, shift the alias in steps or at once.

    `frozen` is whether the alias was made for callers of `$LATEST` just before.
    """
    name, path, alias = wanted.function.name, wanted.function.check_path, state.alias
    fingerprints = [layer.fingerprint for _, layer in layers]
    description = descriptions.of_version(wanted.code.fingerprint, fingerprints, wanted.commit)
    actions: list[Action] = [
        PublishVersion(subject=name, reason="freezes code and layers together", description=description)
    ]
    if path is not None:
        actions.append(Check(subject=name, reason=f"GET {path} before anybody else calls it", path=path))
    if frozen:
        actions += shift_actions(options.canary, name, before="", revision="")
        why = "from what its callers called before to the new one"
        actions.append(MoveAlias(subject=ALIAS, reason=why, revision="", before="", mark=mark))
    elif alias is None:
        alone = "; no canary, since nobody is served yet" if options.canary else ""
        actions.append(CreateAlias(subject=ALIAS, reason=f"callers use the alias{alone}", mark=mark))
    else:
        actions += shift_actions(options.canary, name, before=alias.version, revision=alias.revision)
        why = f"from version {alias.version} to the new one"
        actions.append(MoveAlias(subject=ALIAS, reason=why, revision=alias.revision, before=alias.version, mark=mark))
    return actions


def keep_alias(version: str) -> KeepAlias:
    """The alias serves what is wanted already."""
    return KeepAlias(subject=ALIAS, reason=f"serves version {version}, which is this", version=version)


def served_before(state: RemoteState, actions: Sequence[Action]) -> str | None:
    """The version that a rollback leads to afterwards."""
    if any(isinstance(action, MoveAlias) for action in actions):
        return state.alias.version if state.alias else None
    return read_before(state.alias) if state.alias else None


def draft_of(wanted: Wanted, state: RemoteState) -> Draft | None:
    """What the alias's mark is going to say; nothing where code alone is deployed beside something else that is old.

    Nothing either where a person describes the alias in words of their own.
    """
    latest, mark = state.latest, state.mark
    code_alone = wanted.layers is None
    if wanted.rest is None or words_of(state.alias):
        return None
    if code_alone and (mark is None or not wanted.has_rest(mark) or (latest and not wanted.has_settings(latest))):
        return None
    if mark is not None and not state.whole:
        own_role = mark.draft.own_role
    else:
        own_role = not wanted.function.role_arn and (latest is None or wanted.has_own_role(latest))
    return Draft(code=wanted.short, rest=wanted.rest, own_role=own_role)


def marking(draft: Draft | None, there: Mark | None, actions: Sequence[Action]) -> tuple[Action, ...]:
    """The mark as the last action, where it does not go with the alias's move."""
    moves = [action for action in actions if isinstance(action, CreateAlias | MoveAlias)]
    if draft is None or any(action.mark is not None for action in moves):
        return ()
    readdressed = any(isinstance(action, CreateUrl | DeleteUrl) for action in actions)
    true_already = there is not None and there.draft == draft and not moves and not readdressed
    if true_already or not any(action.changes for action in actions):
        return ()
    return (MarkAlias(subject=ALIAS, reason="so that the next deploy has less to read", mark=draft),)
