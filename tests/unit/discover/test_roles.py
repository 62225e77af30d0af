"""Which layers are proposed for what is required: by role, none empty, and no more than their bytes deserve."""

import pytest

from optimizer.discover.roles import Weight, propose
from optimizer.discover.weights import locked_weights
from optimizer.models import Target

MIB = 1 << 20


def weights(**mib):
    return {name.replace("_", "-"): Weight(bytes=int(size * MIB), requires=()) for name, size in mib.items()}


def layers(direct, known):
    return [(layer.name, layer.roots) for layer in propose(direct, known, "installed")]


def test_each_role_that_is_there_gets_a_layer_and_the_rest_one():
    known = weights(boto3=20, fastapi=9, numpy=60, orjson=2)
    assert layers(known, known) == [
        ("aws-core", ("boto3",)),
        ("web-framework", ("fastapi",)),
        ("numeric", ("numpy",)),
        ("utilities", ()),
    ]


def test_without_anything_else_there_is_no_layer_for_the_rest():
    known = weights(boto3=20, fastapi=9)
    assert layers(known, known) == [("aws-core", ("boto3",)), ("web-framework", ("fastapi",))]


def test_a_small_stack_is_one_layer_with_its_bytes_as_the_reason():
    known = weights(flask=1, orjson=1)
    (layer,) = propose(known, known, "installed")
    assert (layer.name, layer.roots) == ("utilities", ())
    assert "2 distributions, 2.0 MiB installed" in layer.why


def test_a_role_of_few_bytes_joins_the_rest():
    known = weights(boto3=20, mangum=0.1, orjson=2)
    assert layers(known, known) == [("aws-core", ("boto3",)), ("utilities", ())]


def test_a_rest_of_few_bytes_has_no_layer():
    known = weights(boto3=20, fastapi=9, orjson=0.3)
    found = propose(known, known, "installed")
    assert [layer.name for layer in found] == ["aws-core", "web-framework"]
    assert "orjson" in found[-1].why


def test_what_a_role_requires_counts_for_it():
    known = {
        "mangum": Weight(bytes=1000, requires=("heavy",)),
        "heavy": Weight(bytes=8 * MIB, requires=("mangum",)),
        "orjson": Weight(bytes=2 * MIB, requires=()),
    }
    assert layers(["mangum", "orjson"], known) == [("web-framework", ("mangum",)), ("utilities", ())]


def test_without_bytes_roles_alone_decide():
    assert layers(["boto3", "aws-lambda-powertools", "orjson"], {}) == [
        ("aws-core", ("aws-lambda-powertools", "boto3")),
        ("utilities", ()),
    ]


@pytest.mark.parametrize("direct", [[], ["orjson"], ["boto3"], ["numpy", "flask"]])
@pytest.mark.parametrize("known", [{}, weights(boto3=20, orjson=0.1, numpy=60, flask=0.2)])
def test_there_is_always_a_layer_and_at_most_one_without_roots(direct, known):
    found = propose(direct, known, "installed")
    assert found
    assert sum(not layer.roots for layer in found) <= 1


def test_layers_of_others_leave_room_for_fewer():
    known = weights(boto3=20, fastapi=9, numpy=60, orjson=2)
    assert [x.name for x in propose(known, known, "installed", most=2)] == ["aws-core", "utilities"]
    (layer,) = propose(known, known, "installed", most=1)
    assert layer.roots == ()
    assert "leave room for 1" in layer.why


def test_bytes_of_wheels_count_for_what_they_unpack_to():
    known = weights(boto3=8, mangum=0.5, orjson=1)
    assert [x.name for x in propose(known, known, "of wheels", packed=True)] == [
        "aws-core",
        "web-framework",
        "utilities",
    ]


LOCK = """
[[package]]
name = "web"
version = "1"
dependencies = [{ name = "core" }, { name = "win", marker = "sys_platform == 'win32'" }]
wheels = [{ url = "https://x.invalid/web-1-py3-none-any.whl", size = 100 }]
[[package]]
name = "core"
version = "1"
wheels = [
  { url = "https://x.invalid/core-1-cp311-cp311-macosx_11_0_arm64.whl", size = 1 },
  { url = "https://x.invalid/core-1-cp311-cp311-manylinux_2_17_x86_64.whl", size = 300 },
  { url = "https://x.invalid/core-1-cp311-cp311-manylinux_2_34_x86_64.whl", size = 2 },
]
"""
TARGET = Target(runtime="python3.11", architecture="x86_64")


def test_a_lock_tells_the_bytes_of_the_wheels_that_load_there():
    found = locked_weights(LOCK, ["web"], TARGET)
    assert {name: weight.bytes for name, weight in found.items()} == {"web": 100, "core": 300}


@pytest.mark.parametrize("text", ["", "[[", LOCK.replace("size = 300", ""), LOCK.replace("manylinux_2_17", "win32")])
def test_a_lock_that_does_not_tell_is_no_source_of_bytes(text):
    assert locked_weights(text, ["web"], TARGET) == {}
