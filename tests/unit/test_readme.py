"""The README is true: its help blocks are what the commands print, its links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = dict(re.findall(r"<!-- help: (\w+) -->\n```console\n\$ [^\n]+\n(.*?)```", README, re.DOTALL))


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


def test_relative_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_every_script_that_is_named_exists():
    for script in set(re.findall(r"\./scripts/([\w-]+)", README)):
        assert os.access(ROOT / "scripts" / script, os.X_OK), script


def test_every_command_has_help_with_an_example():
    from optimizer.cli.app import COMMANDS

    for command in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", "optimizer", command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert "Example: " in done.stdout, command


def test_the_committed_locks_are_what_is_planned(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "optimizer", "plan", "--check", "--format", "json"],
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
