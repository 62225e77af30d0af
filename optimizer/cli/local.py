"""`local`: the embedded AWS, until it is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.common import note, stoppable


def local(
    port: Annotated[int, typer.Option("--port", help="The port on 127.0.0.1; any free one unless given.")] = 0,
    update_seconds: Annotated[
        float, typer.Option("--update-seconds", help="How long an update of a function takes to settle.", min=0)
    ] = 0.25,
    function_concurrency: Annotated[
        int, typer.Option("--function-concurrency", help="Environments of one function version at most.", min=1)
    ] = 10,
    throttle: Annotated[
        bool, typer.Option("--throttle", help="Refuse more control-plane calls a second than Lambda would.")
    ] = False,
    access_log: Annotated[bool, typer.Option("--access-log", help="Write each call to stderr.")] = False,
) -> int:
    """Run an AWS on this machine, with a Lambda as strict as the real one that really runs functions.

    It writes .local/endpoint.json, which `deploy --local` finds; its state lives as long as it runs.

    Example: python -m optimizer local --port 4566
    """
    from optimizer.local import announced, embedded_aws
    from optimizer.local.service import Logged, Settings

    def follow(line: Logged) -> None:
        note(f"{line.service} {line.operation} {line.status} {line.ms:.1f} ms")

    settings = Settings(update_seconds=update_seconds, function_concurrency=function_concurrency, throttle=throttle)
    with (
        stoppable() as stop,
        embedded_aws(settings, port=port, follow=follow if access_log else None) as aws,
        announced(Path.cwd(), aws.endpoint_url),
    ):
        note(f"The embedded AWS listens on {aws.endpoint_url}; Ctrl-C stops it.")
        note(f"  aws --endpoint-url {aws.endpoint_url} lambda list-functions")
        note("  python -m optimizer deploy --local")
        stop.wait()
    note("stopped")
    return stop.status
