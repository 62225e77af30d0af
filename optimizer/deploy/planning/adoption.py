"""Plans how callers of `$LATEST` come to call the alias: what is moved, in which order, and what has to stay.

They are moved before `$LATEST` changes, so that they never see it half-done: to the version that the alias serves,
where that is what they call now; where there is no such version, `$LATEST` is frozen as it is first. Where the alias
serves something else than `$LATEST` holds, they are moved when it serves the new version, and see what is between.
Permissions are nobody's way to call, and changing one changes the revision of what it is for, which guards the
deploy's own steps: so they are seen to when these are done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from optimizer.deploy.actions import CopyPermission, DropPermission, FreezeLatest, KeepCaller, MoveSource, PointAlias
from optimizer.deploy.planning.callers import FOLLOWS, CallingAlias, CallingPermission, CallingSource, CallingUrl
from optimizer.deploy.values import ALIAS, LATEST
from optimizer.deploy.wanted import AUTH

if TYPE_CHECKING:
    from collections.abc import Collection

    from optimizer.deploy.actions import Action
    from optimizer.deploy.planning.callers import Caller
    from optimizer.deploy.planning.statements import Permission, Statement
    from optimizer.deploy.values import Configuration, RemoteState, Url
    from optimizer.deploy.wanted import Wanted

_DESCRIPTION_CHARACTERS = 256
"""Of an alias's description (API model)."""
_STATEMENT_CHARACTERS = 100
"""Of a statement's id (API model)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What is done before `$LATEST` changes (`first`) and when the alias serves what is wanted (`last`).

    `frozen` is whether the first makes the alias; `exposed` are the callers who see `$LATEST` while it changes, each
    with why, `url` is the one without a qualifier, which the alias's is made like.
    """

    first: tuple[Action, ...] = ()
    last: tuple[Action, ...] = ()
    frozen: bool = False
    exposed: tuple[tuple[Caller, str], ...] = ()
    url: Url | None = None


def not_adopted(state: RemoteState) -> Adoption:
    """Everybody stays where they are."""
    return Adoption(exposed=tuple((caller, "") for caller in state.callers if not caller.waits))


def adopt(wanted: Wanted, state: RemoteState, *, changing: bool) -> Adoption:
    """Move to the alias whoever can be moved.

    Args:
        wanted: the function.
        state: with `callers` and `surroundings` read.
        changing: whether the deploy changes `$LATEST`.
    """
    url = next((caller.url for caller in state.callers if isinstance(caller, CallingUrl)), None)
    moves: list[Action] = []
    after: list[Action] = []
    stay: list[tuple[Caller, str]] = []
    moved: list[Caller] = []
    taken = {statement.sid for statement in state.surroundings.granted}
    same = _is_what_live_serves(state)
    for caller in state.callers:
        permission = caller.statement.permission() if isinstance(caller, CallingPermission) else None
        if isinstance(caller, CallingPermission) and permission is not None and permission.for_url and url is not None:
            if permission.principal != "*":  # the configuration says whether anybody may call the alias's
                after += _copies(caller.statement, permission, state, taken)
            continue  # it is told with the URL, which needs it
        actions, later, why = _plan(caller, wanted, state, taken, at_once=changing and same)
        moves += actions
        after += later
        if why is None:
            moved.append(caller)
        else:
            stay.append((caller, why))
    moved = [caller for caller in moved if not (caller.waits or _for_url(caller))]  # these call nothing now
    kept = [KeepCaller(subject=caller.told, reason=why) for caller, why in stay]
    if not (changing and same):
        late = f"it is moved after the deploy, since {ALIAS} serves something else than $LATEST holds"
        exposed = [*stay, *((caller, late) for caller in moved)]
        return Adoption(last=(*moves, *after, *kept), exposed=tuple(exposed), url=url)
    unserved = state.alias is None or state.alias.version == LATEST
    if unserved and not moved:
        return Adoption(last=(*moves, *after, *kept), exposed=tuple(stay), url=url)
    frozen = unserved
    why = "what its callers call now, while it changes" if state.alias is None else "the alias points at it"
    freeze = (FreezeLatest(subject=ALIAS, reason=why),) if frozen else ()
    return Adoption(first=(*freeze, *moves), last=(*after, *kept), frozen=frozen, exposed=tuple(stay), url=url)


def _plan(
    caller: Caller, wanted: Wanted, state: RemoteState, taken: set[str], *, at_once: bool
) -> tuple[list[Action], list[Action], str | None]:
    """What moves one caller, what is done when the alias serves what is wanted, and why it stays (None: it doesn't)."""
    match caller:
        case CallingUrl():
            return [], [], _url_stays(caller.url, wanted)
        case CallingSource():
            if caller.source in state.surroundings.sources:
                return [], [], f"it calls {ALIAS} too: delete one of the two mappings, this one is {caller.identifier}"
            why = f"from $LATEST to {ALIAS}"
            return [MoveSource(subject=_subject(caller), reason=why, identifier=caller.identifier)], [], None
        case CallingAlias(name="live"):
            return [], [], None  # the deploy itself moves it
        case CallingAlias():
            return _point(caller, at_once=at_once)
        case CallingPermission():
            return _permission(caller, wanted, state, taken)
        case _:
            assert_never(caller)


