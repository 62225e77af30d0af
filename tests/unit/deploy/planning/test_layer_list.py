"""The list of attached layers keeps what isn't ours in its place, and no state on the way passes 250 MB."""

import dataclasses

import pytest
from botocore.loaders import Loader
from hypothesis import example, given, settings
from hypothesis import strategies as st

from optimizer import limits
from optimizer.deploy.actions import Slot
from optimizer.deploy.planning.access import partition_of
from optimizer.deploy.planning.layer_list import attach_list, staying, transition
from optimizer.deploy.values import AttachedLayer, Configuration, LayerVersion, RemoteState
from optimizer.errors import DeployRefusedError
from tests.unit.deploy.fakes import ACCOUNT, layer_arn, make_manifest
from tests.unit.deploy.support import wanted

APM = layer_arn("apm", 7, "999999999999")
TRACER = layer_arn("tracer", 2)


def configuration(layers, *, code_sha256="old", zipped_bytes=100):
    return Configuration(
        arn=f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:app",
        version="$LATEST",
        description="",
        code_sha256=code_sha256,
        zipped_bytes=zipped_bytes,
        layers=tuple(
            layer if isinstance(layer, AttachedLayer) else AttachedLayer(arn=layer, zipped_bytes=10) for layer in layers
        ),
        handler="h",
        runtime="python3.11",
        architecture="x86_64",
        memory_mb=512,
        timeout_seconds=30,
        environment={},
        role="r",
        revision="1",
        state="Active",
    )


def listed(tmp_path, attached, *, own=("aws-core", "web"), external=(), retired=()):
    manifest = make_manifest(tmp_path, layers={name: name for name in own}, external=[(arn, 10) for arn in external])
    state = RemoteState(
        region="eu-central-1",
        latest=None if attached is None else configuration(attached),
        retired=frozenset(retired),
    )
    slots = [Slot(name=name, arn=None) for name in own]
    return [slot.arn or slot.name for slot in attach_list(wanted(manifest), state, slots)]


CORE1, WEB1, OLD1 = layer_arn("aws-core", 1), layer_arn("web", 1), layer_arn("old", 1)
FOREIGN_WEB = layer_arn("web", 3, "999999999999")


@pytest.mark.parametrize(
    ("attached", "options", "expected"),
    [
        (None, {}, ["aws-core", "web"]),
        ([], {}, ["aws-core", "web"]),
        ([CORE1, WEB1], {}, ["aws-core", "web"]),
        ([WEB1, CORE1], {}, ["aws-core", "web"]),
        ([APM, CORE1, WEB1, TRACER], {}, [APM, "aws-core", "web", TRACER]),
        ([APM, CORE1, TRACER], {}, [APM, "aws-core", "web", TRACER]),
        ([CORE1, APM, WEB1], {}, ["aws-core", APM, "web"]),
        ([CORE1, APM, WEB1], {"own": ("aws-core",)}, ["aws-core", APM, WEB1]),
        ([CORE1, OLD1, APM, WEB1], {"retired": (OLD1,)}, ["aws-core", "web", APM]),
        ([APM], {}, [APM, "aws-core", "web"]),
        ([FOREIGN_WEB, CORE1], {}, [FOREIGN_WEB, "aws-core", "web"]),
        ([], {"external": (APM,)}, ["aws-core", "web", APM]),
        ([APM, CORE1, WEB1], {"external": (APM, TRACER)}, [APM, "aws-core", "web", TRACER]),
        ([layer_arn("apm", 6, "999999999999"), CORE1, WEB1], {"external": (APM,)}, [APM, "aws-core", "web"]),
    ],
)
def test_ours_in_order_others_in_their_places(tmp_path, attached, options, expected):
    assert listed(tmp_path, attached, **options) == expected


def test_more_than_five_are_refused_with_their_names(tmp_path):
    foreign = [layer_arn(f"x{i}", 1, "999999999999") for i in range(4)]
    with pytest.raises(DeployRefusedError, match=r"6 layers; Lambda attaches at most 5.*x3") as caught:
        listed(tmp_path, foreign)
    assert "--layers" in caught.value.mend


