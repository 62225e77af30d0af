"""All functions of a manifest in all their regions: planned as a whole, then executed one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from optimizer.deploy.actions import PublishLayer, sent_artifact
from optimizer.deploy.change_set import make_change_set
from optimizer.deploy.execute import Deployed, Execution
from optimizer.deploy.read import read_state
from optimizer.deploy.sharing import Sharing
from optimizer.deploy.shift import check_may_share
from optimizer.deploy.uploads import check_zips
from optimizer.deploy.wanted import Wanted
from optimizer.errors import DeployRefusedError, OptimizerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from optimizer.build import Function, Manifest
    from optimizer.deploy.actions import ChangeSet
    from optimizer.deploy.clock import Clock
    from optimizer.deploy.port import Aws
    from optimizer.deploy.publishing import Journal
    from optimizer.deploy.values import LayerKey, LayerVersion
    from optimizer.deploy.wanted import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One function in one region: what was to be done, and what came of it.

    `outcome`: `done` also where nothing was to be done or nothing was executed; `refused` before anything was changed;
    `failed` where the check or somebody else stopped it. `error` says why.
    """

    function: str
    region: str
    changes: ChangeSet | None
    outcome: Literal["done", "refused", "failed"] = "done"
    result: Deployed | None = None
    error: OptimizerError | None = None


@dataclass(slots=True, kw_only=True)
class Deployer:
    """Plans and executes; `connect` gives AWS in a region.

    `planned_layers` are the fingerprints by name of layers that the manifest does not hold, since they were not built.
    """

    manifest: Manifest
    options: Options
    connect: Callable[[str], Aws]
    clock: Clock
    journal: Journal
    progress: Callable[[str], None]
    planned_layers: Mapping[str, str] = field(default_factory=dict)

    def plan(self) -> tuple[Deployment, ...]:
        """Read what is there and decide, for every function in every region; nothing is changed.

        Raises:
            ArtifactError: a zip that would be sent is not what was built.
            AwsError: a call failed.
        """
        coming: dict[str, set[LayerKey]] = {}
        sharing = Sharing(share=None if self.options.code_only else self.manifest.share)
        planned = [
            self._planned(function, region, coming.setdefault(region, set()), sharing)
            for function in self.manifest.functions
            for region in function.regions
        ]
        check_zips(
            self.manifest,
            [
                artifact
                for deployment in planned
                for action in (deployment.changes.actions if deployment.changes else ())
                if (artifact := sent_artifact(action)) is not None
            ],
        )
        return tuple(planned)

    def _planned(self, function: Function, region: str, coming: set[LayerKey], sharing: Sharing) -> Deployment:
        try:
            wanted = Wanted.of(self.manifest, function, code_only=self.options.code_only, planned=self.planned_layers)
            state = read_state(self.connect(region), wanted, self.clock, adopt=self.options.adopt)
            changes = make_change_set(wanted, state, self.options, coming=coming)
            changes = sharing.added(self.connect(region), changes)
            check_may_share(self.connect(region), changes)
        except DeployRefusedError as error:
            return Deployment(function=function.name, region=region, changes=None, outcome="refused", error=error)
        coming.update((a.subject, a.artifact.fingerprint) for a in changes.actions if isinstance(a, PublishLayer))
        return Deployment(function=function.name, region=region, changes=changes)

    def execute(self, planned: Sequence[Deployment]) -> tuple[Deployment, ...]:
        """Carry out what was planned; one that is stopped by its check does not stop the others.

        Raises:
            AwsError: a call failed; the journal holds what was done.
        """
        published: dict[str, dict[LayerKey, LayerVersion]] = {}
        return tuple(self._executed(one, published.setdefault(one.region, {})) for one in planned)

    def _executed(self, one: Deployment, published: dict[LayerKey, LayerVersion]) -> Deployment:
        if one.changes is None:
            return one
        execution = Execution(
            aws=self.connect(one.region),
            manifest=self.manifest,
            changes=one.changes,
            clock=self.clock,
            journal=self.journal,
            published=published,
            progress=self.progress,
        )
        try:
            result = execution.run()
        except DeployRefusedError as error:
            return Deployment(
                function=one.function,
                region=one.region,
                changes=one.changes,
                outcome="failed",
                result=execution.so_far(),
                error=error,
            )
        return Deployment(function=one.function, region=one.region, changes=one.changes, result=result)