def _subject(caller: CallingSource) -> str:
    return caller.source.rpartition(":")[2] or caller.identifier


def _point(caller: CallingAlias, *, at_once: bool) -> tuple[list[Action], list[Action], None]:
    """To the version that is served now, and at the end to the new one; its description tells a next run of it."""
    own = caller.description.removesuffix(FOLLOWS).rstrip()
    marked = f"{own} {FOLLOWS}".lstrip()
    if len(marked) > _DESCRIPTION_CHARACTERS:
        marked = own
    now = PointAlias(
        subject=caller.name,
        reason=f"from $LATEST to the version that {ALIAS} serves",
        description=marked,
        revision=caller.revision,
    )
    end = PointAlias(
        subject=caller.name,
        reason=f"to the version that {ALIAS} serves; later deploys move {ALIAS} alone",
        description=own,
        revision=caller.revision,
    )
    return ([now] if at_once and not caller.waits else []), [end], None


def _permission(
    caller: CallingPermission, wanted: Wanted, state: RemoteState, taken: set[str]
) -> tuple[list[Action], list[Action], str | None]:
    """Copied to the alias; taken from the function only where its source is known not to call it that way."""
    statement, name = caller.statement, wanted.function.name
    permission = statement.permission()
    arn = _function_arn(state)
    instead = f"{arn}:{ALIAS}"
    remove = f"aws lambda remove-permission --region {state.region} --function-name {name} --statement-id"
    removed = f"then remove it: {remove} {statement.sid}"
    if permission is None:
        return [], [], f"AddPermission can't say what it says: grant the like of it on {instead}, {removed}"
    if permission.for_url:  # and there is no URL without a qualifier
        return [], [_drop(statement, "the function has no URL without a qualifier")], None
    copies = _copies(statement, permission, state, taken)
    targets = state.surroundings.targets.get(statement.source_arn)
    if targets is None:
        who = _who(permission)
        return [], copies, f"whom {who} calls can't be seen from here: point it at {instead}, {removed}"
    source = statement.source_arn
    if targets & {arn, f"{arn}:{LATEST}"}:
        return [], copies, f"{source} calls {arn}: point it at {instead}; the next --adopt removes the permission then"
    return [], [*copies, _drop(statement, f"{source} does not call the function without a qualifier")], None


def _copies(statement: Statement, permission: Permission, state: RemoteState, taken: set[str]) -> list[Action]:
    """The same permission on the alias, unless it is there under any id."""
    if permission in {granted.permission() for granted in state.surroundings.granted}:
        return []
    sid = _free(statement.sid, taken)
    taken.add(sid)
    why = f"{_who(permission)} may call {ALIAS} as it may call the function"
    return [CopyPermission(subject=statement.sid, reason=why, statement=sid, permission=permission)]


def _drop(statement: Statement, reason: str) -> DropPermission:
    return DropPermission(subject=statement.sid, reason=reason, statement=statement.sid)


def _who(permission: Permission) -> str:
    return permission.source_arn or permission.principal


def _free(sid: str, taken: Collection[str]) -> str:
    """The statement's own id, or one like it where the alias has another of that id."""
    found, number = sid, 1
    while found in taken:
        end = f"-{number}"
        found = f"{sid[: _STATEMENT_CHARACTERS - len(end)]}{end}"
        number += 1
    return found


def _url_stays(url: Url, wanted: Wanted) -> str:
    """Its address can't be given to the alias: whoever knows it has to be told the other."""
    auth = AUTH[wanted.function.url]
    if auth is None:
        return 'the configuration gives the alias no URL: set url to "iam" or "public", and let callers use that one'
    differs = f", which asks for {auth} by the configuration, not for {url.auth}" if auth != url.auth else ""
    return f"an address can't be moved: let its callers use the URL of {ALIAS}{differs}; then delete it"


def _for_url(caller: Caller) -> bool:
    if not isinstance(caller, CallingPermission):
        return False
    permission = caller.statement.permission()
    return permission is not None and permission.for_url


def _function_arn(state: RemoteState) -> str:
    there = state.latest or state.live
    return ":".join(there.arn.split(":")[:7]) if there is not None else ""


def _is_what_live_serves(state: RemoteState) -> bool:
    """Whether the alias serves what `$LATEST` holds, or is nobody's yet."""
    if state.live is None or state.latest is None or state.live.version == LATEST:
        return True
    return _what(state.live) == _what(state.latest)


def _what(there: Configuration) -> tuple[object, ...]:
    return (
        there.code_sha256,
        there.layer_arns,
        there.architecture,
        there.handler,
        there.runtime,
        there.environment,
    )
