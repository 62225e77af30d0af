"""`publish`: only the layers that changed, for those whose own tool attaches them."""

from __future__ import annotations

import threading
from typing import Annotated

import typer

from optimizer.cli.carrying_out import stopped
from optimizer.cli.common import (
    CONFIG,
    ConfigOption,
    Format,
    FormatOption,
    LayersOption,
    PathOption,
    RequirementsOption,
    WheelsOption,
    emit_json,
    note,
)
from optimizer.cli.remote import (
    ArtifactsOption,
    BucketOption,
    EndpointOption,
    LocalOption,
    RegionOption,
    artifacts,
    console,
    interruptible,
    one_place,
    remote,
    source_of,
    told_when_cut_off,
)


def publish(
    *,
    artifacts_folder: ArtifactsOption = None,
    ssm: Annotated[
        str | None, typer.Option("--ssm", help="Write the ARNs into SSM parameters <PREFIX>/<layer>.", metavar="PREFIX")
    ] = None,
    region: RegionOption = None,
    local: LocalOption = False,
    endpoint_url: EndpointOption = None,
    bucket: BucketOption = None,
    config: ConfigOption = CONFIG,
    path: PathOption = None,
    wheels: WheelsOption = None,
    requirements: RequirementsOption = None,
    layers: LayersOption = None,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Publish the layers whose fingerprints are new and print the ARN of each, for Terraform, CDK or SAM to attach.

    Example: python -m optimizer publish --ssm /layers/images
    """
    one_place(local=local, endpoint_url=endpoint_url)
    as_json = output_format is Format.JSON
    source = source_of(config=config, path=path, wheels=wheels, requirements=requirements, layers=layers)
    with artifacts(artifacts_folder, source, code_only=False, quiet=as_json) as built:
        from optimizer.deploy import Journal, Publisher
        from optimizer.report.publications import print_publications, publish_document

        manifest = built.manifest
        regions = list(dict.fromkeys(region or [r for function in manifest.functions for r in function.regions]))
        journal, stop = Journal(), threading.Event()
        with remote(manifest, local=local, endpoint_url=endpoint_url) as aws:
            publisher = Publisher(
                manifest=manifest,
                connect=aws.connect,
                bucket=bucket,
                ssm=ssm,
                journal=journal,
                progress=note,
                stop=stop,
            )
            with told_when_cut_off(journal), interruptible(stop):
                published = publisher.publish(regions)
        error = stopped([(one.region, one.error) for one in published])
        if as_json:
            sent, calls = journal.sent_bytes, aws.clients.calls
            emit_json(publish_document(published, sent_bytes=sent, calls=calls, error=error))
        else:
            print_publications(published, journal.sent_bytes, console())
        if error is not None:
            raise error
    return 0