LIMIT = limits.UNZIPPED_BYTES
weights = st.integers(min_value=1, max_value=LIMIT)


@st.composite
def moves(draw):
    """Old code and layers, new code and layers, each state within the limit; AWS tells zipped bytes alone."""
    kept = draw(st.integers(min_value=0, max_value=LIMIT // 3))
    spare = LIMIT - kept
    old_layer = draw(st.integers(min_value=0, max_value=spare - 1))
    new_layer = draw(st.integers(min_value=0, max_value=spare - 1))
    old_code = draw(st.integers(min_value=1, max_value=spare - old_layer))
    new_code = draw(st.integers(min_value=1, max_value=spare - new_layer))
    zipped = {name: -(-size // draw(st.integers(1, 10))) for name, size in (("old", old_layer), ("code", old_code))}
    return kept, old_layer, old_code, new_layer, new_code, zipped


@settings(deadline=None)
@given(move=moves())
@example(move=(0, 0, 1, LIMIT - 1, 1, {"old": 0, "code": 1}))
def test_every_state_on_the_way_fits_where_both_ends_do(move, tmp_path_factory):
    kept, old_layer, old_code, new_layer, new_code, zipped = move
    manifest = make_manifest(
        tmp_path_factory.getbasetemp() / "moves",
        layers={"keep": "keep", "web": "web 2"},
        code_bytes=new_code,
    )
    sizes = {"keep": kept, "web": new_layer}
    manifest = dataclasses.replace(
        manifest,
        artifacts=tuple(dataclasses.replace(a, unzipped_bytes=sizes.get(a.name, new_code)) for a in manifest.artifacts),
    )
    keep = LayerVersion(name="keep", version=1, arn=layer_arn("keep", 1), fingerprint=manifest.artifacts[0].fingerprint)
    old = AttachedLayer(arn=layer_arn("web", 1), zipped_bytes=zipped["old"])
    state = RemoteState(
        region="eu-central-1",
        latest=configuration([AttachedLayer(arn=keep.arn, zipped_bytes=5), old], zipped_bytes=zipped["code"]),
        published={"keep": keep},
    )
    target = (Slot(name="keep", arn=keep.arn), Slot(name="web", arn=None))
    match transition(wanted(manifest), state, target):
        case "code-first":
            states = [kept + old_layer + new_code]
        case "shrink-first":
            assert [slot.name for slot in staying(state, target)] == ["keep"]
            states = [kept + old_code, kept + new_code]
    assert all(total <= LIMIT for total in [*states, kept + new_layer + new_code])


def test_an_end_state_that_does_not_fit_is_refused(tmp_path):
    manifest = make_manifest(tmp_path, layer_bytes=LIMIT // 2, code_bytes=1)
    target = [Slot(name="aws-core", arn=None), Slot(name="web", arn=None)]
    with pytest.raises(DeployRefusedError, match=rf"{LIMIT + 1} bytes unzipped; Lambda takes at most {LIMIT}"):
        transition(wanted(manifest), RemoteState(region="eu-central-1"), target)


@pytest.mark.parametrize(
    ("zipped_code", "attached", "order"),
    [
        (60_000_000, [], "code-first"),  # from one fat zip to layers
        (1000, [AttachedLayer(arn=CORE1, zipped_bytes=24_000_000)], "code-first"),
        (1000, [AttachedLayer(arn=CORE1, zipped_bytes=60_000_000)], "shrink-first"),
    ],
)
def test_the_order_follows_from_what_may_be_there(tmp_path, zipped_code, attached, order):
    manifest = make_manifest(tmp_path, layer_bytes=50_000_000, code_bytes=10_000_000)
    state = RemoteState(region="eu-central-1", latest=configuration(attached, zipped_bytes=zipped_code))
    target = [Slot(name="aws-core", arn=None), Slot(name="web", arn=None)]
    assert transition(wanted(manifest), state, target) == order


def test_each_region_that_botocore_knows_is_of_its_partition():
    for partition in Loader().load_data("partitions")["partitions"]:
        for name in partition["regions"]:
            if not name.endswith("-global"):
                assert partition_of(name) == partition["id"], name
