"""A real browser for pages: the Chromium of this machine, without a network."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")


def chromium() -> str | None:
    """Where the browser is: $CHROMIUM, or the first of its usual names on PATH."""
    return os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests of a module: while it runs, so does its event loop, and no other can in this process."""
    place = chromium()
    if place is None:
        pytest.skip("there is no Chromium: install it (apt-get install chromium) or say in $CHROMIUM where it is")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=place, args=list(ARGUMENTS))
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a file or an address; what the page logs as an error, and each request that leaves it, fails the test."""
    contexts = []

    def opened(target: Path | str, *, fragment: str = "", **options: object) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        address = target.as_uri() if isinstance(target, Path) else target
        origin = address.split("#")[0].rpartition("/")[0]
        page.on(
            "request",
            lambda asked: (
                None if asked.url.startswith((origin, "data:", "blob:")) else faults.append(f"request: {asked.url}")
            ),
        )
        page.goto(address + fragment)
        return page

    faults: list[str] = []
    yield opened
    for context in contexts:
        context.close()
    assert faults == []
