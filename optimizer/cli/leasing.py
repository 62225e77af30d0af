"""The option `--lease`: one deploy at a time, from planning on until everything is done."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.common import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.build import Manifest
    from optimizer.cli.remote import Remote

LeaseOption = Annotated[
    str | None,
    typer.Option(
        "--lease",
        help="s3://BUCKET/KEY: an object that one deploy holds at a time; others are refused meanwhile.",
        metavar="ADDRESS",
    ),
]


@contextmanager
def leased(address: str | None, aws: Remote, manifest: Manifest) -> Iterator[None]:
    """Hold the lease for the time of the block; no call is made any more once it is lost.

    Raises:
        AwsError: the place can't be read or written.
        DeployRefusedError: another deploy holds it.
        UsageError: the address is none.
    """
    if address is None:
        yield
        return
    from optimizer.deploy import RealClock
    from optimizer.deploy.boto.client import Clients
    from optimizer.deploy.boto.lease_store import S3LeaseStore, parse_place
    from optimizer.deploy.execution.holder import Holder
    from optimizer.deploy.execution.lease import Lease, held

    bucket, key = parse_place(address)
    own = Clients(connection=aws.clients.connection, calls=aws.clients.calls)  # it is renewed whatever is guarded
    lease = Lease(
        store=S3LeaseStore(clients=own, region=manifest.functions[0].regions[0], bucket=bucket, key=key),
        holder=Holder.of(os.environ, Path.cwd()),
        clock=RealClock(),
        progress=note,
    )
    with held(lease):
        aws.clients.guard = lease.check
        try:
            yield
        finally:
            aws.clients.guard = None
