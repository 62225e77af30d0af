"""Reads the remote state: as little as shows that nothing changed, else everything that the change set looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.deploy.aws import ALIAS
from optimizer.deploy.change_set import up_to_date
from optimizer.deploy.remote import RemoteState

if TYPE_CHECKING:
    from optimizer.build import Function, Manifest
    from optimizer.deploy.aws import Aws


def role_name(function: str) -> str:
    """The role that is made for a function which has none (IAM takes at most 64 characters)."""
    return f"{function[:59]}-role"


def read_state(aws: Aws, manifest: Manifest, function: Function) -> RemoteState:
    """What is there of the function; nothing is changed.

    Raises:
        AwsError: AWS refuses or can't be reached.
    """
    live = aws.version(function.name, ALIAS)
    url = aws.url(function.name) if live and function.url != "none" else None
    quick = RemoteState(region=aws.region, whole=False, live=live, url=url)
    if up_to_date(manifest, function, quick):
        return quick
    latest = aws.version(function.name, None)
    layers = {name: aws.layer_versions(name, function.runtime, function.architecture) for name in function.layers}
    if latest is None:
        role = function.role_arn or aws.role(role_name(function.name))
        return RemoteState(region=aws.region, whole=True, layers=layers, role_arn=role)
    return RemoteState(
        region=aws.region,
        whole=True,
        live=live,
        latest=latest,
        alias_revision=aws.alias_revision(function.name) if live else None,
        url=url,
        granted=aws.granted(function.name, ALIAS) if live else frozenset(),
        layers=layers,
        role_arn=latest.role,
        latest_callers=aws.latest_callers(function.name),
    )
