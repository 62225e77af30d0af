"""`publish`: only the layers that changed, for those whose own tool attaches them."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Annotated

import typer

from optimizer.cli.aws import ArtifactsOption, BucketOption, EndpointOption, LocalOption, endpoint
from optimizer.cli.common import (
    CONFIG,
    ConfigOption,
    Format,
    FormatOption,
    LayersOption,
    PathOption,
    RequirementsOption,
    emit_json,
    note,
)
from optimizer.cli.deploy import _manifest


def publish(
    config: ConfigOption = CONFIG,
    path: PathOption = None,
    requirements: RequirementsOption = None,
    layers: LayersOption = None,
    artifacts: ArtifactsOption = None,
    ssm: Annotated[
        str | None, typer.Option("--ssm", help="Write each ARN to the parameter PREFIX/<layer>.", metavar="PREFIX")
    ] = None,
    local: LocalOption = False,
    endpoint_url: EndpointOption = None,
    bucket: BucketOption = None,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Publish each layer whose fingerprint is new, and print every layer's ARN in attach order.

    Example: python -m optimizer publish --ssm /my-team/layers
    """
    manifest = _manifest(config, path, requirements, layers, artifacts, quiet=output_format is Format.JSON)
    from optimizer.deploy import BotoAws, publish_layers

    rows = []
    calls: Counter[str] = Counter()
    sent = 0
    with endpoint(local=local, endpoint_url=endpoint_url) as (url, credentials):
        for region in sorted({region for function in manifest.functions for region in function.regions}):
            aws = BotoAws(region, endpoint_url=url, credentials=credentials, bucket=bucket)
            for layer, published in publish_layers(aws, manifest, progress=lambda line: note(f"  {line}")):
                if ssm:
                    aws.put_parameter(f"{ssm.rstrip('/')}/{layer.name}", layer.arn)
                rows.append(
                    {
                        "region": region,
                        "name": layer.name,
                        "version": layer.version,
                        "arn": layer.arn,
                        "fingerprint": layer.fingerprint,
                        "published": published,
                    }
                )
            calls += aws.calls
            sent += aws.sent_bytes
    if output_format is Format.JSON:
        emit_json({"schema": 1, "sent_bytes": sent, "calls": dict(sorted(calls.items())), "layers": rows})
    else:
        sys.stdout.write("".join(f"{row['arn']}\n" for row in rows))
    return 0
