"""Finds what can be deleted in a region and deletes it, each after another look whether anything uses it now."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from optimizer.deploy.fleet.region import RegionFunction, read_region
from optimizer.deploy.pruning.prune import (
    Judged,
    calls_since,
    judge_function,
    judge_layer,
    users_of,
    with_callers,
    with_sharing,
)
from optimizer.deploy.pruning.usage import Usage
from optimizer.deploy.rejections import CallRejectedError
from optimizer.errors import AwsError
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from optimizer.deploy.port import Aws
    from optimizer.deploy.pruning.prune import Rules
    from optimizer.deploy.values import CodeStorage

Outcome = Literal["deleted", "kept", "gone"]
"""`gone`: somebody else deleted it meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """One region: every version that was judged, the code storage before, and the `error` that hid them.

    After execution also what became of those that could go, by ARN, with the reasons of those that were kept after
    all, the code storage after, and `late`: what somebody attached in the very moment in which it was deleted.
    """

    region: str
    versions: tuple[Judged, ...] = ()
    storage: CodeStorage | None = None
    error: AwsError | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    late: dict[str, tuple[str, ...]] = field(default_factory=dict)
    after: CodeStorage | None = None

    @property
    def going(self) -> tuple[Judged, ...]:
        """What can go: versions of functions first, since they keep layers in use."""
        return tuple(one for one in self.versions if one.reason is None)

    @property
    def bytes(self) -> int:
        """Zipped bytes of what can go."""
        return sum(one.zipped_bytes or 0 for one in self.going)

    @property
    def freed_bytes(self) -> int:
        """Zipped bytes of what was deleted."""
        return sum(one.zipped_bytes or 0 for one in self.going if self.outcomes.get(one.arn) == "deleted")


@dataclass(slots=True, kw_only=True)
class Pruner:
    """Plans and executes in the `regions`; `connect` gives AWS in one.

    `layers` are the names of the layers that are looked at, `functions` those whose old versions are, none for none.
    `done` is told what is done, for whoever has to tell it when the rest does not happen.
    """

    layers: Sequence[str]
    functions: Sequence[str]
    rules: Rules
    connect: Callable[[str], Aws]
    progress: Callable[[str], None]
    note: Callable[[str], None]
    done: list[str] = field(default_factory=list)
    _usage: dict[str, Usage] = field(default_factory=dict)

    def plan(self, regions: Sequence[str]) -> tuple[Pruning, ...]:
        """What can go in each region; nothing is changed. One that can't be read whole is refused whole."""
        return tuple(self._planned(region) for region in regions)

    def execute(self, planned: Sequence[Pruning]) -> tuple[Pruning, ...]:
        """Delete what was planned and still can go; an error in one region does not stop the others."""
        return tuple(
            one if one.error is not None or not one.going else self._executed(one, self.connect(one.region))
            for one in planned
        )

    def _planned(self, region: str) -> Pruning:
        try:
            return self._read(self.connect(region))
        except AwsError as error:
            return Pruning(region=region, error=error)

    def _read(self, aws: Aws) -> Pruning:
        storage = aws.code_storage()
        names = set(self.functions)
        inventory = read_region(aws, matters=lambda one: one.name in names, progress=self.progress)
        self._usage[aws.region] = Usage(aws, inventory)
        functions = [
            judged
            for one in inventory
            if one.name in names
            for judged in judge_function(one, aws.provisioned(one.name), self.rules.keep)
        ]
        old = [self._with_callers(aws, one) for one in functions]
        going = {one.name for one in old if one.reason is None}
        users = users_of((version for one in inventory for version in one.every), without=going)
        layers = [
            self._weighed(aws, with_sharing(one, _shared(aws, one)))
            for layer in self.layers
            for one in judge_layer(layer, aws.layer_versions(layer) or (), users, self.rules)
        ]
        return Pruning(region=aws.region, storage=storage, versions=(*old, *layers))

    def _with_callers(self, aws: Aws, one: Judged) -> Judged:
        if one.reason is not None:
            return one
        name, version, since = one.subject, str(one.version), calls_since(one, datetime.now(UTC))
        return with_callers(one, aws.callers_of_version(name, version), aws.calls_by_number(name, version, since=since))

    def _weighed(self, aws: Aws, one: Judged) -> Judged:
        """With the bytes of what can go; listings do not tell them."""
        facts = aws.layer_facts(one.arn) if one.reason is None else None
        return one if facts is None or isinstance(facts, str) else replace(one, zipped_bytes=facts.zipped_bytes)

    def _executed(self, planned: Pruning, aws: Aws) -> Pruning:
        outcomes: dict[str, Outcome] = {}
        kept: dict[str, str] = {}
        late: dict[str, tuple[str, ...]] = {}
        error, after = None, None
        try:
            for one in planned.going:
                outcomes[one.arn] = self._delete(aws, one, kept)
            layers = {o.arn for o in planned.going if o.kind == "layer" and outcomes[o.arn] == "deleted"}
            if layers:
                late = {arn: users for arn, users in self._usage[aws.region].again().items() if arn in layers}
            after = aws.code_storage()
        except AwsError as caught:
            error = caught
        return replace(planned, outcomes=outcomes, kept=kept, late=late, after=after, error=error)

    def _delete(self, aws: Aws, one: Judged, kept: dict[str, str]) -> Outcome:
        """Look again, by the same rules and at what there is now; then delete it or leave it."""
        now = next((other for other in self._again(aws, one) if other.arn == one.arn), None)
        if now is None:
            return "gone"
        why = now.detail if now.reason is not None else self._refused(aws, one)
        if why is not None:
            kept[one.arn] = why
            self.note(f"kept {one.kind} {one.name} in {aws.region}: {why}")
            return "kept"
        self.done.append(f"{one.kind} {one.name} in {aws.region}")
        self.note(f"deleted {one.kind} {one.name} in {aws.region} ({human_bytes(one.zipped_bytes or 0)})")
        return "deleted"

    def _refused(self, aws: Aws, one: Judged) -> str | None:
        """Delete it; why Lambda would not, where somebody pointed an alias at it in this moment."""
        if one.kind == "layer":
            aws.delete_layer_version(one.subject, one.version)
            return None
        try:
            aws.delete_version(one.subject, str(one.version))
        except CallRejectedError as error:
            if error.aws_code != "ResourceConflictException":
                raise
            return error.aws_message
        self._usage[aws.region].forget(one.subject, str(one.version))
        return None

    def _again(self, aws: Aws, one: Judged) -> Iterator[Judged]:
        """The version as it is now: listings and policies are read anew, just before it is deleted."""
        if one.kind == "layer":
            listed = aws.layer_versions(one.subject) or ()
            shared = _shared(aws, one)
            for judged in judge_layer(one.subject, listed, self._usage[aws.region].again(), self.rules):
                yield with_sharing(judged, shared) if judged.arn == one.arn else judged
            return
        latest = aws.configuration(one.subject)
        if latest is None:
            return
        function = RegionFunction(
            name=one.subject,
            latest=latest,
            versions=aws.versions(one.subject),
            aliases=aws.aliases(one.subject),
        )
        for judged in judge_function(function, aws.provisioned(one.subject), self.rules.keep):
            yield self._with_callers(aws, judged) if judged.arn == one.arn else judged


def _shared(aws: Aws, one: Judged) -> tuple[str, ...] | None:
    """Whom a layer version that can go is shared with."""
    return aws.shared_with(one.subject, one.version) if one.reason is None else ()
