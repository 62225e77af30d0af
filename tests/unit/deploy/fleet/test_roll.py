"""A roll moves functions in waves, stops at a fault, leaves or takes back what was moved, and goes on later."""

import dataclasses
import itertools
import re
import threading

import pytest

from optimizer.deploy import descriptions
from optimizer.deploy.fleet.layer_reference import LayerReference
from optimizer.deploy.fleet.roll import roll_regions
from optimizer.deploy.fleet.roll_read import plan_roll
from optimizer.deploy.fleet.roll_values import RollOptions, Wave
from optimizer.deploy.rejections import AnswerLostError
from optimizer.deploy.values import Alias, Invocation, Url
from optimizer.errors import UsageError
from tests.unit.deploy.fakes import (
    WRITES,
    FakeAws,
    fault_at,
    fingerprint,
    fleet,
    layer_arn,
    published,
    rejected,
)

OTHER = "999999999999"
APM = layer_arn("apm", 7, OTHER)
BROKEN = Invocation(payload=b'{"statusCode": 500, "body": "no"}', error=None, log="Traceback")


def make(count=1, *, versions=2, others=(), **options):
    """Functions on version 1 of `web`, of which there are newer ones, and another layer before it."""
    aws = FakeAws()
    published(aws, "core", "core 1")
    published(aws, "web", *(f"web {number + 1}" for number in range(versions)))
    fleet(aws, count, (layer_arn("core", 1), layer_arn("web", 1), *others), **options)
    return aws


def plan(aws, text="web", *, to=None, wave="10%", **options):
    options = {"check_path": "/health", **options}
    return plan_roll(aws, LayerReference.parse(text), RollOptions(wave=Wave.parse(wave), **options), to=to)


def roll(aws, text="web", *, to=None, wave="10%", stopped=lambda: False, **options):
    planned = plan(aws, text, to=to, wave=wave, **options)
    options = RollOptions(wave=Wave.parse(wave), **{"check_path": "/health", **options})
    done = roll_regions(lambda _: aws, [planned], options, clock=aws.clock, progress=lambda _: None, stopped=stopped)
    return {one.move.function: one for one in done[aws.region]}


def outcomes(done):
    return {name: one.outcome for name, one in done.items()}


def served(aws, name="f000", alias="live"):
    """The version that the alias serves, and of the layer `web` the version in it."""
    function = aws.functions[name]
    version = function.aliases[alias].version
    return version, web(function.versions[version])


def web(configuration):
    return next(int(arn.rpartition(":")[2]) for arn in configuration.layer_arns if ":layer:web:" in arn)


def latest(aws, name="f000"):
    return web(aws.functions[name].latest)


def test_the_version_takes_the_old_ones_place_and_the_alias_moves_after_the_check():
    aws = make(others=())
    fleet(aws, 1, (APM, layer_arn("web", 1), layer_arn("core", 1)))
    aws.layers["apm"] = [(dataclasses.replace(aws.layers["web"][0][0], arn=APM), b"")]
    assert outcomes(roll(aws)) == {"f000": "moved"}
    function = aws.functions["f000"]
    assert function.latest.layer_arns == (APM, layer_arn("web", 2), layer_arn("core", 1))
    assert served(aws) == ("2", 2)
    assert [verb for verb in aws.calls if verb in WRITES or verb == "invoke"] == [
        "update_configuration",
        "publish_version",
        "invoke",
        "move_alias",
        "invoke",
    ]
    assert [event["rawPath"] for event in aws.events] == ["/health", "/health"]


@pytest.fixture
def broken():
    """Two hundred functions, of which one of the third wave of twenty does not bear the new version."""
    aws = make(200)
    aws.answers[b"f045"] = BROKEN
    return aws


def test_a_fault_in_the_third_wave_ends_the_roll_and_what_was_moved_stays(broken):
    done = roll(broken)
    first_waves = [f"f{number:03}" for number in range(40)]
    assert {outcomes(done)[name] for name in first_waves} == {"moved"}
    assert {served(broken, name) for name in first_waves} == {("2", 2)}
    assert done["f045"].outcome == "failed"
    assert "500" in done["f045"].reason
    assert (served(broken, "f045"), latest(broken, "f045")) == (("1", 1), 1), "$LATEST has its list again"
    later = [f"f{number:03}" for number in range(60, 200)]
    assert {outcomes(done)[name] for name in later} == {"not-begun"}
    assert {(served(broken, name), latest(broken, name)) for name in later} == {(("1", 1), 1)}


