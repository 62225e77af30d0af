"""All functions of a manifest in all their regions: regions side by side, the functions of one after the other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from optimizer.deploy.actions import PublishLayer, sent_artifact
from optimizer.deploy.execution.execute import Deployed, Execution
from optimizer.deploy.execution.shift import check_may_share
from optimizer.deploy.execution.uploads import check_zips, left_behind
from optimizer.deploy.planning.change_set import make_change_set
from optimizer.deploy.planning.read import read_state
from optimizer.deploy.planning.sharing import Sharing
from optimizer.deploy.rejections import CallRejectedError
from optimizer.deploy.wanted import Wanted
from optimizer.errors import AwsError, DeployRefusedError, OptimizerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from optimizer.build import Function, Manifest
    from optimizer.deploy.actions import ChangeSet
    from optimizer.deploy.clock import Clock
    from optimizer.deploy.execution.publishing import Journal
    from optimizer.deploy.port import Aws
    from optimizer.deploy.values import LayerKey, LayerVersion
    from optimizer.deploy.wanted import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One function in one region: what was to be done, and what came of it.

    `outcome`: `done` also where nothing was to be done or nothing was executed; `refused` before anything was changed;
    `failed` where AWS, the check or somebody else stopped it. `error` says why.
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
    `stop` is set when somebody asks to stop while regions are worked on side by side.
    """

    manifest: Manifest
    options: Options
    connect: Callable[[str], Aws]
    clock: Clock
    journal: Journal
    progress: Callable[[str], None]
    planned_layers: Mapping[str, str] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def plan(self) -> tuple[Deployment, ...]:
        """Read what is there and decide, for every function in every region; nothing is changed.

        What AWS refuses for one of them does not keep the others from being planned.

        Raises:
            ArtifactError: a zip that would be sent is not what was built.
        """
        coming: dict[str, set[LayerKey]] = {}
        sharing = Sharing(share=None if self.options.code_only else self.manifest.share)

        def changes(function: Function, aws: Aws) -> ChangeSet:
            known = coming.setdefault(aws.region, set())
            wanted = Wanted.of(self.manifest, function, code_only=self.options.code_only, planned=self.planned_layers)
            state = read_state(aws, wanted, self.clock, adopt=self.options.adopt)
            decided = sharing.added(aws, make_change_set(wanted, state, self.options, coming=known))
            check_may_share(aws, decided)
            if decided.changes:
                left = left_behind(aws, self.manifest, decided.actions, self.options.bucket, self.progress)
                decided = replace(decided, actions=(*left, *decided.actions))
            known.update((a.subject, a.artifact.fingerprint) for a in decided.actions if isinstance(a, PublishLayer))
            return decided

        planned = self.decide(changes)
        check_zips(
            self.manifest,
            [
                artifact
                for deployment in planned
                for action in (deployment.changes.actions if deployment.changes else ())
                if (artifact := sent_artifact(action)) is not None
            ],
        )
        return planned

    def decide(self, changes: Callable[[Function, Aws], ChangeSet]) -> tuple[Deployment, ...]:
        """What `changes` decides for every function in its regions, each with its own refusal or failure."""
        functions = {function.name: function for function in self.manifest.functions}

        def decided(place: Deployment) -> Deployment:
            try:
                return replace(place, changes=changes(functions[place.function], self.connect(place.region)))
            except DeployRefusedError as error:
                return replace(place, outcome="refused", error=error)

        return self._in_regions(
            [
                Deployment(function=function.name, region=region, changes=None)
                for function in functions.values()
                for region in function.regions
            ],
            decided,
        )

    def execute(self, planned: Sequence[Deployment]) -> tuple[Deployment, ...]:
        """Carry out what was planned; one that is stopped does not stop the others.

        Raises:
            KeyboardInterrupt: somebody asked to stop; what was under way in each region was ended first.
        """
        published: dict[str, dict[LayerKey, LayerVersion]] = {}
        return self._in_regions(planned, lambda one: self._executed(one, published.setdefault(one.region, {})))

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
            progress=self._progress(one),
            stopping=self.stop.is_set,
        )
        try:
            result = execution.run()
        except (DeployRefusedError, AwsError) as error:
            return replace(one, outcome="failed", result=execution.so_far(), error=error)
        return replace(one, result=result)

    def _progress(self, one: Deployment) -> Callable[[str], None]:
        """Lines that tell their region, where there are several."""
        if len({region for function in self.manifest.functions for region in function.regions}) == 1:
            return self.progress
        return lambda line: self.progress(f"{one.region}: {line}")

    def _in_regions(self, ones: Sequence[Deployment], do: Callable[[Deployment], Deployment]) -> tuple[Deployment, ...]:
        """Do it for each, region by region side by side; the answers in the order of what was given.

        Raises:
            KeyboardInterrupt: somebody asked to stop.
        """
        regions = list(dict.fromkeys(one.region for one in ones))
        done: dict[int, Deployment] = {}

        def run(region: str) -> None:
            unreached: AwsError | None = None
            for number, one in enumerate(ones):
                if one.region == region:
                    if unreached is None:
                        done[number], unreached = _tried(one, do)
                    else:
                        done[number] = replace(one, outcome="failed", error=unreached)

        if len(regions) == 1:
            run(regions[0])  # in the main thread, where Ctrl-C arrives
        else:
            with ThreadPoolExecutor(max_workers=max(len(regions), 1), thread_name_prefix="region") as pool:
                futures = [pool.submit(run, region) for region in regions]
                try:
                    wait(futures)
                except KeyboardInterrupt:
                    self.stop.set()
                    self.progress("stopping in each region after the step that is under way")
                    raise
            for future in futures:
                future.result()
        return tuple(done[number] for number in range(len(ones)))


def _tried(one: Deployment, do: Callable[[Deployment], Deployment]) -> tuple[Deployment, AwsError | None]:
    """What came of it, and the error where the region can't be reached: then nothing else is tried there."""
    try:
        result = do(one)
    except AwsError as error:
        result = replace(one, outcome="failed", error=error)
    stopped = result.error
    return result, stopped if isinstance(stopped, AwsError) and not isinstance(stopped, CallRejectedError) else None
