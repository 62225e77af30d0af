"""The index's answers are kept as they come: what was broken off goes on where it was."""

from datetime import UTC, datetime, timedelta

import pytest

from optimizer.errors import NetworkError
from optimizer.history.answers import Answer, Answers, ask
from tests.unit.history.support import FakeIndex, wheel

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
TABLE = {name: (wheel(name, "1.0", "2026-01-01"), wheel(name, "1.1", None, yanked=True)) for name in "abcd"}


def clock():
    return NOW


@pytest.fixture
def answers(tmp_path):
    return Answers(tmp_path / "cache")


def test_what_is_kept_is_what_was_said(answers):
    answer = Answer(fetched=NOW, files=(wheel("a", "1.0", "2026-01-01", size=7, requires_python=">=3.9"), *TABLE["a"]))
    answers.put("a", answer)
    assert answers.get("a", NOW) == answer
    answers.put("b", Answer(fetched=NOW, files=None))
    assert answers.get("b", NOW) == Answer(fetched=NOW, files=None)


def test_an_interrupted_run_loses_nothing_and_the_next_asks_only_for_what_is_missing(answers):
    broken = FakeIndex(TABLE, fails_after=2)
    with pytest.raises(NetworkError) as raised:
        ask(broken, answers, "abcd", clock=clock)
    assert "2 of 4 distributions are here" in raised.value.message
    assert "goes on from there" in raised.value.mend
    assert raised.value.exit_status == 3
    whole = FakeIndex(TABLE)
    told = []
    found = ask(whole, answers, "dcba", clock=clock, tell=lambda done, total: told.append((done, total)))
    assert whole.asked == ["c", "d"]
    assert {name: answer.files for name, answer in found.items()} == TABLE
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_ctrl_c_in_the_middle_keeps_what_is_here(answers):
    class Interrupted(FakeIndex):
        def files(self, name):
            if name == "c":
                raise KeyboardInterrupt
            return super().files(name)

    with pytest.raises(KeyboardInterrupt):
        ask(Interrupted(TABLE), answers, "abcd", clock=clock)
    whole = FakeIndex(TABLE)
    ask(whole, answers, "abcd", clock=clock)
    assert whole.asked == ["c", "d"]


def test_an_unknown_project_is_an_answer_too(answers):
    first, second = FakeIndex({}), FakeIndex({})
    assert ask(first, answers, ["private"], clock=clock)["private"].files is None
    ask(second, answers, ["private"], clock=clock)
    assert (first.asked, second.asked) == (["private"], [])


@pytest.mark.parametrize("age", [timedelta(hours=6), timedelta(days=3), timedelta(hours=-1)])
def test_an_answer_that_is_old_or_of_tomorrow_is_asked_for_again(answers, age):
    answers.put("a", Answer(fetched=NOW - age, files=()))
    index = FakeIndex(TABLE)
    assert ask(index, answers, "a", clock=clock)["a"].files == TABLE["a"]
    assert index.asked == ["a"]


def test_fresh_asks_for_everything(answers):
    ask(FakeIndex(TABLE), answers, "ab", clock=clock)
    index = FakeIndex(TABLE, fails_after=1)
    with pytest.raises(NetworkError, match="without --fresh"):
        ask(index, answers, "ab", clock=clock, fresh=True)
    assert index.asked == ["a"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_": 99, "fetched": "2026-06-30T12:00:00Z", "files": []}'])
def test_a_damaged_answer_is_as_if_it_were_not_there(answers, text):
    ask(FakeIndex(TABLE), answers, "a", clock=clock)
    (answers.folder / "a.json").write_text(text)
    index = FakeIndex(TABLE)
    assert ask(index, answers, "a", clock=clock)["a"].files == TABLE["a"]
    assert index.asked == ["a"]


def test_answers_of_different_indexes_are_not_mixed(tmp_path):
    ask(FakeIndex(TABLE), Answers(tmp_path), "a", clock=clock)
    other = FakeIndex({})
    assert ask(other, Answers(tmp_path, index="https://example.org/simple"), "a", clock=clock)["a"].files is None


def test_where_the_cache_cannot_be_written_the_answers_are_had_all_the_same(tmp_path):
    (tmp_path / "file").write_text("")
    found = ask(FakeIndex(TABLE), Answers(tmp_path / "file"), "a", clock=clock)
    assert found["a"].files == TABLE["a"]
