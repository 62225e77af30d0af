"""What a verification found, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from optimizer.report.escape import plain
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from rich.console import Console

    from optimizer.verify import Finding, Measured, Report


def report_document(report: Report) -> dict[str, Any]:
    """The document of `verify --format json`, schema 1."""
    return {
        "schema": 1,
        "findings": [
            {"check": f.check, "subject": f.subject, "expected": f.expected, "actual": f.actual}
            for f in report.findings
        ],
        "init_ms": round(report.init_ms, 1),
        "modules_imported": report.modules_imported,
        "notes": list(report.notes),
        "functions": [
            {"name": start.function, "init_ms": round(start.init_ms, 1), "status": start.status}
            for start in report.starts
        ],
        "measured": [
            {
                "function": m.function,
                "runs": m.runs,
                "init_ms": round(m.init_ms, 1),
                "init_ms_without_bytecode": round(m.init_ms_without, 1),
                "unzipped_bytes": m.unzipped_bytes,
                "unzipped_bytes_without_bytecode": m.unzipped_bytes_without,
                "zipped_bytes": m.zipped_bytes,
                "zipped_bytes_without_bytecode": m.zipped_bytes_without,
            }
            for m in report.measured
        ],
    }


def print_report(report: Report, console: Console) -> None:
    """Each finding, what was measured, what was not checked, and the verdict last."""
    for finding in report.findings:
        _print_finding(finding, console)
    for start in report.starts:
        answer = "" if start.status is None else f", its check_path answered {start.status}"
        console.print(Text(f"{start.function}: ready after {start.init_ms:.0f} ms{answer}"))
    for measured in report.measured:
        _print_measured(measured, console)
    for note in report.notes:
        _print_lines("note: ", note, console, "yellow")
    count = len(report.findings)
    imported = f"{report.modules_imported:,} modules imported"
    if count:
        words = "1 finding" if count == 1 else f"{count} findings"
        console.print(Text.assemble((words, "bold red"), f"; {imported}"))
    else:
        console.print(Text.assemble(("nothing wrong found", "bold green"), f"; {imported}"))


def _print_finding(finding: Finding, console: Console) -> None:
    console.print(Text.assemble((f"{finding.check} ", "bold red"), (plain(finding.subject), "bold")), soft_wrap=True)
    _print_lines("   expected: ", finding.expected, console, "default")
    _print_lines("   actual:   ", finding.actual, console, "default")


def _print_lines(head: str, text: str, console: Console, style: str) -> None:
    first, *more = text.splitlines() or [""]
    console.print(Text.assemble((head, style), plain(first)), soft_wrap=True)
    for line in more:
        console.print(Text(f"   {plain(line.rstrip())}"), soft_wrap=True)


def _print_measured(m: Measured, console: Console) -> None:
    rows = (
        ("with bytecode", m.init_ms, m.unzipped_bytes, m.zipped_bytes),
        ("without", m.init_ms_without, m.unzipped_bytes_without, m.zipped_bytes_without),
    )
    console.print(Text(f"{m.function}: to be ready, median of {m.runs} starts"))
    for name, milliseconds, unzipped, zipped in rows:
        sizes = f"{human_bytes(unzipped)} unzipped, {human_bytes(zipped)} zipped"
        console.print(Text(f"   {name:<14}{milliseconds:7.0f} ms   {sizes}"))
