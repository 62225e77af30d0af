"""A small project that is planned, built and verified for real: real zips, real processes."""

import json

import pytest

from optimizer.cli.app import application
from optimizer.cli.build import run_build
from optimizer.cli.pipeline import Source
from tests.support import lay_out, make_project

HANDLER = """
import {imports}

def handler(event, context):
    return {{"statusCode": 200, "body": "fine"}}
"""


class Project:
    """`verify` runs the command and gives its JSON; `ship` adds a distribution that the function requires."""

    def __init__(self, root, capsys):
        self.root = root
        self.capsys = capsys
        self.site = make_project(root)
        self.requirements = ["aws", "web", "tool"]
        self.handler("aws, web, tool")
        self.configure('regions = ["eu-central-1"]', 'regions = ["eu-central-1"]\ncheck_path = "/health"')

    def ship(self, name, files=None, **more):
        info = lay_out(self.site, name, files=files, **more)
        self.requirements.append(name)
        (self.root / "requirements.txt").write_text("\n".join(self.requirements))
        return info

    def handler(self, imports, source=HANDLER):
        (self.root / "src/handler.py").write_text(source.format(imports=imports))

    def configure(self, before, after):
        place = self.root / "config/layers.toml"
        assert before in place.read_text()
        place.write_text(place.read_text().replace(before, after))

    def slim(self, text):
        place = self.root / "config/layers.toml"
        place.write_text(f"{place.read_text()}\n{text}\n")

    def build(self, name="built"):
        return run_build(Source(config=self.root / "config/layers.toml", path=self.site), self.root / name)

    def run(self, *arguments, status):
        self.capsys.readouterr()
        got = application(("verify",))(["verify", *arguments], standalone_mode=False)
        self.printed = self.capsys.readouterr()
        assert got == status, self.printed
        return self.printed.out

    def verify(self, *arguments, status=0):
        sources = () if "--artifacts" in arguments else ("--path", str(self.site))
        return json.loads(self.run(*sources, *arguments, "--format", "json", status=status))


@pytest.fixture
def project(tmp_path, monkeypatch, capsys):
    root = tmp_path / "project"
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    root.mkdir()
    monkeypatch.chdir(root)
    yield Project(root, capsys)
    assert list((tmp_path / "tmp").iterdir()) == [], "something was left behind"
