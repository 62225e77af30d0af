"""`licenses` as a person or a script runs it."""

import json

import pytest

from optimizer.cli.app import application
from tests.support import lay_out, make_project

METADATA = "Metadata-Version: 2.4\nName: {}\nVersion: 1.0\n{}"


@pytest.fixture
def licenses(tmp_path, monkeypatch, capsys):
    """Runs the command on a project where two distributions have no licence and one has an odd one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    site = make_project(tmp_path)
    mit = METADATA.format("tool", "License-Expression: MIT\n")
    lay_out(site, "tool", metadata={"METADATA": mit, "licenses/LICENSE": "terms"})
    odd = METADATA.format("web", "License: z|b\x1b[31m\nRequires-Dist: shared\n")
    lay_out(site, "web", metadata={"METADATA": odd})
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        status = application(("licenses", "plan"))(["licenses", "--path", "site", *arguments], standalone_mode=False)
        assert status == 0
        return capsys.readouterr().out

    return run


def test_the_document_tells_licences_distributions_files_and_what_is_unknown(licenses):
    document = json.loads(licenses("--format", "json"))
    assert document["schema"] == 1
    assert document["licences"] == [
        {"licence": "MIT", "distributions": ["tool"]},
        {"licence": "z|b\x1b[31m", "distributions": ["web"]},
        {"licence": "unknown", "distributions": ["aws", "shared"]},
    ]
    assert document["unknown"] == ["aws", "shared"]
    rows = {row["name"]: row for row in document["distributions"]}
    assert rows["tool"] == {
        "name": "tool",
        "version": "1.0",
        "layers": ["utilities"],
        "licence": "MIT",
        "expression": "MIT",
        "said_by": "License-Expression",
        "files": ["tool-1.0.dist-info/licenses/LICENSE"],
    }
    assert (rows["shared"]["licence"], rows["shared"]["files"]) == (None, [])
    assert "stray" not in rows


def test_text_flags_the_unknown_and_steers_no_terminal(licenses):
    text = licenses()
    assert "Licences of 4 distributions that ship to python3.11 on x86_64" in text
    assert "licence unknown: aws, shared; the metadata of these names none" in text
    assert "licenses/LICENSE" in text
    assert "\x1b" not in text


def test_markdown_cells_hold_what_would_break_the_table(licenses):
    lines = licenses("--format", "markdown").splitlines()
    assert "| MIT | tool |" in lines
    assert any(line.startswith(r"| z\|b") for line in lines)
    assert "**licence unknown: aws, shared; the metadata of these names none: read what ships with it, or ask" in (
        "\n".join(lines)
    )
