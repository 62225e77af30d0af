"""The commits of a lock file, in a real repository → the days on which the team took other versions."""

import os
import subprocess

import pytest

from optimizer.errors import UsageError
from optimizer.history.commits import read_revisions, team_pace
from tests.unit.history.support import TARGET


class Repository:
    def __init__(self, root):
        self.root = root
        self("init", "--quiet", "--initial-branch", "main")

    def __call__(self, *arguments, day="2026-01-01T12:00:00Z"):
        env = {
            **os.environ,
            **{f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
            "GIT_AUTHOR_DATE": day,
            "GIT_COMMITTER_DATE": day,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
        }
        return subprocess.run(["git", *arguments], cwd=self.root, env=env, check=True, capture_output=True, text=True)

    def commit(self, day, text, path="requirements.txt"):
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        self("add", "--all")
        self("commit", "--quiet", "--message", day, day=f"{day}T12:00:00Z" if len(day) == 10 else day)


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


def pace(repository, *names, path="requirements.txt"):
    return team_pace(read_revisions(repository.root / path), names or ("boto3", "private"), TARGET)


def days(found, name="boto3"):
    return [(str(r.day), r.version) for r in found.distributions[name].releases]


def test_days_on_which_the_locked_version_changed_are_the_releases(repository):
    repository.commit("2026-01-01", "boto3==1.0\nprivate==7\n")
    repository.commit("2026-01-10", "boto3==1.0\nprivate==8\n")
    repository.commit("2026-02-01", "boto3==1.2\nprivate==8\nother==1\n")
    found = pace(repository)
    assert days(found) == [("2026-02-01", "1.2")]
    assert days(found, "private") == [("2026-01-10", "8")]
    assert set(found.distributions) == {"boto3", "private"}
    assert found.distributions["boto3"].origin == "git"
    assert str(found.began) == "2026-01-01"


def test_a_first_appearance_counts_only_where_the_lock_file_was_there_before(repository):
    repository.commit("2026-01-01", "boto3==1.0\n")
    repository.commit("2026-02-01", "boto3==1.0\nprivate==1\n")
    found = pace(repository)
    assert days(found) == []
    assert days(found, "private") == [("2026-02-01", "1")]


def test_going_back_is_a_change_and_a_removal_is_none(repository):
    for day, text in [("01", "boto3==2\nx==1"), ("02", "boto3==1\nx==1"), ("03", "x==1"), ("04", "boto3==1\nx==1")]:
        repository.commit(f"2026-01-{day}", text)
    assert days(pace(repository)) == [("2026-01-02", "1"), ("2026-01-04", "1")]


def test_of_several_changes_on_one_day_the_last_counts_and_a_day_that_ends_as_it_began_has_none(repository):
    repository.commit("2026-01-01", "boto3==1")
    for hour, version in enumerate(["2", "3", "4"]):
        repository.commit(f"2026-01-05T0{hour}:00:00Z", f"boto3=={version}")
    for hour, version in enumerate(["5", "4.0"]):
        repository.commit(f"2026-01-06T0{hour}:00:00Z", f"boto3=={version}")
    assert days(pace(repository)) == [("2026-01-05", "4")]


def test_the_day_is_that_of_utc(repository):
    repository.commit("2026-01-01", "boto3==1")
    repository.commit("2026-01-05T01:00:00+05:00", "boto3==2")
    assert days(pace(repository)) == [("2026-01-04", "2")]


def test_a_renamed_file_is_followed(repository):
    body = "".join(f"other{i}==1\n" for i in range(20))
    repository.commit("2026-01-01", f"boto3==1\n{body}", "old.txt")
    repository.commit("2026-01-02", f"boto3==2\n{body}", "old.txt")
    (repository.root / "deep").mkdir()
    repository("mv", "old.txt", "deep/ü requirements.txt")
    repository.commit("2026-01-03", f"boto3==2\n{body}", "deep/ü requirements.txt")
    repository.commit("2026-01-04", f"boto3==3\n{body}", "deep/ü requirements.txt")
    assert days(pace(repository, path="deep/ü requirements.txt")) == [("2026-01-02", "2"), ("2026-01-04", "3")]


def test_what_a_branch_changed_counts_on_the_day_of_its_merge(repository):
    repository.commit("2026-01-01", "boto3==1\nprivate==1\n\n\n\nx==1\n")
    repository("checkout", "--quiet", "-b", "update")
    repository.commit("2026-01-02", "boto3==2\nprivate==1\n\n\n\nx==1\n")
    repository("checkout", "--quiet", "main")
    repository.commit("2026-01-03", "boto3==1\nprivate==1\n\n\n\nx==2\n")
    repository("merge", "--quiet", "--no-ff", "--no-edit", "update", day="2026-01-04T12:00:00Z")
    assert days(pace(repository)) == [("2026-01-04", "2")]


def test_revisions_that_cannot_be_read_or_lock_nothing_are_skipped_and_told(repository):
    lock = '[[package]]\nname = "boto3"\nversion = "{}"\n'
    repository.commit("2026-01-01", "", "uv.lock")
    repository.commit("2026-01-02", lock.format("1"), "uv.lock")
    repository.commit("2026-01-03", "<<<<<<< HEAD\n", "uv.lock")
    repository.commit("2026-01-04", lock.format("2"), "uv.lock")
    found = pace(repository, path="uv.lock")
    assert days(found) == [("2026-01-04", "2")]
    assert str(found.began) == "2026-01-02"
    assert found.notes[0].startswith("2 commits are skipped")


def test_a_file_that_was_away_for_a_while_is_read_all_the_same(repository):
    repository.commit("2026-01-01", "boto3==1")
    repository("rm", "--quiet", "requirements.txt")
    repository("commit", "--quiet", "--message", "away", day="2026-01-02T12:00:00Z")
    repository.commit("2026-01-03", "boto3==2")
    assert days(pace(repository)) == [("2026-01-03", "2")]


@pytest.mark.parametrize("texts", [["boto3>=1", "boto3>=2"], ["boto3==1"], ["boto3==1", "boto3==1.0"]])
def test_a_file_that_shows_no_pace_is_refused(repository, texts):
    for day, text in enumerate(texts, 1):
        repository.commit(f"2026-01-0{day}", text)
    with pytest.raises(UsageError, match=r"No commit of requirements.txt"):
        pace(repository)


def test_what_is_no_committed_file_is_wrong_usage(repository, tmp_path_factory, monkeypatch):
    place = repository.root / "requirements.txt"
    with pytest.raises(UsageError, match="There is no lock file"):
        read_revisions(place)
    place.write_text("boto3==1")
    with pytest.raises(UsageError, match="has no commits"):
        read_revisions(place)
    repository.commit("2026-01-01", "x", "other.txt")
    (repository.root / "new.txt").write_text("boto3==1")
    with pytest.raises(UsageError, match="has no commits"):
        read_revisions(repository.root / "new.txt")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "requirements.txt"
    elsewhere.write_text("boto3==1")
    with pytest.raises(UsageError, match="is in no git repository"):
        read_revisions(elsewhere)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="git is not installed"):
        read_revisions(place)


def test_a_shallow_clone_is_refused_since_commits_are_missing(repository, tmp_path_factory):
    repository.commit("2026-01-01", "boto3==1")
    repository.commit("2026-01-02", "boto3==2")
    clone = tmp_path_factory.mktemp("clones") / "shallow"
    repository("clone", "--quiet", "--depth", "1", repository.root.as_uri(), str(clone))
    with pytest.raises(UsageError, match="shallow"):
        read_revisions(clone / "requirements.txt")
