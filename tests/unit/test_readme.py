"""What is written for people is true: help blocks are what the commands print, links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support import shared_folder

ROOT = Path(__file__).parents[2]
PAGES = {path: path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
BLOCKS = {
    command: block
    for text in PAGES.values()
    for command, block in re.findall(r"<!-- help: (\w+) -->\n```console\n\$ [^\n]+\n(.*?)```", text, re.DOTALL)
}


@pytest.mark.parametrize("command", BLOCKS)
def test_help_blocks_are_what_the_command_prints(command):
    printed = subprocess.run(
        [sys.executable, "-m", "optimizer", command, "--help"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.strip() == BLOCKS[command].strip()


def test_there_are_help_blocks():
    assert "plan" in BLOCKS


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_relative_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", PAGES[page]):
        assert target.startswith("http") or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_to_a_heading_have_one(page):
    for target, anchor in re.findall(r"\]\(([^)#]*)#([^)]+)\)", PAGES[page]):
        there = PAGES[(page.parent / target).resolve()] if target else PAGES[page]
        headings = [
            re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-")
            for line in re.findall(r"^#+ (.+)$", there, re.MULTILINE)
        ]
        assert anchor in headings, anchor


def test_every_command_is_told_of():
    from optimizer.cli.app import COMMANDS

    told = "\n".join(PAGES.values())
    assert [command for command in COMMANDS if not re.search(rf"\b{command}\b", told)] == []


def test_every_script_that_is_named_exists():
    for script in set(re.findall(r"\./scripts/([\w-]+)", "\n".join(PAGES.values()))):
        assert os.access(ROOT / "scripts" / script, os.X_OK), script


def test_every_command_has_help_with_an_example():
    from optimizer.cli.app import COMMANDS, application

    run = CliRunner()
    for command in COMMANDS:
        done = run.invoke(application((command,)), [command, "--help"], catch_exceptions=False)
        assert "Example: " in done.stdout, command


def test_the_committed_locks_are_what_is_planned(tmp_path_factory):
    done = subprocess.run(
        [sys.executable, "-m", "optimizer", "plan", "--check", "--format", "json"],
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(shared_folder(tmp_path_factory) / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