def test_a_fault_in_the_third_wave_takes_everything_back_where_that_is_asked(broken):
    done = roll(broken, on_failure="back")
    assert {(served(broken, name), latest(broken, name)) for name in broken.functions} == {(("1", 1), 1)}
    assert set(outcomes(done).values()) == {"back", "failed", "not-begun"}
    assert {outcomes(done)[f"f{number:03}"] for number in range(40)} == {"back"}


@pytest.mark.parametrize("on_failure", ["stay", "back"])
def test_run_again_it_goes_on_with_those_that_are_left(broken, on_failure):
    first = roll(broken, on_failure=on_failure)
    moved = {name for name, outcome in outcomes(first).items() if outcome == "moved"}
    broken.answers.clear()
    planned = plan(broken)
    assert {move.function for move in planned.moves} == broken.functions.keys() - moved
    assert {stay.function for stay in planned.stays if stay.outcome == "current"} == moved
    second = roll(broken)
    assert set(outcomes(second).values()) == {"moved"}
    assert {served(broken, name) for name in broken.functions} == {("2", 2)}
    assert max(len(function.versions) for function in broken.functions.values()) == 2, "no version is made twice"
    assert plan(broken).moves == ()


@pytest.mark.parametrize(("wave", "sizes"), [("10%", [1] * 7), ("40%", [3, 3, 1]), ("5", [5, 2]), ("100%", [7])])
def test_waves_are_a_share_rounded_up_or_a_number(wave, sizes):
    assert [len(one) for one in plan(make(7), wave=wave).waves] == sizes


@pytest.mark.parametrize("wave", ["0", "0%", "101%", "-1", "1.5%", "half", ""])
def test_what_is_no_size_of_a_wave_is_refused(wave):
    with pytest.raises(UsageError, match="no size of a wave"):
        Wave.parse(wave)


def change_latest(**changes):
    def change(aws):
        function = aws.functions["f000"]
        function.latest = dataclasses.replace(function.latest, **changes)

    return change


def change_function(**changes):
    def change(aws):
        aws.functions["f000"] = dataclasses.replace(aws.functions["f000"], **changes)

    return change


def weighted(aws):
    function = aws.functions["f000"]
    function.versions["2"] = dataclasses.replace(function.versions["1"], version="2")
    function.aliases["live"] = dataclasses.replace(function.aliases["live"], weights={"2": 0.1})


def second_alias(aws):
    aws.functions["f000"].aliases["beta"] = Alias(name="beta", version="$LATEST", revision="r")


def permitted(aws):
    aws.functions["f000"].policies[None] = {"s3": {"Sid": "s3"}}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (change_latest(code_sha256="other"), r"\$LATEST differs from version 1 in its code"),
        (change_latest(memory_mb=512), r"\$LATEST differs from version 1 in its memory"),
        (change_latest(layers=()), r"\$LATEST differs from version 1 in its layers"),
        (change_function(aliases={}), "it has no alias live: --accept-latest"),
        (
            change_function(aliases={"live": Alias(name="live", version="$LATEST", revision="r")}),
            r"live points at \$LATEST: --accept-latest",
        ),
        (weighted, "live shares its callers between versions 1 and 2"),
        (
            change_function(urls={None: Url(address="https://x", auth="NONE")}),
            r"\$LATEST is called by the function URL",
        ),
    ],
)
def test_functions_that_others_are_at_work_on_are_left_alone_with_the_reason(change, reason):
    aws = make(2)
    change(aws)
    (stay,) = plan(aws).stays
    assert (stay.function, stay.outcome, stay.version) == ("f000", "skipped", 1)
    assert re.search(reason, stay.reason)
    before = dataclasses.replace(aws.functions["f000"])
    assert outcomes(roll(aws)) == {"f001": "moved"}
    assert aws.functions["f000"] == before


def test_functions_with_nothing_but_latest_are_changed_where_that_is_accepted():
    aws = make(2, alias=None)
    aws.answers[b"f001"] = BROKEN
    done = roll(aws, accept_latest=True, wave="1")
    assert (outcomes(done), latest(aws)) == ({"f000": "moved", "f001": "failed"}, 2)
    assert latest(aws, "f001") == 1, "what does not pass its check is put back"
    assert "publish_version" not in aws.calls


