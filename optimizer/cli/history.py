"""`history update` and `history show`: release dates and wheel sizes of the stack's distributions."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.common import (
    CONFIG,
    ConfigOption,
    Format,
    FormatOption,
    PathOption,
    RequirementsOption,
    SnapshotOption,
    WheelsOption,
    emit,
    emit_json,
    note,
    write_text,
)
from optimizer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from optimizer.config import Config
    from optimizer.history.refresh import Refreshed
    from optimizer.history.snapshot import History
    from optimizer.models import Inventory

_EVERY = 10
"""Where stderr is no terminal, a line of progress after so many distributions."""

history = typer.Typer(
    no_args_is_help=True,
    help="Release dates and wheel sizes of the stack's distributions: what plans and replays go by.\n\n"
    "Example: python -m optimizer history update",
)


@history.callback()
def _root() -> None:
    pass


@history.command()
def update(
    config: ConfigOption = CONFIG,
    path: PathOption = None,
    wheels: WheelsOption = None,
    requirements: RequirementsOption = None,
    snapshot: SnapshotOption = None,
    since: Annotated[
        datetime | None,
        typer.Option("--since", help="The first day; by default a month's first, two years ago.", formats=["%Y-%m-%d"]),
    ] = None,
    index_url: Annotated[
        str | None, typer.Option("--index-url", help="Another package index than the public one.", metavar="URL")
    ] = None,
    from_git: Annotated[
        bool, typer.Option("--from-git", help="Read the team's own pace from its lock file's commits instead.")
    ] = False,
    lock: Annotated[
        Path | None,
        typer.Option(
            "--lock",
            help="That lock file: requirements with ==, uv.lock, poetry.lock, pdm.lock, pylock.toml or Pipfile.lock. "
            "By default the first function's requirements.",
            metavar="FILE",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let the index's entries replace those from a lock file too.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Ask the index again even for what it told in the last 6 hours.")
    ] = False,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Fetch the release dates of the plan's distributions, and write the snapshot to commit.

    Only versions count that load on the target and that the stack's own requirements admit. Entries from the package
    index replace each other; those that --from-git wrote are kept, unless --replace is given. An update that is broken
    off changes no snapshot, and the next one goes on where it was. With `split_services` it also tells in which weeks
    each of botocore's service models changed.

    Example: python -m optimizer history update --since 2024-01-01
    """
    from optimizer import config as configuration
    from optimizer.cli.history_models import split_services
    from optimizer.cli.sources import open_source
    from optimizer.history.snapshot import read_history, snapshot_text
    from optimizer.inventory import read_inventory

    _check_options(
        {"--index-url": index_url, "--replace": replace, "--fresh": fresh} if from_git else {"--lock": lock},
        "goes with the package index, not with --from-git" if from_git else "goes with --from-git",
    )
    settings = configuration.load(config)
    place = _snapshot_path(settings, snapshot)
    old = read_history(place)
    environment = open_source(settings, path=path, wheels=wheels, requirements=requirements).environment
    inventory = read_inventory(settings, environment, requirements=requirements)
    services = split_services(settings, inventory)
    first = since.date() if since else None
    if from_git:
        refreshed = _from_git(
            inventory, old, lock or requirements or settings.root / settings.function[0].requirements, since=first
        )
        if services:
            note("note: when botocore's service models changed only `history update` without --from-git tells")
    else:
        refreshed = _from_index(
            inventory, old, services, since=first, index_url=index_url, replace=replace, fresh=fresh
        )
    write_text(place, snapshot_text(refreshed.history))
    for line in refreshed.notes:
        note(f"note: {line}")
    shown = _shown(settings, place)
    known = refreshed.history
    releases = sum(len(entry.releases) for entry in known.distributions.values())
    if output_format is Format.JSON:
        emit_json(
            {
                "schema": 1,
                "snapshot": shown,
                "since": str(known.since),
                "through": str(known.through),
                "distributions": len(known.distributions),
                "releases": releases,
                "unknown": list(refreshed.unknown),
                "notes": list(refreshed.notes),
            }
        )
    else:
        emit(
            f"wrote {shown}: {releases} releases of {len(known.distributions)} distributions, "
            f"from {known.since} through {known.through}\n"
        )
    return 0


