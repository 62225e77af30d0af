"""`plan`: read, partition, report; nothing is written but the cache and, where asked, the locks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.common import (
    CONFIG,
    INTERRUPTED,
    ConfigOption,
    LayersOption,
    PathOption,
    PlanFormat,
    RequirementsOption,
    SnapshotOption,
    UpgradeOption,
    WheelsOption,
    emit,
    note,
    rendered,
    write_text,
)
from optimizer.cli.paging import document_of, with_frontier
from optimizer.cli.pipeline import Planned, Source, lock_path, planned, read_locks
from optimizer.cli.solving import Effort, SeedOption, TimeLimitOption
from optimizer.errors import DiskError, UsageError
from optimizer.partition import SEED, TIME_LIMIT

if TYPE_CHECKING:
    from optimizer.report.comparison import Comparison

LOCKS = "locks"
"""What `--compare` takes for the committed locks."""


def plan(
    config: ConfigOption = CONFIG,
    path: PathOption = None,
    wheels: WheelsOption = None,
    requirements: RequirementsOption = None,
    upgrade: UpgradeOption = False,
    layers: LayersOption = None,
    snapshot: SnapshotOption = None,
    output_format: Annotated[PlanFormat, typer.Option("--format", help="What to write.")] = PlanFormat.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file instead of stdout.", metavar="FILE")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Plan without regard to the committed locks.")] = False,
    time_limit: TimeLimitOption = TIME_LIMIT,
    seed: SeedOption = SEED,
    cached_solution: Annotated[
        bool, typer.Option("--cached-solution/--no-cached-solution", help="Take what was solved before from the cache.")
    ] = True,
    frontier: Annotated[
        bool | None,
        typer.Option("--frontier/--no-frontier", help="What 1 to 5 layers would cost; not in JSON unless asked."),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            "--compare",
            help="Say what differs from the committed locks (`locks`), or from another plan's JSON.",
            metavar="locks|FILE",
        ),
    ] = None,
    problem: Annotated[
        Path | None,
        typer.Option(
            "--problem", help="Write the problem and the answer here, so that its cost can be checked.", metavar="FILE"
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 where the committed locks are stale.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Update layers/<name>/layer.lock, and the lock of --requirements.")
    ] = False,
) -> int:
    """Show what goes into which layer, why, and whether it fits.

    Example: python -m optimizer plan --layers 4 --format markdown
    """
    _check(output_format)
    before = _plan_to_compare(compare)
    effort = Effort(time_limit=time_limit, seed=seed, cached=cached_solution)
    source = Source(
        config=config,
        path=path,
        wheels=wheels,
        requirements=requirements,
        upgrade=upgrade,
        layers=layers,
        snapshot=snapshot,
        fresh=fresh,
        best_so_far=True,
        effort=effort,
    )
    with planned(source) as found:
        result = found
        if frontier or (frontier is None and output_format is not PlanFormat.JSON and not found.interrupted):
            result = with_frontier(found, effort)
        comparison = _comparison(result, compare, before)
        text = _render(result, output_format, comparison, to_file=output is not None)
        if problem is not None:
            write_text(problem, _problem_text(result))
        stale = _stale(result)
        if write and result.plan.fits and not result.interrupted:
            _write_locks(result)  # before stdout, whose reader may leave
        if output is None:
            emit(text)
        else:
            write_text(output, text)
        if check and not write:
            for name in stale:
                note(f"stale: {name}")
            if stale:
                note("Run `python -m optimizer plan --write` and commit the locks.")
        if result.interrupted:
            return INTERRUPTED
        if not result.plan.fits:
            return 1
        return 1 if check and not write and stale else 0


def _check(output_format: PlanFormat) -> None:
    """Whether that can be written, before anything is planned.

    Raises:
        UsageError: what it needs is not installed.
    """
    if output_format is PlanFormat.HTML:
        from optimizer.report.page import check_page

        check_page()


def _problem_text(result: Planned) -> str:
    """The problem with the answer: whoever has it can compute the cost again."""
    from optimizer.partition.document import problem_document

    answer = result.plan.partition
    found = problem_document(result.problem)
    found |= {"assignment": dict(answer.assignment), "cost": answer.certificate.cost}
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _plan_to_compare(compare: str | None) -> Any:
    """What the file holds that is compared with; None for the locks, which are read where they are planned.

    Raises:
        UsageError: it can't be read, or is no JSON.
    """
    if compare is None or compare == LOCKS:
        return None
    try:
        return json.loads(Path(compare).read_text("utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no JSON"
        raise UsageError(
            f"--compare {compare}: it can't be read: {reason}",
            mend=f"Name what `plan --format json --output FILE` wrote, or `{LOCKS}`.",
        ) from error


def _comparison(result: Planned, compare: str | None, before: Any) -> Comparison | None:
    if compare is None:
        return None
    from optimizer.report.comparison import against_locks, against_plan
    from optimizer.report.plan_json import plan_document

    after = plan_document(result.plan)
    if compare != LOCKS:
        return against_plan(after, before, base=compare)
    digests = {d.name: d.payload.digest for layer in result.plan.layers for d in layer.distributions}
    return against_locks(after, read_locks(result.config), digests)


def _render(result: Planned, output_format: PlanFormat, comparison: Comparison | None, *, to_file: bool) -> str:
    if output_format is PlanFormat.JSON:
        from optimizer.report.plan_json import plan_document

        return json.dumps(plan_document(result.plan, comparison), indent=2, ensure_ascii=False) + "\n"
    if output_format is PlanFormat.HTML:
        from optimizer.report.page import page

        return page(document_of(result, comparison=comparison))
    if output_format is PlanFormat.MARKDOWN:
        from optimizer.report.plan_markdown import plan_markdown

        return plan_markdown(result.plan, comparison)
    from optimizer.report.plan_text import print_plan

    return rendered(lambda console: print_plan(result.plan, console, comparison=comparison), to_file=to_file)


def _stale(result: Planned) -> tuple[str, ...]:
    """The committed files that are not what is planned, relative to the project."""
    layers = tuple(f"layers/{name}/layer.lock" for name in result.plan.stale)
    wheels = result.opened.stale_lock
    return layers if wheels is None else (*layers, wheels.relative_to(result.config.root).as_posix())


def _write_locks(result: Planned) -> None:
    stale, resolution = result.opened.stale_lock, result.opened.resolution
    if stale is not None and resolution is not None:
        write_text(stale, resolution.text)
        note(f"wrote {stale.relative_to(result.config.root)}")
    for layer in result.plan.layers:
        if layer.change != "unchanged":
            target = lock_path(result.config, layer.name)
            write_text(target, layer.lock)
            note(f"wrote {target.relative_to(result.config.root)}")
    for name in result.plan.stale_locks:
        target = lock_path(result.config, name)
        try:
            target.unlink(missing_ok=True)
            if not any(target.parent.iterdir()):
                target.parent.rmdir()
        except OSError as error:
            raise DiskError(f"{target} can't be removed: {error.strerror}", mend="Remove it by hand.") from error
        note(f"removed {target.relative_to(result.config.root)}: no layer has that name any more")
