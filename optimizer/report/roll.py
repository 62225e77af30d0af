"""A roll's plan and what came of it: tables for people, and the JSON document."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from optimizer.deploy.fleet.roll_function import Outcome, Rolled
    from optimizer.deploy.fleet.roll_values import Move, RollOptions, RollPlan, Stay

_STYLES: dict[Outcome, str] = {
    "moved": "green",
    "failed": "bold red",
    "back": "yellow",
    "skipped": "yellow",
    "not-begun": "dim",
}
_WORDS: dict[Outcome, str] = {
    "moved": "moved",
    "back": "moved and taken back",
    "failed": "failed",
    "skipped": "skipped",
    "not-begun": "not begun",
}


def print_plan(plans: Sequence[RollPlan], options: RollOptions, console: Console) -> None:
    """Which functions are moved in which wave, which are not, and why."""
    parts: list[RenderableType] = []
    for plan in plans:
        parts.append(_heading(plan))
        if plan.moves:
            parts.append(_waves(plan, options))
        skipped = [stay for stay in plan.stays if stay.outcome == "skipped"]
        if skipped:
            parts += [Text("left as they are:", "yellow"), _stays(skipped)]
        current = sum(stay.outcome == "current" for stay in plan.stays)
        if current:
            parts.append(Text(f"{_functions(current)} on version {plan.target.version} already", "dim"))
        parts.append(Text())
    moves = sum(len(plan.moves) for plan in plans)
    unchecked = sum(move.check_path is None for plan in plans for move in plan.moves)
    if not moves:
        parts.append(Text("Nothing to do.", style="bold green"))
    elif unchecked:
        parts.append(
            Text(f"{_functions(unchecked)} not asked anything: no path is known (--check-path).", style="yellow")
        )
    console.print(Group(*parts), highlight=False)


def print_rolled(plans: Sequence[RollPlan], done: Mapping[str, Sequence[Rolled]], console: Console) -> None:
    """What did not go as planned besides faults, and how many functions ended how."""
    parts: list[RenderableType] = []
    for plan in plans:
        rolled = done.get(plan.region, ())
        parts += [
            Text.assemble((f"{_WORDS[one.outcome]}: ", _STYLES[one.outcome]), f"{one.move.function}: {why}")
            for one in rolled
            # a fault itself is told at the end, as the command's error
            if (why := one.kept if one.outcome == "failed" else "; ".join(filter(None, (one.brief, one.kept))))
        ]
        counts = Counter(one.outcome for one in rolled)
        told = ", ".join(f"{counts[outcome]} {word}" for outcome, word in _WORDS.items() if counts[outcome])
        parts.append(Text(f"{plan.layer} {plan.target.version} in {plan.region}: {told}", "bold"))
        if counts["not-begun"] or counts["failed"] or counts["skipped"] or counts["back"]:
            parts.append(Text("The same command goes on with those that are left.", "dim"))
    console.print(Group(*parts), highlight=False, soft_wrap=True)


def roll_document(
    plans: Sequence[RollPlan],
    options: RollOptions,
    done: Mapping[str, Sequence[Rolled]],
    *,
    executed: bool,
    interrupted: bool,
    calls: Mapping[str, int],
) -> dict[str, Any]:
    """The document of `roll --format json`; `done` is by region, empty where nothing was executed."""
    return {
        "schema": 1,
        "executed": executed,
        "interrupted": interrupted,
        "calls": dict(sorted(calls.items())),
        "regions": [
            {
                "region": plan.region,
                "layer": plan.layer,
                "layer_arn": plan.target.arn,
                "layer_version": plan.target.version,
                "waves": [[move.function for move in wave] for wave in plan.waves],
                "functions": _functions_of(
                    plan, options, {one.move.function: one for one in done.get(plan.region, ())}
                ),
            }
            for plan in plans
        ],
    }


def _functions_of(plan: RollPlan, options: RollOptions, done: Mapping[str, Rolled]) -> list[dict[str, Any]]:
    rows = [
        _row(move, options, wave, done.get(move.function))
        for wave, moves in enumerate(plan.waves, start=1)
        for move in moves
    ]
    rows += [
        {
            "function": stay.function,
            "outcome": stay.outcome,
            "wave": None,
            "layer_version_before": stay.version,
            "alias": options.alias,
            "version_before": None,
            "version": None,
            "checked": None,
            "reason": stay.reason,
            "not_put_back": None,
        }
        for stay in plan.stays
    ]
    return sorted(rows, key=lambda row: str(row["function"]))


def _row(move: Move, options: RollOptions, wave: int, rolled: Rolled | None) -> dict[str, Any]:
    before = move.alias.version if move.alias else None
    return {
        "function": move.function,
        "outcome": rolled.outcome if rolled else "planned",
        "wave": wave,
        "layer_version_before": move.before,
        "alias": options.alias if move.alias else None,
        "version_before": before,
        "version": rolled.version if rolled and rolled.outcome == "moved" and move.alias else before,
        "checked": rolled.checked if rolled else None,
        "reason": rolled.reason if rolled else "; ".join(move.notes),
        "not_put_back": (rolled.kept or None) if rolled else None,
    }


def _heading(plan: RollPlan) -> Text:
    heading = Text.assemble((plan.layer, "bold cyan"), f" in {plan.region}: to version {plan.target.version}")
    if plan.moves:
        waves = "1 wave" if len(plan.waves) == 1 else f"{len(plan.waves)} waves"
        heading.append(f", {len(plan.moves)} functions in {waves}")
    return heading


def _waves(plan: RollPlan, options: RollOptions) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for title in ("wave", "function", "layer", "alias", "asked"):
        table.add_column(title, no_wrap=title != "asked", overflow="fold", header_style="dim")
    for number, wave in enumerate(plan.waves, start=1):
        for place, move in enumerate(wave):
            asked = f"GET {move.check_path}" if move.check_path else "nothing"
            table.add_row(
                "" if place else str(number),
                Text(move.function),
                f"{move.before} → {plan.target.version}",
                f"{options.alias}, version {move.alias.version}" if move.alias else "none: $LATEST",
                Text("; ".join((asked, *(("$LATEST has it already",) if move.begun else ()), *move.notes))),
            )
    return table


def _stays(stays: Sequence[Stay]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for stay in stays:
        table.add_row(Text(f"  {stay.function}"), f"version {stay.version}", Text(stay.reason))
    return table


def _functions(count: int) -> str:
    return "1 function is" if count == 1 else f"{count} functions are"
