"""Delta debugging finds what makes the difference, and not more."""

from hypothesis import given
from hypothesis import strategies as st

from optimizer.verify.guilty import guilty

CANDIDATES = st.lists(st.integers(0, 40), unique=True, min_size=1, max_size=24)


def test_the_example_of_the_docstring():
    questions = []

    def passes(subset):
        questions.append(subset)
        return "c" in subset

    assert guilty("abcd", passes) == {"c"}
    assert len(questions) <= 7


@given(CANDIDATES, st.data())
def test_all_that_is_needed_together_is_found_exactly(candidates, data):
    needed = frozenset(data.draw(st.lists(st.sampled_from(candidates), unique=True)))
    assert guilty(candidates, lambda subset: needed <= subset) == needed


@given(CANDIDATES, st.data())
def test_one_of_several_ways_is_found_and_none_can_be_left_out_of_it(candidates, data):
    subsets = st.lists(st.sampled_from(candidates), unique=True, min_size=1).map(frozenset)
    ways = data.draw(st.lists(subsets, min_size=1, max_size=4))

    def passes(subset):
        return any(way <= subset for way in ways)

    found = guilty(candidates, passes)
    assert passes(found)
    assert not any(passes(found - {each}) for each in found)


@given(CANDIDATES, st.randoms())
def test_it_is_minimal_whatever_the_predicate_and_nothing_is_asked_twice(candidates, random):
    answers = {frozenset(candidates): True}

    def passes(subset):
        assert subset not in answers
        return answers.setdefault(subset, random.random() < 0.3)

    found = guilty(candidates, passes)
    assert found <= set(candidates)
    assert answers[found]
    assert len(found) <= 1 or all(answers.get(found - {each}) is False for each in found)


@given(st.integers(1, 500), st.data())
def test_one_of_many_takes_few_questions(count, data):
    culprit = data.draw(st.integers(0, count - 1))
    questions = []

    def passes(subset):
        questions.append(subset)
        return culprit in subset

    assert guilty(range(count), passes) == {culprit}
    assert len(questions) <= 2 * count.bit_length() + 2
