"""The commands in the documentation are commands: each is one that exists, and blocks marked with `run` are run.

`<!-- run -->` before a console block runs its commands in a copy of the example, and compares what it shows of their
output, where it shows any; `<!-- run: 1 -->` expects that exit status of the last.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.support import shared_folder

ROOT = Path(__file__).parents[2]
PAGES = {path: path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
_BLOCK = re.compile(r"(?:<!-- run(?:: (\d))? -->\n)?```console\n(.*?)```", re.DOTALL)
_MARKED = re.compile(r"<!-- run(?:: (\d))? -->\n```console\n(.*?)```", re.DOTALL)


def commands(block):
    """(command, shown output) of each prompt; a command goes on over here-documents and escaped line ends."""
    found = []
    lines = iter(block.splitlines())
    for line in lines:
        if not line.startswith("$ "):
            if found:
                found[-1][1].append(line)
            continue
        text = line.removeprefix("$ ")
        while text.endswith("\\"):
            text = text[:-1] + next(lines).strip()
        heredoc = re.search(r"<<'(\w+)'", text)
        if heredoc:
            for inner in lines:
                text += "\n" + inner
                if inner == heredoc[1]:
                    break
        found.append((text, []))
    return [(text, "\n".join(shown)) for text, shown in found]


CALLS = sorted(
    {
        (page.name, text)
        for page, content in PAGES.items()
        for _, block in _BLOCK.findall(content)
        for text, _ in commands(block)
        if re.match(r"(\.venv/bin/)?python -m optimizer |layer-optimizer ", text)
    }
)


@pytest.mark.parametrize(("page", "text"), CALLS)
def test_each_command_that_is_told_exists_with_its_options(page, text):  # noqa: ARG001  # names the test
    from typer.main import get_command

    from optimizer.cli.app import application

    words = shlex.split(re.split(r" [|>&]|\n", text)[0], comments=True)
    name, *arguments = words[words.index("optimizer") + 1 :] if "optimizer" in words else words[1:]
    group = get_command(application((name,)))
    command = group.commands[name] if isinstance(group, click.Group) or hasattr(group, "commands") else group
    arguments = ["1" if word in {"PORT", "N", "VERSION"} else word for word in arguments]
    if "--help" in arguments:
        return
    command.make_context(name, arguments)


RUNS = {page.name: _MARKED.findall(content) for page, content in PAGES.items() if _MARKED.search(content)}


@pytest.mark.parametrize("page", RUNS)
def test_marked_blocks_run_and_print_what_is_shown(page, tmp_path, tmp_path_factory):
    project = tmp_path / "project"
    for folder in ("config", "function", "layers"):
        shutil.copytree(ROOT / folder, project / folder, ignore=shutil.ignore_patterns("__pycache__", ".build"))
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(shared_folder(tmp_path_factory) / "cache"),
    }
    for status, block in RUNS[page]:
        found = commands(block)
        for number, (text, shown) in enumerate(found, 1):
            done = subprocess.run(
                ["bash", "-c", text], cwd=project, env=environment, capture_output=True, text=True, check=False
            )
            expected = int(status or 0) if number == len(found) else 0
            assert done.returncode == expected, f"$ {text}\n{done.stdout}{done.stderr}"
            for line in shown.splitlines():
                if line.strip() not in {"", "..."}:
                    assert line.strip() in (done.stdout + done.stderr), f"$ {text}"
