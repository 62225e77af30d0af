"""Where deploy and publish find AWS: the real one, an endpoint, or the embedded one."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.common import note
from optimizer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

ArtifactsOption = Annotated[
    Path | None,
    typer.Option("--artifacts", help="What `build` wrote; planned and built first unless given.", metavar="DIR"),
]
LocalOption = Annotated[bool, typer.Option("--local", help="Use the embedded AWS, started for this if need be.")]
EndpointOption = Annotated[str | None, typer.Option("--endpoint-url", help="Use this instead of AWS's endpoints.")]
BucketOption = Annotated[str | None, typer.Option("--bucket", help="An S3 bucket of the region, for zips over 50 MB.")]
EMBEDDED_CREDENTIALS = ("AKIAEMBEDDED00000000", "embedded")


@contextmanager
def endpoint(*, local: bool, endpoint_url: str | None) -> Iterator[tuple[str | None, tuple[str, str] | None]]:
    """The endpoint's URL and the credentials to use, or None for AWS's own.

    Raises:
        UsageError: both were asked for.
    """
    if not local:
        yield endpoint_url, None
        return
    if endpoint_url:
        raise UsageError("--local and --endpoint-url exclude each other", mend="Give one of them.")
    from optimizer.local import embedded_aws, find_running

    running = find_running(Path.cwd())
    if running:
        yield running, EMBEDDED_CREDENTIALS
        return
    note("no embedded AWS is running (python -m optimizer local): using one for the time of this command")
    with embedded_aws() as aws:
        yield aws.endpoint_url, EMBEDDED_CREDENTIALS
