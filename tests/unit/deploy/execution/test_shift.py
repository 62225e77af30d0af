"""A canary: a share of the traffic, watched, then all of it; or all of it back, whatever happens."""

import dataclasses
import threading

import pytest

from optimizer.deploy import Canary, RealClock
from optimizer.deploy.execution.shift import Shift
from optimizer.deploy.planning.canary import duration, fault, percent, shift_actions, worst
from optimizer.deploy.rejections import AnswerLostError, CallRejectedError
from optimizer.deploy.values import Calls
from optimizer.errors import AwsError, DeployRefusedError, ShareLeftError
from tests.unit.deploy.fakes import WRITES, FakeAws, fault_at, make_manifest, rejected, sha
from tests.unit.deploy.support import actions, deploy, deployer, plan

TEN = Canary(shares=(0.1,), seconds=300, max_error_rate=0.01)
STEPS = Canary(shares=(0.1, 0.5), seconds=300, max_error_rate=0.01)


@pytest.fixture
def aws(tmp_path):
    """AWS with a first state deployed."""
    made = FakeAws()
    deploy(made, make_manifest(tmp_path / "first"))
    made.calls.clear()
    return made


@pytest.fixture
def next_build(tmp_path):
    return make_manifest(tmp_path / "next", code="code 2")


def alias(aws):
    there = aws.functions["app"].aliases["live"]
    return there.version, there.weights


def routes(aws):
    """What the alias does after each write, as far as it differs from before; filled while a test runs."""
    seen = []

    def watch(aws):
        now = alias(aws)
        if not seen or seen[-1] != now:
            seen.append(now)

    aws.watch = watch
    return seen


def lines(aws, manifest, **options):
    """The progress lines of a deploy, and its deployment."""
    told = []
    run = deployer(aws, manifest, **options)
    run.progress = told.append
    (done,) = run.execute(run.plan())
    return told, done


def test_the_steps_stand_in_the_plan_with_their_reasons(aws, next_build):
    changes = plan(aws, next_build, canary=STEPS)
    assert actions(changes)[-8:-1] == [
        "publish-version app",
        "check app",
        "shift-traffic live",
        "watch app",
        "shift-traffic live",
        "watch app",
        "move-alias live",
    ]
    reasons = [action.reason for action in changes.actions if action.name in {"shift-traffic", "watch"}]
    assert reasons[:2] == [
        "10% of the traffic to the new version, the rest stays with version 1",
        "for 5 min; back to version 1 if over 1% of its calls fail",
    ]


def test_a_good_version_gets_its_shares_and_then_everything(aws, next_build):
    seen = routes(aws)
    aws.calls_by_version = lambda *_: Calls(invocations=200, errors=1)
    began = aws.clock.now()
    told, done = lines(aws, next_build, canary=STEPS)
    assert (done.outcome, done.result.version) == ("done", "2")
    assert seen == [("1", {}), ("1", {"2": 0.1}), ("1", {"2": 0.5}), ("2", {})]
    assert aws.clock.now() - began >= 600
    assert "live sends 10% of its traffic to version 2" in told
    assert "version 2 at 10%: 1 of 200 calls failed (0.5%); 4 min 30 s left" in told
    assert told[-1] == "live serves version 2, and no more version 1"
    aws.calls.clear()
    assert not plan(aws, next_build).changes
    assert len(aws.calls) <= 3


def test_the_calls_are_counted_from_the_first_share_on(aws, next_build):
    asked = []
    aws.calls_by_version = lambda version, seconds: asked.append((version, seconds)) or Calls()
    lines(aws, next_build, canary=STEPS)
    assert {version for version, _ in asked} == {"2"}
    assert [seconds for _, seconds in asked] == [30.0 * n for n in range(1, 21)]


def test_a_version_whose_calls_fail_loses_its_share_at_once(aws, next_build):
    seen = routes(aws)
    aws.calls_by_version = lambda _, seconds: Calls(invocations=60, errors=12 if seconds > 100 else 0)
    began = aws.clock.now()
    _, done = lines(aws, next_build, canary=TEN)
    assert done.outcome == "failed"
    assert seen[-2:] == [("1", {"2": 0.1}), ("1", {})]
    assert 100 < aws.clock.now() - began < 200
    told = done.error.message
    assert "12 of 60 calls failed (20%), and at most 1% may" in told
    assert "The alias 'live' serves version 1 with all of its traffic, as before." in told
    assert "/aws/lambda/app" in done.error.mend
    assert "move_alias" not in aws.calls