def test_a_version_made_for_another_runtime_is_not_attached():
    aws = make(2)
    change_latest(runtime="python3.12")(aws)
    aws.functions["f000"].versions["1"] = dataclasses.replace(aws.functions["f000"].versions["1"], runtime="python3.12")
    listed = aws.layer_versions("web")
    aws.layer_versions = lambda _: tuple(dataclasses.replace(one, runtimes=("python3.11",)) for one in listed)
    (stay,) = plan(aws).stays
    assert stay.reason == "version 2 is for python3.11, the function has python3.12"


def test_functions_on_a_newer_version_move_only_where_the_version_is_named():
    aws = make(versions=3)
    fleet(aws, 1, (layer_arn("web", 3),), prefix="g")
    assert [move.function for move in plan(aws).moves] == ["f000"]
    assert {move.function for move in plan(aws, to=2).moves} == {"f000", "g000"}
    aws.deleted.add(layer_arn("web", 3))
    (stay,) = plan(aws).stays
    assert (stay.function, stay.reason) == ("g000", "has version 3, which is newer; --to 2 moves it too")


def test_versions_that_are_not_there_are_refused_before_anything_is_changed():
    aws = make()
    with pytest.raises(UsageError, match=r"There is no version 9 of web .*there: 2, 1"):
        plan(aws, to=9)
    with pytest.raises(UsageError, match="There is no layer nothing"):
        plan(aws, "nothing")
    with pytest.raises(UsageError, match="is one version of it"):
        plan(aws, "web:1")
    with pytest.raises(UsageError, match="can't be listed"):
        plan(aws, APM.rpartition(":")[0])


def test_a_function_over_the_limit_is_skipped_and_the_others_go_on():
    aws = make(3)
    aws.unzipped[b"f001"] = 262_144_000 - 10
    done = roll(aws)
    assert outcomes(done) == {"f000": "moved", "f001": "skipped", "f002": "moved"}
    assert "exceeds the maximum allowed size of 262144000 bytes" in done["f001"].reason
    assert latest(aws, "f001") == 1


def once(verb, act, when="before"):
    """A fault that acts once, when that verb is called."""
    struck = threading.Event()

    def fault(aws, called, moment):
        if called == verb and moment == when and not struck.is_set():
            struck.set()
            act(aws)

    return fault


def deploys(aws):
    """Somebody else's deploy in between."""
    function = aws.functions["f000"]
    function.blobs["theirs"] = b"theirs"
    function.latest = dataclasses.replace(function.latest, code_sha256="theirs", revision=aws._id())


def moves_alias(aws):
    function = aws.functions["f000"]
    function.versions["9"] = dataclasses.replace(function.versions["1"], version="9")
    function.aliases["live"] = Alias(name="live", version="9", revision=aws._id())


@pytest.mark.parametrize(
    ("verb", "kept"),
    [
        ("configuration", ""),
        ("update_configuration", ""),
        ("publish_version", "$LATEST keeps the new list, since somebody else deployed other code to it"),
    ],
)
def test_somebody_elses_deploy_is_left_alone(verb, kept):
    aws = make()
    planned = plan(aws)
    aws.fault = once(verb, deploys)
    done = roll_regions(lambda _: aws, [planned], RollOptions(), clock=aws.clock, progress=lambda _: None)
    (one,) = done[aws.region]
    assert one.outcome == "skipped"
    assert "somebody" in one.reason
    assert served(aws) == ("1", 1)
    assert aws.functions["f000"].latest.code_sha256 == "theirs"
    assert one.kept == kept


def test_a_version_that_froze_somebody_elses_settings_too_gets_no_callers():
    aws = make()
    aws.fault = once("publish_version", change_latest(memory_mb=1024))
    done = roll(aws)
    assert done["f000"].outcome == "skipped"
    assert "its memory_mb is neither what it was nor what was sent" in done["f000"].reason
    assert served(aws) == ("1", 1)
    assert (latest(aws), aws.functions["f000"].latest.memory_mb) == (1, 1024), "theirs stays, the list goes back"


