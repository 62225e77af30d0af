"""Embedded Lambdas for the tests of this folder."""

import pytest

from tests.unit.local.lambda_api import Api


@pytest.fixture
def api(tmp_path):
    """An embedded Lambda whose updates settle only when told to."""
    return Api(tmp_path / "blobs")


@pytest.fixture
def make_api(tmp_path):
    """Makes embedded Lambdas with settings of their own."""
    return lambda **settings: Api(tmp_path / "blobs", **settings)