@history.command()
def show(
    config: ConfigOption = CONFIG, snapshot: SnapshotOption = None, output_format: FormatOption = Format.TEXT
) -> int:
    """Show how often each distribution of the snapshot released in its last year, and what releases together.

    Example: python -m optimizer history show --format json
    """
    from optimizer import config as configuration
    from optimizer.history.snapshot import read_history
    from optimizer.report.history import history_document, history_text

    place = snapshot or _snapshot_path(configuration.load(config), None)
    known = read_history(place)
    if known is None:
        raise UsageError(f"There is no snapshot at {place}", mend="Make it: python -m optimizer history update")
    document = history_document(known)
    if output_format is Format.JSON:
        emit_json(document)
    else:
        emit(history_text(document))
    return 0


def _check_options(given: dict[str, object], why: str) -> None:
    for option, value in given.items():
        if value:
            raise UsageError(f"{option} {why}", mend="Leave one of them out.")


def _snapshot_path(settings: Config, snapshot: Path | None) -> Path:
    from optimizer.history.snapshot import SNAPSHOT

    return snapshot or settings.root / SNAPSHOT


def _shown(settings: Config, place: Path) -> str:
    """The path relative to the project, where it is inside."""
    resolved, root = place.resolve(), settings.root.resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else place.as_posix()


def _check_since(since: date | None, through: date) -> date:
    from optimizer.history.refresh import first_day

    if since is not None and since > through:
        raise UsageError(f"--since {since} is after {through}", mend="Name a day of the past.")
    return since or first_day(through)


def _from_index(
    inventory: Inventory,
    old: History | None,
    services: frozenset[str],
    *,
    since: date | None,
    index_url: str | None,
    replace: bool,
    fresh: bool,
) -> Refreshed:
    from dataclasses import replace as changed

    from optimizer.history.answers import Answers, ask
    from optimizer.history.index import SimpleIndex
    from optimizer.history.refresh import join_index
    from optimizer.history.releases import stack_releases

    today = _now().date()
    _check_since(since, today)
    names = [str(d.name) for d in inventory.distributions]
    with SimpleIndex(index_url) as index, _progress(len(names)) as tell:
        answers = ask(index, Answers(index=index_url), names, clock=_now, fresh=fresh, tell=tell)
    through = min((answer.fetched.date() for answer in answers.values()), default=today)
    first = min(_check_since(since, today), through)
    found = stack_releases(
        {name: answer.files for name, answer in answers.items()}, inventory, since=first, through=through, today=today
    )
    joined = join_index(
        found.distributions, old, names, inventory.target, since=first, through=through, replace=replace
    )
    refreshed = changed(joined, notes=(*found.notes, *joined.notes))
    if not services:
        return refreshed
    from optimizer.cli.history_models import with_models

    files = answers["botocore"].files or ()
    return with_models(refreshed, services, files, index_url=index_url, progress=_models_progress)


def _from_git(inventory: Inventory, old: History | None, lock: Path, *, since: date | None) -> Refreshed:
    from dataclasses import replace as changed

    from optimizer.history.commits import read_revisions, team_pace
    from optimizer.history.refresh import join_git

    today = _now().date()
    names = [str(d.name) for d in inventory.distributions]
    pace = team_pace(read_revisions(lock), names, inventory.target)
    joined = join_git(
        pace.distributions,
        old,
        names,
        inventory.target,
        since=_check_since(since, today),
        through=today,
        began=pace.began,
    )
    return changed(joined, notes=(*pace.notes, *joined.notes))


def _now() -> datetime:
    return datetime.now(UTC)


def _models_progress(total: int) -> AbstractContextManager[Callable[[int, int], None]]:
    return _progress(total, what="botocore's releases", doing="reading service models")


@contextmanager
def _progress(
    total: int, *, what: str = "distributions", doing: str = "asking the package index"
) -> Iterator[Callable[[int, int], None]]:
    """Tells how many answers are here: a bar on a terminal, else a line now and then; on stderr, both."""
    if not sys.stderr.isatty():

        def tell(done: int, total: int) -> None:
            if done % _EVERY == 0 or done == total:
                note(f"{done} of {total} {what}")

        yield tell
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda done, _total: bar.update(task, completed=done)