def test_the_alias_may_have_any_name():
    aws = make(2, alias="prod")
    assert plan(aws).moves == ()
    assert outcomes(roll(aws, alias="prod")) == {"f000": "moved", "f001": "moved"}
    assert served(aws, alias="prod") == ("2", 2)


def test_an_alias_that_somebody_else_moves_stays_where_they_put_it_and_latest_gets_its_list_back():
    aws = make()
    aws.fault = once("move_alias", moves_alias)
    done = roll(aws)
    assert done["f000"].outcome == "skipped"
    assert (aws.functions["f000"].aliases["live"].version, latest(aws)) == ("9", 1)


def test_what_somebody_else_did_since_is_not_taken_back():
    aws = make(2)
    aws.answers[b"f001"] = BROKEN
    aws.fault = once("alias", moves_alias)
    done = roll(aws, wave="1", on_failure="back")
    assert done["f000"].outcome == "moved"
    assert done["f000"].reason == "not taken back: somebody else moved live since"
    assert aws.functions["f000"].aliases["live"].version == "9"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(3))
def test_wherever_an_answer_is_lost_callers_get_a_whole_version_and_the_next_run_ends_it(number, when):
    aws = make()
    aws.fault = fault_at(number, when, AnswerLostError("the answer was lost", mend="again"))
    roll(aws)
    assert served(aws) in {("1", 1), ("2", 2)}
    roll(aws)
    assert (served(aws), latest(aws)) == (("2", 2), 2)
    assert len(aws.functions["f000"].versions) == 2


def test_a_roll_that_was_killed_between_two_calls_goes_on_from_what_is_there():
    aws = make()

    class KilledError(BaseException):
        pass

    def kill(_):
        raise KilledError

    for verb in ("publish_version", "invoke", "move_alias"):
        aws.fault = once(verb, kill)
        with pytest.raises(KilledError):
            roll(aws)
        assert served(aws) == ("1", 1)
        aws.fault = lambda *_: None
        (move,) = plan(aws).moves
        assert move.begun
    aws.calls.clear()
    assert outcomes(roll(aws)) == {"f000": "moved"}
    assert len(aws.functions["f000"].versions) == 2
    assert "update_configuration" not in aws.calls, "$LATEST has the list already"


def test_where_the_old_version_is_deleted_latest_cant_go_back_and_that_is_said():
    aws = make()
    aws.deleted.add(layer_arn("web", 1))
    aws.answers[b"f000"] = BROKEN
    done = roll(aws)
    assert served(aws) == ("1", 1)
    assert "$LATEST keeps the new list, since the old one can't be put back: Layer version" in done["f000"].kept


def test_whoever_asks_to_stop_has_begun_functions_finished_and_no_others_begun():
    aws = make(20)
    asked = threading.Event()
    aws.fault = lambda _aws, verb, _moment: asked.set() if verb == "move_alias" else None
    done = roll(aws, wave="1", stopped=asked.is_set)
    assert list(outcomes(done).values()) == ["moved", *["not-begun"] * 19]
    assert (served(aws), served(aws, "f001"), latest(aws, "f001")) == (("2", 2), ("1", 1), 1)


def test_within_a_wave_too_only_what_is_begun_is_finished():
    aws = make(30)
    asked = threading.Event()
    aws.fault = lambda _aws, verb, _moment: asked.set() if verb == "configuration" else None
    done = outcomes(roll(aws, wave="100%", stopped=asked.is_set))
    assert set(done.values()) == {"moved", "not-begun"}
    moved = [name for name, outcome in done.items() if outcome == "moved"]
    assert len(moved) <= 8, "so many go side by side"
    assert {name for name in aws.functions if served(aws, name) == ("2", 2)} == set(moved)


def test_a_function_that_fails_behind_its_alias_goes_back_and_ends_the_roll():
    aws = make(2)
    aws.fault = once("move_alias", lambda aws: aws.answers.update({b"f000": BROKEN}), "after")
    done = roll(aws, wave="1")
    assert outcomes(done) == {"f000": "failed", "f001": "not-begun"}
    assert (served(aws), latest(aws)) == (("1", 1), 1)


