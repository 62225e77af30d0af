"""`publish`: layers alone, region by region side by side, shared and told to others where that is asked for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from optimizer.deploy.actions import PublishLayer
from optimizer.deploy.execution.publishing import publish_layers, put_parameters
from optimizer.deploy.execution.uploads import check_zips, left_behind
from optimizer.deploy.planning.own_layers import layer_action
from optimizer.deploy.planning.sharing import Sharing, share_layer
from optimizer.errors import AwsError, DeployRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optimizer.build import Manifest
    from optimizer.deploy.actions import KeepLayer, ShareLayer, UnshareLayer
    from optimizer.deploy.execution.publishing import Journal
    from optimizer.deploy.port import Aws
    from optimizer.deploy.values import LayerKey, LayerVersion
    from optimizer.errors import OptimizerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One layer in one region: what is done about it, `version` once it has one; `shares` is who may attach it then."""

    action: PublishLayer | KeepLayer
    shares: tuple[ShareLayer | UnshareLayer, ...] = ()
    version: LayerVersion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What `publish` did in one region; `parameters` are those that were written, `error` is what stopped it there."""

    region: str
    layers: tuple[Publication, ...] = ()
    parameters: tuple[str, ...] = ()
    error: OptimizerError | None = None


@dataclass(slots=True, kw_only=True)
class Publisher:
    """Plans and publishes; `connect` gives AWS in a region, `ssm` is where parameters with the ARNs begin.

    `stop` is set when somebody asks to stop: each region ends what is under way.
    """

    manifest: Manifest
    connect: Callable[[str], Aws]
    bucket: str | None
    ssm: str | None
    journal: Journal
    progress: Callable[[str], None]
    stop: threading.Event = field(default_factory=threading.Event)

    def plan(self, regions: Sequence[str]) -> tuple[Published, ...]:
        """What there is to do in each region; nothing is changed. One that can't be read has its error.

        Raises:
            KeyboardInterrupt: somebody asked to stop.
        """
        sharing = Sharing(share=self.manifest.share)
        planned = self._side_by_side(lambda one: replace(one, layers=self._planned(one.region, sharing)), regions)
        return tuple(planned.values())

    def publish(self, regions: Sequence[str]) -> tuple[Published, ...]:
        """Publish in each region the layers whose fingerprints are new there; one that fails stops no other.

        Raises:
            ArtifactError: a zip that would be sent is not what was built.
            KeyboardInterrupt: somebody asked to stop.
        """
        planned = {one.region: one for one in self.plan(regions)}
        check_zips(
            self.manifest,
            [x.action.artifact for one in planned.values() for x in one.layers if isinstance(x.action, PublishLayer)],
        )
        several = len(planned) > 1
        ready = [region for region, one in planned.items() if one.error is None]
        done = self._side_by_side(lambda one: self._published(planned[one.region], several=several), ready)
        return tuple(done.get(region, one) for region, one in planned.items())

    def _planned(self, region: str, sharing: Sharing) -> tuple[Publication, ...]:
        aws, target = self.connect(region), self.manifest.target
        found = []
        for layer in self.manifest.artifacts:
            if layer.kind != "layer" or not layer.files:  # Lambda takes no empty zip
                continue
            action = layer_action(
                layer,
                aws.find_layer(layer.name, layer.fingerprint, runtime=target.runtime, architecture=target.architecture),
                runtime=target.runtime,
                architecture=target.architecture,
                bucket=self.bucket,
            )
            there = None if isinstance(action, PublishLayer) else action.found
            found.append(Publication(action=action, shares=sharing.of(aws, action), version=there))
        return tuple(found)

    def _published(self, planned: Published, *, several: bool) -> Published:
        """Publish, then share, then tell: whoever reads a parameter may attach what it names."""
        aws, region = self.connect(planned.region), planned.region
        published: dict[LayerKey, LayerVersion] = {}
        written: list[str] = []
        error: OptimizerError | None = None

        def say(line: str) -> None:
            self.progress(f"{region}: {line}" if several else line)

        try:
            sending = [one.action for one in planned.layers if isinstance(one.action, PublishLayer)]
            for left in left_behind(aws, self.manifest, sending, self.bucket, say):
                aws.unstore(left.bucket, left.key, upload=left.upload)
                self.journal.done.append(left)
            publish_layers(
                aws,
                self.manifest,
                sending,
                published=published,
                journal=self.journal,
                progress=say,
                stopping=self.stop.is_set,
            )
            for share in (share for one in planned.layers for share in one.shares):
                self._go_on()
                share_layer(aws, share, published)
                self.journal.done.append(share)
            if self.ssm is not None:
                self._go_on()
                versions = [version for one in planned.layers if (version := _version(one, published)) is not None]
                put_parameters(aws, self.ssm, versions, written)
        except (AwsError, DeployRefusedError) as stopped:
            error = stopped
        for name in written:
            say(f"wrote the parameter {name}")
        layers = tuple(replace(one, version=_version(one, published)) for one in planned.layers)
        return replace(planned, layers=layers, parameters=tuple(written), error=error)

    def _go_on(self) -> None:
        if self.stop.is_set():
            raise KeyboardInterrupt

    def _side_by_side(self, do: Callable[[Published], Published], regions: Sequence[str]) -> dict[str, Published]:
        def tried(region: str) -> Published:
            try:
                return do(Published(region=region))
            except (AwsError, DeployRefusedError) as error:
                return Published(region=region, error=error)

        if len(regions) == 1:
            return {regions[0]: tried(regions[0])}  # in the main thread, where Ctrl-C arrives
        with ThreadPoolExecutor(max_workers=max(len(regions), 1), thread_name_prefix="region") as pool:
            futures = {region: pool.submit(tried, region) for region in regions}
            try:
                wait(futures.values())
            except KeyboardInterrupt:
                self.stop.set()
                raise
        return {region: future.result() for region, future in futures.items()}


def _version(one: Publication, published: dict[LayerKey, LayerVersion]) -> LayerVersion | None:
    if isinstance(one.action, PublishLayer):
        return published.get((one.action.subject, one.action.artifact.fingerprint))
    return one.action.found
