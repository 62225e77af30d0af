"""Publishes layers side by side, and tells others of them in SSM parameters."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from optimizer.deploy.execution.uploads import send

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optimizer.build import Manifest
    from optimizer.deploy.actions import Action, PublishLayer
    from optimizer.deploy.port import Aws
    from optimizer.deploy.values import LayerKey, LayerVersion


@dataclass(slots=True)
class Journal:
    """What was done so far, for whoever has to tell it when the rest does not happen."""

    done: list[Action] = field(default_factory=list)

    @property
    def sent_bytes(self) -> int:
        """Zipped bytes of what was sent."""
        return sum(action.bytes for action in self.done)


def publish_layers(
    aws: Aws,
    manifest: Manifest,
    actions: Sequence[PublishLayer],
    *,
    published: dict[LayerKey, LayerVersion],
    journal: Journal,
    progress: Callable[[str], None],
    stopping: Callable[[], bool] = lambda: False,
) -> None:
    """Publish layers side by side; each that was is entered in `published` and the journal, whatever the others do.

    Raises:
        AwsError: one of them was refused.
        KeyboardInterrupt: `stopping` said so while one was sent to S3.
    """

    def publish(action: PublishLayer) -> None:
        progress(f"publishing layer {action.subject} ({action.bytes:,} bytes)")
        names = (action.subject, action.artifact.fingerprint)
        target = {"runtime": action.runtime, "architecture": action.architecture}
        version = send(
            aws,
            manifest.zip_path(action.artifact),
            action.artifact,
            action.bucket,
            lambda content: aws.publish_layer(*names, content, commit=manifest.commit, **target),
            found=lambda: aws.find_layer(*names, **target),
            progress=progress,
            stopping=stopping,
        )
        published[action.subject, action.artifact.fingerprint] = version
        journal.done.append(action)
        progress(f"layer {action.subject} has version {version.version}")

    if not actions:
        return
    with ThreadPoolExecutor(max_workers=len(actions), thread_name_prefix="publish") as pool:
        for future in [pool.submit(publish, action) for action in actions]:
            future.result()


def parameter_name(prefix: str, layer: str) -> str:
    """The SSM parameter that holds a layer's ARN."""
    return f"{prefix.rstrip('/')}/{layer}"


def put_parameters(aws: Aws, prefix: str, versions: Sequence[LayerVersion], written: list[str]) -> None:
    """Write the ARNs into SSM parameters `<prefix>/<layer>`, where they differ; `written` gets their names.

    Raises:
        AwsError: a call failed.
    """
    wanted = {parameter_name(prefix, version.name): version.arn for version in versions}
    there = aws.parameters(sorted(wanted))
    for name in sorted(wanted):
        if there.get(name) != wanted[name]:
            aws.put_parameter(name, wanted[name])
            written.append(name)
