"""Writes a layer plan's zips and their manifest: all of them, or none."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optimizer.build.archive import write_archive
from optimizer.build.manifest import Artifact, External, Function, Manifest, Share
from optimizer.build.receipt import NAME as RECEIPT
from optimizer.build.receipt import receipt
from optimizer.content import COMPRESSOR
from optimizer.errors import DiskError, UsageError
from optimizer.outputs import scratch_in, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from optimizer.config import FunctionConfig, ShareConfig
    from optimizer.content import Payloads, Stream
    from optimizer.models import Entry, Payload
    from optimizer.plan import LayerPlan

SBOM_SUFFIX = ".cdx.json"
"""What the name of a CycloneDX document ends in, by its specification."""


def build(
    plan: LayerPlan,
    payloads: Payloads,
    output: Path,
    *,
    root: Path,
    progress: Callable[[str], None] = lambda _: None,
    layers: bool = True,
    describe: Callable[[Artifact], str] | None = None,
    share: ShareConfig | None = None,
    commit: str | None = None,
    searched: bool = False,
) -> Manifest:
    """Write `<layer>.zip` for each layer, `function.zip`, `receipt.json` and `manifest.json`.

    Everything is written beside its place and renamed at the end, the manifest last; files of an earlier build that
    this one does not have are removed.

    Args:
        plan: what goes where.
        payloads: gives the streams.
        output: the folder to write to, made where it is missing.
        root: the project's folder, for the functions' policies.
        progress: called with a line for each zip.
        layers: False writes only the functions' zips; the manifest then names layers, but holds none.
        describe: makes an artifact's SBOM, which is written beside its zip; None writes none.
        share: who else may attach the layers, for the manifest.
        commit: what it is built from, for the manifest.
        searched: whether what is written was searched for secrets, for the manifest.

    Raises:
        DiskError: the folder can't be written.
        UsageError: a policy can't be read.
    """
    shared = [layer.name for layer in plan.layers if layer.distributions]
    functions = tuple(function_entry(f.config, shared, root) for f in plan.functions)
    wanted: list[tuple[str, str, str, str, Sequence[Payload]]] = [
        (layer.name, "layer", f"{layer.name}.zip", layer.fingerprint, [d.payload for d in layer.distributions])
        for layer in plan.layers
        if layers
    ]
    wanted += [
        (f.config.name, "function", _function_zip(f.config.name, len(plan.functions)), f.fingerprint, [f.payload])
        for f in plan.functions
    ]
    try:
        with scratch_in(output) as scratch:
            artifacts = []
            for name, kind, path, fingerprint, parts in wanted:
                place = scratch / path
                with place.open("wb") as file:
                    written = write_archive(file, _entries(payloads, parts))
                progress(f"{path}: {written.files} files, {written.zipped_bytes:,} bytes")
                artifact = Artifact(
                    name=name,
                    kind="layer" if kind == "layer" else "function",
                    path=path,
                    sha256=written.sha256,
                    zipped_bytes=written.zipped_bytes,
                    unzipped_bytes=written.unzipped_bytes,
                    fingerprint=fingerprint,
                    files=written.files,
                )
                if describe:
                    artifact = replace(artifact, sbom=place.with_suffix(SBOM_SUFFIX).name)
                    place.with_suffix(SBOM_SUFFIX).write_text(describe(artifact), "utf-8")
                artifacts.append(artifact)
            manifest = Manifest(
                target=plan.target,
                artifacts=tuple(artifacts),
                functions=functions,
                compressor=COMPRESSOR,
                share=Share(accounts=share.accounts, organization=share.organization) if share else None,
                commit=commit,
                searched=searched,
                folder=output,
            )
            (scratch / RECEIPT).write_text(receipt(plan), "utf-8")
            files = [*(file for a in artifacts for file in (a.path, a.sbom) if file), RECEIPT]
            settle(scratch, output, files, manifest.to_json())
    except OSError as error:
        raise DiskError(
            f"{output} can't be written: {error.strerror or error}",
            mend="Name a writable folder with --output, and look at the disk's free space.",
        ) from error
    return manifest


def _entries(payloads: Payloads, parts: Sequence[Payload]) -> Iterable[tuple[Entry, Stream]]:
    return [entry for part in parts for entry in payloads.entries(part)]


def _function_zip(name: str, functions: int) -> str:
    return "function.zip" if functions == 1 else f"function-{name}.zip"


def function_entry(config: FunctionConfig, layers: Iterable[str], root: Path) -> Function:
    """How the function is deployed with those layers in attach order, as the manifest says it.

    Raises:
        UsageError: its policy can't be read.
    """
    return Function(
        name=config.name,
        artifact=config.name,
        layers=tuple(layers),
        external_layers=tuple(External(arn=x.arn, unzipped_bytes=x.unzipped_bytes) for x in config.external_layers),
        handler=config.handler,
        runtime=config.runtime,
        architecture=config.architecture,
        regions=config.regions,
        memory_mb=config.memory_mb,
        timeout_seconds=config.timeout_seconds,
        environment=config.environment,
        role_arn=config.role_arn,
        policy=_policy(root / config.policy) if config.policy else None,
        check_path=config.check_path,
        url=config.url,
        tags=config.tags,
    )


def _policy(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"The policy {path} can't be read: {error}", mend="Mend `policy` of the function in the configuration."
        ) from error
    if not isinstance(document, dict) or "Statement" not in document:
        raise UsageError(f"The policy {path} has no Statement", mend="Write an IAM policy document there.")
    return document
