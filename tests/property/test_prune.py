"""prune, whatever a region looks like: nothing that anything refers to is proposed, or deleted."""

from hypothesis import given
from hypothesis import strategies as st

from optimizer.deploy import descriptions
from optimizer.deploy.pruning.prune import Rules
from optimizer.deploy.pruning.pruner import Pruner
from optimizer.deploy.values import Alias, AttachedLayer, Configuration, LayerVersion
from tests.unit.deploy.fakes import ACCOUNT, REGION, FakeAws, FakeFunction, fingerprint, layer_arn

NAMES = ("core", "web")
MOST = 5
numbers = st.integers(1, MOST)
attached = st.lists(st.tuples(st.sampled_from(NAMES), numbers), max_size=3)


def configuration(function, version, layers, *, ours):
    """`$LATEST` or a version of a function with those layer versions."""
    marks = [fingerprint(f"{name} {number}") for name, number in layers]
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
    return Configuration(
        arn=arn if version == "$LATEST" else f"{arn}:{version}",
        version=version,
        description=descriptions.of_version(fingerprint(version), marks) if ours else "by hand",
        code_sha256="",
        zipped_bytes=1,
        layers=tuple(AttachedLayer(arn=layer_arn(*layer), zipped_bytes=1) for layer in layers),
        handler="h.h",
        runtime="python3.11",
        architecture="x86_64",
        memory_mb=128,
        timeout_seconds=3,
        environment={},
        role="role",
        revision="r",
        state="Active",
    )


@st.composite
def regions(draw):
    """Layers of which some versions are others' or shared, and functions with versions, aliases and callers."""
    aws = FakeAws()
    for name in NAMES:
        aws.layers[name] = [
            (
                LayerVersion(
                    name=name,
                    version=number,
                    arn=layer_arn(name, number),
                    fingerprint=fingerprint(f"{name} {number}") if draw(st.integers(0, 4)) else "theirs",
                ),
                b"x" * number,
            )
            for number in range(1, MOST + 1)
        ]
        for number in range(1, MOST + 1):
            if not draw(st.integers(0, 5)):
                aws.shared[layer_arn(name, number)] = draw(st.sampled_from([None, ("somebody",)]))
    for function in ("app", "other"):
        versions = {
            str(number): configuration(function, str(number), draw(attached), ours=draw(st.booleans()))
            for number in range(1, draw(st.integers(0, 4)) + 1)
        }
        found = FakeFunction(
            latest=configuration(function, "$LATEST", draw(attached), ours=False),
            settles_at=0.0,
            blobs={},
            versions=versions,
        )
        for name in draw(st.sets(st.sampled_from(["live", "beta"]))) if versions else ():
            at, beside = draw(st.sampled_from(sorted(versions))), draw(st.sampled_from(sorted(versions)))
            weights = {beside: 0.1} if beside != at and draw(st.booleans()) else {}
            found.aliases[name] = Alias(name=name, version=at, revision="r", weights=weights)
        if versions and draw(st.booleans()):
            found.policies[draw(st.sampled_from(sorted(versions)))] = {"partner": False}
        aws.functions[function] = found
    return aws


@given(aws=regions(), keep=st.integers(1, 4), functions=st.sets(st.sampled_from(["app", "other"])))
def test_nothing_that_anything_refers_to_is_proposed_or_deleted(aws, keep, functions):
    pruner = Pruner(
        layers=NAMES,
        functions=sorted(functions),
        rules=Rules(keep=keep, locked={"web": fingerprint("web 1")}),
        connect=lambda _: aws,
        progress=lambda _: None,
        note=lambda _: None,
    )
    (planned,) = pruner.plan([REGION])
    assert planned.error is None
    going = {judged.name for judged in planned.going}
    named = {
        f"{name}:{number}": {f"{name}:{version}" for alias in found.aliases.values() for version in alias.versions}
        for name, found in aws.functions.items()
        for number in found.versions
    }
    for judged in planned.going:
        assert judged.fingerprint is not None
        assert judged.name != "web:1", "the lock has it"
        if judged.kind == "function":
            assert judged.subject in functions
            assert judged.name not in named[judged.name]
            assert str(judged.version) not in aws.functions[judged.subject].policies
        else:
            assert judged.arn not in aws.shared
    staying = [
        version
        for name, found in aws.functions.items()
        for version in (found.latest, *found.versions.values())
        if f"{name}:{version.version}" not in going
    ]
    layers = {judged.arn for judged in planned.going if judged.kind == "layer"}
    assert not layers & {arn for version in staying for arn in version.layer_arns}
    for name in NAMES:
        ours = [v.arn for v, _ in reversed(aws.layers[name]) if v.fingerprint != "theirs"]
        assert not layers & set(ours[:keep])

    (done,) = pruner.execute([planned])
    assert done.error is None
    assert not done.late
    assert aws.deleted == layers, "nobody interferes, so all that was planned goes"
    assert {f"{name}:{number}" for name, found in aws.functions.items() for number in found.versions} == {
        name for name in named if name not in going
    }
