"""What deploy and publish share: where AWS is, what was built, and how a run that is cut off is told."""

from __future__ import annotations

import signal
import tempfile
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.common import note
from optimizer.commit import commit_of
from optimizer.errors import AwsError, ShareLeftError, UsageError, check_known

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.console import Console

    from optimizer.build import Manifest
    from optimizer.cli.pipeline import Source
    from optimizer.deploy import Aws, Clients, Journal

_PIPE_COLUMNS = 160

ArtifactsOption = Annotated[
    Path | None,
    typer.Option("--artifacts", help="What build wrote; without it, it is planned and built first.", metavar="DIR"),
]
LocalOption = Annotated[
    bool, typer.Option("--local", help="The embedded AWS: the one that runs here, else one for this command alone.")
]
EndpointOption = Annotated[
    str | None, typer.Option("--endpoint-url", help="Where AWS is reached instead of at its own addresses.")
]
BucketOption = Annotated[
    str | None, typer.Option("--bucket", help="An S3 bucket that zips over 50 MB go through; they are removed after.")
]


FunctionOption = Annotated[
    list[str] | None, typer.Option("--function", help="Only this one; may be repeated.", metavar="NAME")
]
RegionOption = Annotated[
    list[str] | None, typer.Option("--region", help="Instead of the functions' regions; may be repeated.")
]
ExplainOption = Annotated[
    bool,
    typer.Option("--explain", help="Print commands of the AWS CLI that do the same, as a bash script; change nothing."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What was built, and the fingerprints by name of layers that were planned for it and not built."""

    manifest: Manifest
    planned_layers: Mapping[str, str]


def source_of(
    *, config: Path, path: Path | None, wheels: Path | None, requirements: Path | None, layers: int | None
) -> Callable[[], Source]:
    """What the source options say, made when it is needed: what was built before is deployed without the planner."""

    def make() -> Source:
        from optimizer.cli.pipeline import Source

        return Source(config=config, path=path, wheels=wheels, requirements=requirements, layers=layers)

    return make


@contextmanager
def artifacts(folder: Path | None, source: Callable[[], Source], *, code_only: bool, quiet: bool) -> Iterator[Built]:
    """The manifest of a folder, or of what is built now; code alone is built beside, so that no layer's zip is lost.

    Raises:
        OptimizerError: there is none, or it can't be built.
    """
    if folder is not None:
        from optimizer.build.manifest import Manifest

        yield Built(manifest=Manifest.read(folder), planned_layers={})
        return
    if not code_only:
        from optimizer.cli.build import run_build

        yield Built(manifest=run_build(source(), quiet=quiet), planned_layers={})
        return
    from optimizer.build import build
    from optimizer.cli.pipeline import planned

    with tempfile.TemporaryDirectory(prefix="layer-optimizer-code-") as scratch, planned(source()) as result:
        result.exposed.refuse()
        manifest = build(
            result.plan,
            result.payloads,
            Path(scratch),
            root=result.config.root,
            progress=(lambda _: None) if quiet else note,
            layers=False,
            commit=commit_of(result.config.root),
            searched=True,
        )
        yield Built(manifest=manifest, planned_layers={layer.name: layer.fingerprint for layer in result.plan.layers})


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """AWS as the options say; `connect` gives it in a region, `clients` have the count of calls."""

    clients: Clients
    connect: Callable[[str], Aws]


@contextmanager
def remote(manifest: Manifest, *, local: bool, endpoint_url: str | None) -> Iterator[Remote]:
    """AWS for the functions of a manifest; see `connected`.

    Raises:
        UsageError: the extra `local` is not installed.
    """
    longest = max((function.timeout_seconds for function in manifest.functions), default=0)
    with connected(local=local, endpoint_url=endpoint_url, longest_answer_seconds=longest) as there:
        yield there


@contextmanager
def connected(
    *,
    local: bool,
    endpoint_url: str | None,
    longest_answer_seconds: int = 0,
    calls_per_second: int | None = None,
) -> Iterator[Remote]:
    """AWS, another endpoint, or the embedded one for the time of the block.

    Args:
        local: the embedded one.
        endpoint_url: the other endpoint.
        longest_answer_seconds: how long a function may take to answer.
        calls_per_second: the pace at which each region's control plane is called; as fast as it goes without it.

    Raises:
        UsageError: the extra `local` is not installed.
    """
    from optimizer.deploy import BotoAws, Clients, Connection, RealClock

    clock = RealClock()
    with _embedded() if local else nullcontext(endpoint_url) as url:
        clients = Clients(
            connection=Connection(endpoint_url=url, local=local, longest_answer_seconds=longest_answer_seconds),
            calls_per_second=calls_per_second,
            clock=clock,
        )
        known: dict[str, Aws] = {}

        def connect(region: str) -> Aws:
            return known.setdefault(region, BotoAws(region=region, clients=clients, clock=clock))

        yield Remote(clients=clients, connect=connect)


def console(*, stderr: bool = False) -> Console:
    """A console that does not cut a table's last column where it writes to a file or a pipe."""
    from rich.console import Console

    made = Console(stderr=stderr)
    return made if made.is_terminal else Console(stderr=stderr, width=_PIPE_COLUMNS)


def one_place(*, local: bool, endpoint_url: str | None) -> None:
    """Refuse two answers to the question where AWS is.

    Raises:
        UsageError: both were given, or the URL is none.
    """
    if local and endpoint_url is not None:
        raise UsageError("--local and --endpoint-url exclude each other", mend="Give one of them.")
    if endpoint_url is not None and not endpoint_url.startswith(("http://", "https://")):
        raise UsageError(f"{endpoint_url!r} is no URL", mend="Write it as http://host:port or https://host.")


def chosen(
    manifest: Manifest, names: Sequence[str] | None, regions: Sequence[str] | None, *, where: str = "what was built"
) -> Manifest:
    """The manifest with those of its functions alone, in those regions instead of their own; `where` names it.

    Raises:
        UsageError: it has no such function.
    """
    check_known("function", names or (), (function.name for function in manifest.functions), where=where)
    places = tuple(dict.fromkeys(regions or ()))
    functions = tuple(
        replace(function, regions=places or function.regions)
        for function in manifest.functions
        if not names or function.name in names
    )
    return replace(manifest, functions=functions)


@contextmanager
def told_when_cut_off(
    journal: Journal, again: Callable[[], str] = lambda: "Running the same command again goes on."
) -> Iterator[None]:
    """Say what was done when the block is interrupted or AWS fails, and what to run `again` to go on from there."""
    try:
        yield
    except (KeyboardInterrupt, AwsError) as error:
        done = [f"  {action.name} {action.subject}" for action in journal.done if action.changes]
        if done:
            note("\n".join(["Done before it was cut off:", *done]))
        whole = "" if isinstance(error, ShareLeftError) else "The alias serves a whole version, as before it or after. "
        note(f"{whole}{again()}")
        raise


@contextmanager
def interruptible(stop: threading.Event) -> Iterator[None]:
    """Take Ctrl-C, and a system's or a closing terminal's request to end, as an interruption of the block.

    `stop` tells every thread: those that wait are woken. So what has to be put back, is.
    """

    def interrupt(*_: object) -> None:
        stop.set()
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [n for n in numbers if n == signal.SIGINT or signal.getsignal(n) != signal.SIG_IGN]  # as nohup asks
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _embedded() -> Iterator[str]:
    from optimizer.local import embedded_aws, find_running

    running = find_running(Path.cwd())
    if running is not None:
        yield running
        return
    note("No embedded AWS runs here (`python -m optimizer local` starts one): this one ends with the command.")
    with embedded_aws() as aws:
        yield aws.endpoint_url
