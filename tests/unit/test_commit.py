"""The commit that is built: git's own word, with a mark where files differ, or the CI system's."""

import subprocess

import pytest

from optimizer.commit import _VARIABLES, commit_of

ID = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))  # no work tree around the test's own


def git(folder, *arguments):
    names = ["-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *names, "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "code.py").write_text("A = 1\n")
    git(tmp_path, "init", "-q", "project")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


def test_it_is_the_one_that_is_checked_out(project):
    assert commit_of(project) == git(project, "rev-parse", "HEAD")
    assert commit_of(project / "app") == commit_of(project)


@pytest.mark.parametrize("change", ["app/code.py", "app/new.py"])
def test_files_that_differ_are_told(project, change):
    (project / change).write_text("A = 2\n")
    assert commit_of(project) == git(project, "rev-parse", "HEAD") + "-dirty"


def test_what_was_built_is_no_change_and_neither_is_what_lies_beside_the_project(project):
    (project / "dist").mkdir()
    (project / "dist" / "a.zip").write_text("zip")
    (project / "beside.txt").write_text("text")
    assert commit_of(project / "app", project / "dist") == git(project, "rev-parse", "HEAD")
    (project / "beside.txt").unlink()
    assert commit_of(project, project / "dist") == git(project, "rev-parse", "HEAD")
    assert commit_of(project).endswith("-dirty")


def test_git_itself_is_not_touched(project):
    before = (project / ".git" / "index").stat().st_mtime_ns
    (project / "app" / "code.py").touch()
    commit_of(project)
    assert (project / ".git" / "index").stat().st_mtime_ns == before


def test_without_a_work_tree_a_ci_system_may_tell(tmp_path, monkeypatch):
    assert commit_of(tmp_path) is None
    monkeypatch.setenv("GITHUB_SHA", "not a commit")
    assert commit_of(tmp_path) is None
    monkeypatch.setenv("CI_COMMIT_SHA", ID)
    assert commit_of(tmp_path) == ID


def test_without_a_first_commit_or_without_git_nothing_tells(tmp_path, monkeypatch):
    git(tmp_path, "init", "-q", ".")
    assert commit_of(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert commit_of(tmp_path) is None
