"""How long the page takes to show a move, and how large its file is, as the number of distributions grows.

Run: .venv/bin/python benchmarks/page_speed.py
A move is timed in the browser, from the call until the frame after the one that it was drawn in; twenty moves each.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import ARGUMENTS, chromium  # noqa: E402
from tests.browser.stacks import document_of, make_stack, write_page  # noqa: E402

MOVES = """async () => {
  const { base, actions } = Page;
  const layers = base.document.layers.map((layer) => layer.name);
  const free = base.document.problem.items.filter((item) => item.role === null);
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const spent = [];
  for (let n = 0; n < 20; n += 1) {
    const item = free[(n * 7) % free.length];
    const home = Page.state().homes[item.name];
    await frame();
    const began = performance.now();
    actions.move([item.name], layers[(layers.indexOf(home) + 1) % layers.length]);
    const scripted = performance.now();
    document.body.getBoundingClientRect();
    const laidOut = performance.now();
    await frame();
    spent.push([scripted - began, laidOut - began, performance.now() - began]);
  }
  return spent;
}"""


def measured(page: Page, path: Path) -> list[list[float]]:
    """Milliseconds of each move: until the script ended, until it was laid out, until it was drawn."""
    page.goto(path.as_uri())
    found: list[list[float]] = page.evaluate(MOVES)
    return found


def main() -> None:
    """Print a line for each number of distributions."""
    print("distributions   file KiB   median ms: script, layout, drawn   least, worst ms drawn")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for count in (27, 100, 300):
            root = Path(folder) / str(count)
            path = write_page(document_of(make_stack(root, count)), root / "plan.html")
            spent = measured(page, path)
            medians = "  ".join(f"{statistics.median(row[n] for row in spent):>7.1f}" for n in range(3))
            least, worst = min(row[2] for row in spent), max(row[2] for row in spent)
            print(f"{count:>13}   {path.stat().st_size / 1024:>8.0f}   {medians:>34}   {least:>8.1f} {worst:>8.1f}")
        browser.close()


if __name__ == "__main__":
    main()