def test_answers_of_500_count_though_they_are_no_errors_of_invoke(aws, next_build):
    aws.calls_by_version = lambda *_: Calls(invocations=60, requests=60, server_errors=30)
    _, done = lines(aws, next_build, canary=TEN)
    assert "30 of 60 calls failed (50%)" in done.error.message


@pytest.mark.parametrize(
    ("calls", "wrong"),
    [
        (Calls(), False),
        (Calls(invocations=1, errors=1), False),
        (Calls(invocations=2, errors=2), False),
        (Calls(invocations=9, errors=4), False),
        (Calls(invocations=3, errors=2), True),
        (Calls(errors=3), True),  # it can't start: errors without invocations
        (Calls(invocations=10, errors=1), True),
        (Calls(invocations=100, errors=1), False),
        (Calls(invocations=100, errors=2), True),
        (Calls(invocations=500, errors=1, requests=100, server_errors=5), True),
    ],
)
def test_few_calls_tell_no_rate_unless_most_of_them_fail(calls, wrong):
    assert (fault(calls, 0.01) is not None) is wrong


def test_the_worse_of_both_counts_is_told():
    assert worst(Calls(invocations=100, errors=1, requests=50, server_errors=5)) == (5, 50)
    assert worst(Calls(invocations=100, errors=10, requests=50)) == (10, 100)
    assert worst(Calls(invocations=7, requests=5)) == (0, 7)


def test_too_few_calls_are_said_and_the_deploy_goes_on(aws, next_build):
    aws.calls_by_version = lambda *_: Calls(invocations=4, errors=1)
    told, done = lines(aws, next_build, canary=TEN)
    assert done.outcome == "done"
    assert "version 2 had 4 calls, too few to tell an error rate; the deploy goes on" in told


def test_the_first_deploy_has_no_canary_and_says_so(tmp_path):
    aws = FakeAws()
    changes = plan(aws, make_manifest(tmp_path), canary=TEN)
    assert "shift-traffic live" not in actions(changes)
    (made,) = [action for action in changes.actions if action.name == "create-alias"]
    assert made.reason.endswith("no canary, since nobody is served yet")
    assert deploy(aws, make_manifest(tmp_path), canary=TEN).outcome == "done"


@pytest.mark.parametrize("stopped", [KeyboardInterrupt, SystemExit])
def test_interrupted_while_it_watches_the_alias_goes_back(aws, next_build, stopped):
    def interrupt(_aws, verb, _):
        if verb == "calls_of":
            raise stopped

    aws.fault = interrupt
    told = []
    run = deployer(aws, next_build, canary=TEN)
    run.progress = told.append
    planned = run.plan()
    with pytest.raises(stopped):
        run.execute(planned)
    assert alias(aws) == ("1", {})
    assert told[-1] == "The alias 'live' serves version 1 with all of its traffic, as before."


def test_a_second_interruption_does_not_stop_it_from_going_back(aws, next_build):
    """The alias is put back in a thread of its own."""
    threads = []

    def interrupt(_aws, verb, when):
        if verb == "calls_of":
            raise KeyboardInterrupt
        if verb == "share_alias" and when == "before":
            threads.append(threading.current_thread() is threading.main_thread())

    aws.fault = interrupt
    with pytest.raises(KeyboardInterrupt):
        deploy(aws, next_build, canary=TEN)
    assert threads == [True, False]


@pytest.mark.parametrize(
    "error",
    [
        rejected("ExpiredTokenException", "The security token included in the request is expired"),
        rejected("AccessDeniedException", "not authorized to perform: cloudwatch:GetMetricData"),
        AnswerLostError("AWS did not answer", mend="Look at the network."),
    ],
)
def test_where_the_metrics_cant_be_read_the_alias_goes_back_and_it_says_why(aws, next_build, error):
    def fault(_aws, verb, _):
        if verb == "calls_of":
            raise error

    aws.fault = fault
    done = deploy(aws, next_build, canary=TEN)
    assert done.outcome == "failed"
    assert done.error.message == (
        f"{error.message}\nThe alias 'live' serves version 1 with all of its traffic, as before."
    )
    assert done.error.mend == error.mend
    assert alias(aws) == ("1", {})