CODE = fingerprint("code")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("by hand", "by hand"),
        ("", ""),
        (
            descriptions.of_version(CODE, [fingerprint("core 1"), fingerprint("web 1")]),
            descriptions.of_version(CODE, [fingerprint("core 1"), fingerprint("web 2")]),
        ),
        # of two layers that are attached only one is a deploy's own, and it is not this one
        (
            descriptions.of_version(CODE, [fingerprint("core 1")]),
            descriptions.of_version(CODE, [fingerprint("core 1")]),
        ),
    ],
)
def test_the_new_versions_description_tells_of_the_layers_that_it_has(before, after):
    aws = make(description=before)
    roll(aws)
    assert aws.functions["f000"].versions["2"].description == after


def test_a_description_that_cant_be_brought_up_to_date_is_replaced_by_words():
    aws = make(description=descriptions.of_version(CODE, [fingerprint("core 1"), fingerprint("web 1")]))
    listed = aws.layer_versions("web")
    aws.layer_versions = lambda _: tuple(dataclasses.replace(one, description="of others") for one in listed)
    roll(aws)
    assert aws.functions["f000"].versions["2"].description == "with version 2 of the layer web"


def test_the_place_of_a_deleted_versions_fingerprint_is_known_by_the_layers_order():
    aws = make(description=descriptions.of_version(CODE, [fingerprint("core 1"), fingerprint("web 1")]))
    aws.deleted.add(layer_arn("web", 1))
    roll(aws)
    assert aws.functions["f000"].versions["2"].description == descriptions.of_version(
        CODE, [fingerprint("core 1"), fingerprint("web 2")]
    )


def test_the_configurations_path_goes_before_the_one_given_and_without_any_nothing_is_asked():
    aws = make(2)
    one, other = plan(aws, check_paths={"f000": "/own"}).moves
    assert (one.check_path, other.check_path) == ("/own", "/health")
    done = roll(aws, check_path=None)
    assert {rolled.checked for rolled in done.values()} == {None}
    assert aws.events == []


def test_pythonpath_that_hides_layers_is_told():
    aws = make()
    change_latest(environment={"PYTHONPATH": "/var/task"})(aws)
    function = aws.functions["f000"]
    function.versions["1"] = dataclasses.replace(function.versions["1"], environment={"PYTHONPATH": "/var/task"})
    (move,) = plan(aws).moves
    assert move.notes == ("it sets PYTHONPATH without /opt/python, so it sees no layer",)


def test_a_function_whose_latest_is_behind_its_alias_is_told():
    aws = make(2)
    roll(aws)
    layers = aws.functions["f000"].versions["1"].layers
    change_latest(layers=layers)(aws)
    behind, current = plan(aws).stays
    assert (behind.outcome, behind.reason) == ("current", "has it already, but $LATEST has version 1")
    assert current.reason == "has it already"


def test_expired_credentials_end_the_roll_with_their_own_error():
    aws = make(20)

    def expire(_):
        raise rejected("ExpiredTokenException")

    aws.fault = once("update_configuration", expire)
    done = roll(aws, wave="1")
    assert done["f000"].error is not None
    assert done["f000"].error.exit_status == 3
    assert outcomes(done)["f001"] == "not-begun"


def refusing(code, times):
    """A fault that refuses so many calls of a function."""
    left = itertools.count()

    def fault(_aws, verb, when):
        if (verb, when) == ("invoke", "before") and next(left) < times:
            raise rejected(code, operation="Invoke")

    return fault


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ResourceNotReadyException"])
def test_a_function_that_is_busy_when_it_is_checked_is_asked_again(code):
    aws = make()
    aws.fault = refusing(code, 3)
    assert outcomes(roll(aws)) == {"f000": "moved"}


def test_a_function_that_nobody_can_call_is_left_as_it_was_and_is_no_fault_of_the_layer():
    """Its concurrency is reserved as 0, say."""
    aws = make(3)
    aws.fault = lambda _aws, verb, _: refuse_first(aws, verb)
    done = roll(aws, wave="1")
    assert outcomes(done) == {"f000": "skipped", "f001": "moved", "f002": "moved"}
    assert "can't be called" in done["f000"].reason
    assert (served(aws), latest(aws)) == (("1", 1), 1)


def refuse_first(aws, verb):
    if verb == "invoke" and len(aws.functions["f001"].versions) == 1:
        raise rejected("TooManyRequestsException", operation="Invoke")
