"""The table of conditions: every row is an error of the API, with the service's text."""

import pytest

from optimizer.local import operations
from optimizer.local.conditions import TABLE
from optimizer.local.protocol import Protocol
from optimizer.local.service import OPERATIONS

_COMMON = {"ValidationException", "MissingAuthenticationTokenException"}


@pytest.mark.parametrize("condition", TABLE, ids=lambda c: f"{c.code}: {c.fact[:40]}")
def test_a_condition_is_an_error_that_the_api_model_knows(condition):
    assert operations
    shapes = {shape.name: shape for shape in Protocol().model.error_shapes}
    shape = shapes.get(condition.code)
    assert shape is not None or condition.code in _COMMON
    if shape is not None and "error" in shape.metadata:
        assert shape.metadata["error"]["httpStatusCode"] == condition.status


@pytest.mark.parametrize("condition", TABLE, ids=lambda c: f"{c.code}: {c.fact[:40]}")
def test_a_condition_names_operations_that_are_served(condition):
    named = [name for name in condition.operations if " " not in name]
    assert set(named) <= set(OPERATIONS)


def test_every_served_operation_is_one_of_the_model():
    assert set(OPERATIONS) <= set(Protocol().model.operation_names)


def test_only_throttling_says_when_to_try_again():
    assert {c.status for c in TABLE if c.error(**dict.fromkeys(_places(c), "x")).headers} == {429}


def _places(condition):
    from string import Formatter

    return [name for _, name, _, _ in Formatter().parse(condition.text) if name]
