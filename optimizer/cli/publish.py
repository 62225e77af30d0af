"""`publish`: only the layers that changed, for those whose own tool attaches them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated

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
    ExplainOption,
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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.cli.remote import Remote
    from optimizer.deploy import Publisher


def publish(
    *,
    artifacts_folder: ArtifactsOption = None,
    ssm: Annotated[
        str | None, typer.Option("--ssm", help="Write the ARNs into SSM parameters <PREFIX>/<layer>.", metavar="PREFIX")
    ] = None,
    region: RegionOption = None,
    explain: ExplainOption = False,
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
            if explain:
                return _explain(publisher, aws, regions, as_json=as_json)
            with told_when_cut_off(journal), interruptible(stop):
                published = publisher.publish(regions)
        error = stopped([(one.region, one.error) for one in published])
        if as_json:
            sent, calls = journal.sent_bytes, aws.clients.calls
            emit_json(publish_document(published, sent_bytes=sent, calls=calls, error=error, ssm=ssm))
        else:
            print_publications(published, journal.sent_bytes, console())
        if error is not None:
            raise error
    return 0


def _explain(publisher: Publisher, aws: Remote, regions: Sequence[str], *, as_json: bool) -> int:
    """Print the commands of the AWS CLI that do the same, as a script or in the JSON document.

    Raises:
        AwsError: a region could not be read.
    """
    from optimizer.report.cli_equivalents import Equivalents
    from optimizer.report.layers_script import layers_script, steps_of
    from optimizer.report.publications import publish_document

    manifest, endpoint_url = publisher.manifest, aws.clients.connection.endpoint_url
    run = Equivalents(zip_path=manifest.zip_path, commit=manifest.commit, endpoint_url=endpoint_url)
    planned = publisher.plan(regions)
    steps = [steps_of(place, run, publisher.ssm) for place in planned]
    error = stopped([(one.region, one.error) for one in planned])
    if as_json:
        emit_json(publish_document(planned, sent_bytes=0, calls=aws.clients.calls, error=error, explained=steps))
    else:
        typer.echo(layers_script(planned, steps), nl=False)
    if error is not None:
        raise error
    return 0
