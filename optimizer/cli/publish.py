"""`publish`: only the layers that changed, for those whose own tool attaches them."""

from __future__ import annotations

from typing import Annotated

import typer

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
from optimizer.cli.pipeline import Source
from optimizer.cli.remote import (
    ArtifactsOption,
    BucketOption,
    EndpointOption,
    LocalOption,
    RegionOption,
    artifacts,
    console,
    one_place,
    remote,
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
    source = Source(config=config, path=path, wheels=wheels, requirements=requirements, layers=layers)
    with artifacts(artifacts_folder, source, code_only=False, quiet=as_json) as built:
        from optimizer.deploy import Journal, put_parameters
        from optimizer.deploy import publish as publish_all
        from optimizer.report.change_set import print_publications, publish_document

        manifest = built.manifest
        regions = list(dict.fromkeys(region or [r for function in manifest.functions for r in function.regions]))
        journal = Journal()
        with remote(manifest, local=local, endpoint_url=endpoint_url) as aws, told_when_cut_off(journal):
            publications = publish_all(
                manifest, regions, connect=aws.connect, bucket=bucket, journal=journal, progress=note
            )
            parameters: list[str] = []
            for place in regions if ssm is not None else ():
                versions = [one.version for one in publications if one.region == place]
                parameters += put_parameters(aws.connect(place), ssm or "", versions)
            if as_json:
                emit_json(
                    publish_document(
                        publications,
                        sent_bytes=journal.sent_bytes,
                        calls=aws.clients.calls,
                        parameters=parameters,
                    )
                )
            else:
                print_publications(publications, journal.sent_bytes, console())
                for name in parameters:
                    note(f"wrote the parameter {name}")
    return 0