def test_where_it_cant_be_put_back_it_says_what_the_alias_does_and_the_next_run_mends_it(aws, next_build, tmp_path):
    down = {"calls_of", "alias"}

    def fault(_aws, verb, _):
        if verb in down and "calls_of" in aws.calls:
            raise rejected("ExpiredTokenException", "expired")

    aws.fault = fault
    with pytest.raises(ShareLeftError, match="may still send 10% of its traffic to version 2: expired") as caught:
        deploy(aws, next_build, canary=TEN)
    assert not isinstance(caught.value, CallRejectedError)
    assert "rollback" in caught.value.mend
    assert alias(aws) == ("1", {"2": 0.1})
    aws.fault = lambda *_: None
    deploy(aws, make_manifest(tmp_path / "first"))
    assert alias(aws) == ("1", {})


def test_where_no_call_is_allowed_any_more_it_says_that_the_share_is_left(aws, next_build):
    """A lease that is lost lets nothing through, not even what puts the alias back: somebody else is at work there."""

    def fault(*_):
        if "calls_of" in aws.calls:
            raise DeployRefusedError("The lease was taken over: nothing more is changed", mend="look who deploys")

    aws.fault = fault
    done = deploy(aws, next_build, canary=TEN)
    assert done.outcome == "failed"
    assert "The lease was taken over" in done.error.message
    assert "may still send 10% of its traffic to version 2" in done.error.message
    assert "rollback" in done.error.mend


@pytest.mark.parametrize("canary", [None, TEN])
def test_a_share_that_a_killed_deploy_left_is_taken_back_first_and_the_same_build_begins_again(aws, next_build, canary):
    left_in_canary(aws, next_build)
    seen = routes(aws)
    changes = plan(aws, next_build, canary=canary)
    assert actions(changes)[0] == "return-traffic live"
    assert changes.actions[0].reason == (
        "all of it to version 1; 10% goes to version 2, by a canary that was cut off or still runs"
    )
    done = deploy(aws, next_build, canary=canary)
    assert (done.outcome, done.result.version) == ("done", "2")
    again = [("1", {"2": 0.1})] if canary else []
    assert seen == [("1", {"2": 0.1}), ("1", {}), *again, ("2", {})]
    assert len(aws.functions["app"].versions) == 2


def test_deploying_what_is_live_takes_a_left_share_back_and_nothing_else_changes(aws, next_build, tmp_path):
    left_in_canary(aws, next_build)
    first = make_manifest(tmp_path / "first")
    changes = plan(aws, first)
    assert [a for a in actions(changes) if not a.startswith("keep-")] == ["return-traffic live", "mark-alias live"]
    assert deploy(aws, first).outcome == "done"
    assert alias(aws) == ("1", {})
    assert not plan(aws, first).changes


def test_a_left_share_is_gone_even_where_the_next_build_does_not_pass_its_check(aws, next_build, tmp_path):
    left_in_canary(aws, next_build)
    aws.answers[b"broken"] = dataclasses.replace(aws_answer(), payload=b'{"statusCode": 500}')
    done = deploy(aws, make_manifest(tmp_path / "broken", code="broken"))
    assert done.outcome == "failed"
    assert alias(aws) == ("1", {})


def test_a_canary_ends_as_soon_as_somebody_else_has_moved_the_alias(aws, next_build, tmp_path):
    theirs = make_manifest(tmp_path / "theirs", code="theirs")

    def calls(_version, seconds):
        if seconds == 60:
            deploy(aws, theirs)
        return Calls()

    aws.calls_by_version = calls
    began = aws.clock.now()
    done = deploy(aws, next_build, canary=TEN)
    assert "was changed by somebody else meanwhile" in done.error.message
    assert aws.clock.now() - began < 120


