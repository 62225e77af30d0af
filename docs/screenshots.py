"""Pictures of the report page for the documentation, from this project's own plan.

Run: ./scripts/screenshots (writes docs/page-light.png, docs/page-dark.png and docs/page-phone.png)
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import ARGUMENTS, chromium  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDE, PHONE = {"width": 1280, "height": 1100}, {"width": 390, "height": 844}


def picture(browser: Browser, page_path: Path, target: Path, *, first: str, last: str, **context: object) -> None:
    """The page from the section `first` (empty: its top) to the end of `last`, with a distribution selected."""
    opened = browser.new_context(**context)  # type: ignore[arg-type]
    page: Page = opened.new_page()
    page.goto(page_path.as_uri())
    page.evaluate("Page.actions.select('pydantic-core')")
    top, bottom, width = page.evaluate(
        """([first, last]) => [first ? document.getElementById(first).getBoundingClientRect().top + scrollY : 0,
          document.getElementById(last).getBoundingClientRect().bottom + scrollY + 32, innerWidth]""",
        [first, last],
    )
    clip = {"x": 0, "y": top, "width": width, "height": bottom - top}
    page.screenshot(path=target, full_page=True, clip=clip)  # type: ignore[arg-type]
    opened.close()


def main() -> None:
    """Plan, and take the three pictures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "plan.html"
        plan = (sys.executable, "-m", "optimizer", "plan", "--format", "html", "--output", str(path))
        subprocess.run(plan, cwd=ROOT, check=True)
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        docs = ROOT / "docs"
        picture(browser, path, docs / "page-light.png", first="", last="treemap", viewport=WIDE, color_scheme="light")
        picture(
            browser, path, docs / "page-dark.png", first="frontier", last="arrows", viewport=WIDE, color_scheme="dark"
        )
        picture(
            browser, path, docs / "page-phone.png", first="", last="treemap", viewport=PHONE, device_scale_factor=1.5
        )
        browser.close()


if __name__ == "__main__":
    main()
