"""A change set as commands of the AWS CLI: what a person would call by hand, action by action, as one bash script."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from optimizer.deploy import ALIAS
from optimizer.deploy.actions import (
    AttachLayers,
    AttachPolicy,
    Check,
    CopyPermission,
    CreateAlias,
    CreateFunction,
    CreateRole,
    CreateUrl,
    DeletePolicy,
    DeleteUrl,
    DropPermission,
    DropUpload,
    FreezeLatest,
    Grant,
    KeepAlias,
    KeepCaller,
    KeepCode,
    KeepLayer,
    KeepUrl,
    MarkAlias,
    MoveAlias,
    MoveSource,
    PointAlias,
    PublishLayer,
    PublishVersion,
    PutPolicy,
    ReturnTraffic,
    Revoke,
    ShareLayer,
    ShiftTraffic,
    TagFunction,
    UnshareLayer,
    UpdateCode,
    UpdateSettings,
    UpdateUrl,
    UseVersion,
    Watch,
)
from optimizer.deploy.boto.traffic import METRICS, metric_queries
from optimizer.deploy.execution.adoption_calls import FROZEN
from optimizer.deploy.mark import bare_text
from optimizer.report.cli_writer import Run, Writer
from optimizer.report.shell import Command, Option, Var, Word, joined, shell, word
from optimizer.runtime.url_events import check_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.deploy import Action, ChangeSet
    from optimizer.deploy.mark import Draft
    from optimizer.deploy.values import Url

_CHECK_ID = "00000000-0000-0000-0000-000000000000"
_GOOD = '"statusCode": ?2[0-9][0-9]'
_UNSHARED = "AdditionalVersionWeights={}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalents(Run):
    """The commands of every change set of one run."""

    def of(self, changes: ChangeSet) -> tuple[tuple[Command, ...], ...]:
        """The commands for each action of a change set, in the order in which they are to be called."""
        writer = _Commands(run=self, changes=changes)
        writer.before_any()
        return tuple(tuple(writer.commands(action)) for action in changes.actions)


@dataclass(slots=True, kw_only=True)
class _Commands(Writer):
    """The commands of one change set, and those that lead to the new version in particular."""

    def commands(self, action: Action) -> Sequence[Command]:  # noqa: C901, PLR0911, PLR0912  one arm for each action
        """What does the same as an action."""
        match action:
            case KeepLayer() | KeepCode() | KeepAlias() | KeepUrl() | KeepCaller():
                return ()
            case PublishLayer():
                return self.publish_layer(action)
            case ShareLayer() | UnshareLayer():
                return [self.share(action)]
            case DropUpload():
                return [self.drop_upload(action)]
            case CreateRole() | AttachPolicy() | PutPolicy() | DeletePolicy():
                return self.role_(action)
            case CreateFunction() | UpdateCode() | AttachLayers() | UpdateSettings():
                return self.update(action)
            case TagFunction():
                return self.tag(action)
            case PublishVersion():
                return [self._publish(action.description), self._version_active()]
            case Check():
                return self._check(action)
            case CreateAlias():
                return [self._alias("create", function_version=self.version, description=self._mark(action.mark))]
            case MoveAlias() | ReturnTraffic() | ShiftTraffic() | Watch():
                return self._traffic(action)
            case UseVersion():
                self.version = action.version
                return [self._version_active()]
            case MarkAlias():
                return [self._alias("update", description=self._mark(action.mark))]
            case CreateUrl() | UpdateUrl() | DeleteUrl():
                return [self._url(action)]
            case Grant() | Revoke() | CopyPermission() | DropPermission():
                return self._permission(action)
            case FreezeLatest() | MoveSource() | PointAlias():
                return self._adopt(action)
            case _:
                assert_never(action)

    def _alias(self, verb: str, into: str | None = None, alias: str = ALIAS, /, **given: Option) -> Command:
        return self.function(f"{verb}-alias", into, name=alias, **given)

    def _publish(self, description: str) -> Command:
        self.version = Var(name="VERSION")
        return self.function(
            "publish-version",
            "VERSION",
            description=description,
            code_sha256=self.code,
            revision_id=self.revision,
            query="Version",
        )

    def _version_active(self) -> Command:
        return self.function("wait published-version-active", qualifier=self.version)

    def _check(self, action: Check) -> list[Command]:
        event = check_event(action.path, request_id=_CHECK_ID, now=0.0).decode()
        call = self.function("invoke", qualifier=self.version, cli_read_timeout=0, payload="fileb:///dev/stdin")
        return [
            Command(parts=("mktemp",), into="ANSWER"),
            Command(parts=(*call.parts, '"$ANSWER"', f"<<< {word(event)}")),
            shell(f'grep -Eq {word(_GOOD)} "$ANSWER" # else it stops here, and the alias stays as it is'),
        ]

    def _traffic(self, action: MoveAlias | ReturnTraffic | ShiftTraffic | Watch) -> list[Command]:
        match action:
            case MoveAlias():
                guard = self.alias_revision or action.revision
                description, routing = self._mark(action.mark), _UNSHARED if self.shared else None
                given: dict[str, Option] = {"description": description, "routing_config": routing}
                return [self._alias("update", function_version=self.version, revision_id=guard, **given)]
            case ReturnTraffic():
                return [self._give(_UNSHARED, action.revision)]
            case ShiftTraffic():
                began = [] if self.shared else [Command(parts=("date -u +%Y-%m-%dT%H:%M:00Z",), into="BEGAN")]
                self.shared = True
                weights = joined("AdditionalVersionWeights={", self.version, f"={action.share:g}", "}")
                return [*began, self._give(weights, action.revision)]
            case Watch():
                return self._watch(action)

    def _give(self, routing: Word, planned: str) -> Command:
        """Share the traffic; the alias's next revision is known then."""
        guard = self.alias_revision or planned
        self.alias_revision = Var(name="ALIAS_REVISION")
        return self._alias("update", "ALIAS_REVISION", routing_config=routing, revision_id=guard, query="RevisionId")

    def _watch(self, action: Watch) -> list[Command]:
        """Look once, at the end: how many calls failed of how many."""
        places = _Placed()
        queries = metric_queries(self.changes.function, ALIAS, "VERSION")
        asked = json.dumps(queries).replace('"VERSION"', f'"{places.put(self.version)}"')
        sums = [f"sum(MetricDataResults[?Id=='{name}'].Values[])" for name in METRICS]
        read = self.aws(
            "cloudwatch",
            "get-metric-data",
            "RATES",
            metric_data_queries=places.words(asked),
            start_time=Var(name="BEGAN"),
            end_time=Var(name="NOW"),
            query=f"[{', '.join(sums)}]",
        )
        back = self._alias("update", routing_config=_UNSHARED, revision_id=self.alias_revision)
        rate, failed, of = f"{action.max_error_rate:g}", ("$2", "$4"), ("$1", "$3")
        over = " || ".join(f"{wrong} > {rate} * {all_}" for wrong, all_ in zip(failed, of, strict=True))
        return [
            shell(f"sleep {action.seconds:g} # deploy looks every half a minute meanwhile"),
            Command(parts=("date -u +%Y-%m-%dT%H:%M:59Z",), into="NOW"),
            read,
            Command(parts=(f"if awk '{{ exit !({over}) }}' <<< \"$RATES\"; then", *back.parts), more="; exit 1; fi"),
        ]

    def _mark(self, draft: Draft | None) -> Word | None:
        """The alias's description, put together by the shell where it tells of what is made on the way."""
        if self.changes.words:
            return self.changes.words
        before, places = self.changes.before, _Placed()
        if draft is None:
            return places.words(bare_text(places.put(self.version), before))
        numbers = [places.put(self._number(one.name, one.fingerprint, one.version)) for one in self.changes.layers]
        url = None if self.url is None else places.put(self.url)
        return places.words(draft.said(places.put(self.version), numbers, url, before))

    def _number(self, name: str, fingerprint: str, version: int | None) -> Word:
        if version is not None:
            return str(version)
        return Var(name=self.run.layer(self.changes.region, name, fingerprint).name, number=True)

    def _url(self, action: CreateUrl | UpdateUrl | DeleteUrl) -> Command:
        if isinstance(action, DeleteUrl):
            self.url = None
            return self.function("delete-function-url-config", qualifier=ALIAS)
        given: dict[str, Option] = {"qualifier": ALIAS, "auth_type": action.auth, **_manners(action.like)}
        if isinstance(action, UpdateUrl):
            return self.function("update-function-url-config", **given)
        self.url = Var(name="URL")
        return self.function("create-function-url-config", "URL", **given, query="FunctionUrl")

    def _permission(self, action: Grant | Revoke | CopyPermission | DropPermission) -> list[Command]:
        match action:
            case Grant():
                allowed: dict[str, Option] = (
                    {"action": "lambda:InvokeFunction", "invoked_via_function_url": True}
                    if action.via_url_only
                    else {"action": "lambda:InvokeFunctionUrl", "function_url_auth_type": "NONE"}
                )
                given: dict[str, Option] = {"statement_id": action.statement, "principal": "*", **allowed}
                return [self.function("add-permission", qualifier=ALIAS, **given)]
            case Revoke():
                return [self.function("remove-permission", qualifier=ALIAS, statement_id=action.statement)]
            case CopyPermission():
                to = action.permission
                ask = shell(': "${EVENT_SOURCE_TOKEN:?the policy has it; it is not printed}"', first=True)
                copy = self.function(
                    "add-permission",
                    qualifier=ALIAS,
                    statement_id=action.statement,
                    principal=to.principal,
                    action=to.action,
                    source_arn=to.source_arn or None,
                    source_account=to.source_account or None,
                    principal_org_id=to.organization or None,
                    event_source_token=Var(name="EVENT_SOURCE_TOKEN") if to.event_source_token else None,
                    function_url_auth_type=to.url_auth or None,
                    invoked_via_function_url=to.via_url_only,
                )
                return [*([ask] if to.event_source_token else []), copy]
            case DropPermission():
                return [self.function("remove-permission", statement_id=action.statement)]

    def _adopt(self, action: FreezeLatest | MoveSource | PointAlias) -> list[Command]:
        match action:
            case FreezeLatest():
                publish, there = self._publish(FROZEN), self.changes.version is not None
                point = self._alias(
                    "update" if there else "create",
                    "ALIAS_REVISION",
                    function_version=self.version,
                    description=self.changes.words,
                    routing_config=_UNSHARED if there else None,
                    query="RevisionId",
                )
                self.alias_revision = Var(name="ALIAS_REVISION")
                return [publish, self._version_active(), point, self.read_revision()]
            case MoveSource():
                target = f"{self.changes.function}:{ALIAS}"
                return [self.lambda_("update-event-source-mapping", uuid=action.identifier, function_name=target)]
            case PointAlias():
                return [
                    self._alias(
                        "update",
                        None,
                        action.subject,
                        function_version=self.version,
                        description=action.description,
                        revision_id=action.revision,
                    )
                ]


@dataclass(slots=True)
class _Placed:
    """Values that are put into a text that is made elsewhere, to be taken out of it again as words."""

    values: list[Word] = field(default_factory=list)

    def put(self, value: Word) -> str:
        """A place for a value."""
        self.values.append(value)
        return f"\0{len(self.values) - 1}\0"

    def words(self, text: str) -> Word:
        """The text with the values in their places."""
        return joined(*(self.values[int(x)] if n % 2 else x for n, x in enumerate(text.split("\0"))))


def _manners(like: Url | None) -> dict[str, Option]:
    """CORS and invoke mode of a URL."""
    if like is None:
        return {}
    return {"invoke_mode": like.mode, "cors": json.dumps(like.cors) if like.cors is not None else None}