def test_what_somebody_else_made_of_the_alias_is_told(aws, next_build, tmp_path):
    theirs = make_manifest(tmp_path / "theirs", code="theirs")
    other = Canary(shares=(0.25,), seconds=300, max_error_rate=0.5)
    once = []

    def calls(*_):
        if not once:
            once.append(True)
            run = deployer(aws, theirs, canary=other)
            run.clock = Interrupting()
            with pytest.raises(KeyboardInterrupt):
                run.execute(run.plan())
        return Calls()

    class Interrupting:
        """Leaves the share where it is, as a process that is killed does."""

        def now(self):
            return aws.clock.now()

        def sleep(self, seconds):
            aws.clock.sleep(min(seconds, 1))
            if alias(aws)[1].get("3"):
                kept.append(aws.functions["app"].aliases["live"])
                raise KeyboardInterrupt

    kept = []
    aws.calls_by_version = calls

    def fault(_aws, verb, when):
        if verb == "alias" and when == "before" and kept:
            aws.functions["app"].aliases["live"] = kept[0]

    aws.fault = fault
    done = deploy(aws, next_build, canary=TEN)
    assert "The alias 'live' serves version 1; 25% goes to version 3." in done.error.message


def test_a_version_that_is_served_already_has_no_share_to_get(aws):
    told = []
    shift = Shift(aws=aws, function="app", clock=aws.clock, progress=told.append)
    (give, watch) = shift_actions(TEN, "app", before="1", revision=aws.functions["app"].aliases["live"].revision)
    shift.give(give, "1", before="1", planned=give.revision)
    shift.watch(watch)
    assert (told, aws.calls, aws.clock.now() < 10) == ([], [], True)


@pytest.mark.parametrize("verb", ["share_alias", "calls_of", "move_alias"])
def test_somebody_else_who_moves_the_alias_meanwhile_wins(aws, next_build, tmp_path, verb):
    theirs = make_manifest(tmp_path / "theirs", code="theirs")
    once = []

    def fault(aws, called, when):
        if called == verb and when == "before" and not once:
            once.append(True)
            deploy(aws, theirs)

    aws.fault = fault
    done = deploy(aws, next_build, canary=TEN)
    assert done.outcome == "failed"
    assert "somebody else" in done.error.message
    function = aws.functions["app"]
    version, weights = alias(aws)
    assert (function.versions[version].code_sha256, weights) == (sha(b"theirs"), {})


def test_cut_off_at_any_call_of_a_canary_the_alias_is_whole_and_the_next_run_ends_well(next_build, tmp_path):
    count = len([verb for verb in calls_of_a_canary(tmp_path) if verb in WRITES])
    assert count >= 5
    for number in range(count):
        for when in ("before", "after"):
            cut = FakeAws()
            deploy(cut, make_manifest(tmp_path / "first"))
            cut.fault = fault_at(number, when)
            try:
                outcome = deploy(cut, next_build, canary=STEPS).outcome
            except AwsError:
                outcome = "cut off"
            assert outcome in {"failed", "cut off"}
            assert alias(cut) in [("1", {}), ("2", {})]
            assert deploy(cut, next_build, canary=STEPS).outcome == "done"
            assert alias(cut) == ("2", {})


def test_a_lost_answer_to_a_share_that_was_given_is_recognised(aws, next_build):
    """Botocore repeats the call, which is then refused for its old revision."""
    writes = [verb for verb in calls_until(next_build, "share_alias") if verb in WRITES]
    aws.fault = fault_at(len(writes) - 1, "after", rejected("PreconditionFailedException"))
    assert deploy(aws, next_build, canary=TEN).outcome == "done"
    assert alias(aws) == ("2", {})


def test_what_fails_after_the_alias_was_moved_is_told_as_it_is(aws, tmp_path):
    def fault(_aws, verb, when):
        if verb == "delete_url" and when == "before":
            aws.calls.clear()
            raise rejected("AccessDeniedException", "not authorized")

    aws.fault = fault
    with pytest.raises(CallRejectedError, match="not authorized"):
        deploy(aws, make_manifest(tmp_path / "next", code="code 2", url="none"), canary=TEN)
    assert aws.calls == [], "nothing is to be put back"
    assert alias(aws) == ("2", {})


def test_an_alias_with_provisioned_concurrency_takes_no_canary_and_nothing_is_changed(aws, next_build):
    aws.functions["app"].provisioned["live"] = 2
    with pytest.raises(DeployRefusedError, match="provisioned concurrency") as caught:
        plan(aws, next_build, canary=TEN)
    assert "without --canary" in caught.value.mend
    assert not WRITES & set(aws.calls)
    assert deploy(aws, next_build).outcome == "done"
    assert alias(aws) == ("2", {})


def test_an_alias_that_points_at_latest_takes_no_canary_unless_what_it_serves_is_published_first(aws, next_build):
    function = aws.functions["app"]
    function.aliases["live"] = dataclasses.replace(function.aliases["live"], version="$LATEST", description="")
    with pytest.raises(DeployRefusedError, match=r"points at \$LATEST") as caught:
        plan(aws, next_build, canary=TEN, accept_latest=True)
    assert "--adopt" in caught.value.mend
    assert not WRITES & set(aws.calls)


def test_callers_who_are_moved_to_the_alias_get_the_new_version_in_steps_too(aws, next_build):
    function = aws.functions["app"]
    function.aliases.clear()
    function.versions.clear()
    function.urls.clear()
    function.sources["u-1"] = ("arn:aws:sqs:eu-central-1:123456789012:orders", None)
    seen = []

    def watch(aws):
        if "live" in function.aliases and (not seen or seen[-1] != alias(aws)):
            seen.append(alias(aws))

    aws.watch = watch
    assert deploy(aws, next_build, adopt=True, canary=TEN).outcome == "done"
    assert seen == [("1", {}), ("1", {"2": 0.1}), ("2", {})]
    assert aws.functions["app"].versions["1"].code_sha256 == sha(b"code 1")


def test_the_weight_that_lambda_gives_while_it_allocates_provisioned_concurrency_is_left(aws, next_build, tmp_path):
    deploy(aws, next_build)
    aws.functions["app"].provisioned["live"] = 2
    function = aws.functions["app"]
    function.aliases["live"] = dataclasses.replace(function.aliases["live"], weights={"1": 1.0})
    assert not plan(aws, next_build).changes
    deploy(aws, make_manifest(tmp_path / "third", code="code 3"))
    assert "share_alias" not in aws.calls
    assert alias(aws) == ("3", {"1": 1.0}), "it goes when the versions are allocated"


def test_a_wait_is_ended_by_an_interruption_in_whichever_thread():
    clock, ended = RealClock(stop := threading.Event()), []

    def wait():
        try:
            clock.sleep(60)
        except KeyboardInterrupt:
            ended.append(True)

    waiting = threading.Thread(target=wait)
    waiting.start()
    stop.set()
    waiting.join(10)
    assert ended == [True]


def test_shares_and_times_are_told_as_people_write_them():
    assert [percent(share) for share in (0.1, 0.5, 0.125, 1 / 3, 0.0)] == ["10%", "50%", "12.5%", "33.33%", "0%"]
    assert [duration(s) for s in (300, 90, 3600, 3661, 0.2)] == ["5 min", "1 min 30 s", "1 h", "1 h 1 min 1 s", "0 s"]


def left_in_canary(aws, manifest):
    """As a process leaves it that was killed while it watched."""

    class Killed(BaseException):
        pass

    def fault(_aws, verb, _):
        if verb == "calls_of":
            kill(aws)
            raise Killed

    def kill(aws):
        there = aws.functions["app"].aliases["live"]
        aws.fault = lambda *_: None
        aws.watch = None
        left.append(there)

    left = []
    aws.fault = fault
    with pytest.raises(Killed):
        deploy(aws, manifest, canary=TEN)
    aws.functions["app"].aliases["live"] = left[0]
    aws.calls.clear()
    assert alias(aws) == ("1", {"2": 0.1})


def aws_answer():
    from optimizer.deploy.values import Invocation

    return Invocation(payload=b'{"statusCode": 200}', error=None, log="")


def calls_of_a_canary(folder):
    aws = FakeAws()
    deploy(aws, make_manifest(folder / "first"))
    aws.calls.clear()
    deploy(aws, make_manifest(folder / "next", code="code 2"), canary=STEPS)
    return aws.calls


def calls_until(manifest, verb):
    """The calls of a canary up to and with the first of that verb, on another AWS."""
    other = FakeAws()
    deploy(other, make_manifest(manifest.folder.parent / "first"))
    other.calls.clear()
    deploy(other, manifest, canary=TEN)
    return other.calls[: other.calls.index(verb) + 1]
