"""prune at every call of a deploy, and a deploy at every call of prune: the alias serves what is whole."""

from optimizer.deploy.pruning.prune import Rules
from optimizer.deploy.pruning.pruner import Pruner
from optimizer.errors import AwsError
from tests.unit.deploy.fakes import REGION, FakeAws, fingerprint, make_manifest
from tests.unit.deploy.support import deploy, served

OLDER = (fingerprint("aws"), fingerprint("web 2"))


def project(folder):
    """Four deploys of which only the last one's version is left; and the second build, to which somebody goes back."""
    aws = FakeAws()
    for number in (1, 2, 3, 4):
        deploy(aws, build(folder, number))
    for number in ("1", "2", "3"):
        del aws.functions["app"].versions[number]
    return aws, build(folder, 2)


def build(folder, number):
    layers = {"aws-core": "aws", "web": f"web {number}"}
    return make_manifest(folder / f"build{number}", layers=layers, code=f"code {number}")


def pruned(aws):
    pruner = Pruner(
        layers=("aws-core", "web"),
        functions=("app",),
        rules=Rules(keep=1, locked={}),
        connect=lambda _: aws,
        progress=lambda _: None,
        note=lambda _: None,
    )
    (one,) = pruner.execute(pruner.plan([REGION]))
    return one


def interrupt(aws, number, action):
    """Carry out `action` before the call of that number, counted from now; how many calls there were stands in it."""
    state = {"calls": 0, "answer": None}

    def fault(_, __, moment):
        if moment != "before":
            return
        state["calls"] += 1
        if state["calls"] == number + 1:
            aws.fault = lambda *_: None
            state["answer"] = action()
            aws.fault = fault

    aws.fault = fault
    return state


def attached(aws):
    """The layer versions that the alias's version and `$LATEST` have."""
    function = aws.functions["app"]
    return {*function.versions[function.aliases["live"].version].layer_arns, *function.latest.layer_arns}


def calls_of(folder, action):
    aws, older = project(folder)
    state = interrupt(aws, -2, lambda: None)
    action(aws, older)
    return state["calls"]


def error_of(action):
    try:
        action()
    except AwsError as error:
        return error.message
    return None


def test_prune_at_any_call_of_a_deploy_costs_it_a_second_run_at_most(tmp_path):
    count = calls_of(tmp_path, deploy)
    again = 0
    for number in range(count):
        aws, older = project(tmp_path)
        before = served(aws)
        interrupt(aws, number, lambda aws=aws: pruned(aws))
        error = error_of(lambda aws=aws, older=older: deploy(aws, older))
        if error is not None:
            assert "does not exist" in error
            assert served(aws) == before, "the alias serves what it served"
            aws.fault = lambda *_: None
            again += 1
            deploy(aws, older)
        assert served(aws)[1] == OLDER
        assert not attached(aws) & aws.deleted
    assert 0 < again < count


def test_a_deploy_at_any_call_of_prune_is_served_and_what_it_lost_is_told(tmp_path):
    count = calls_of(tmp_path, lambda aws, _: pruned(aws))
    late = 0
    for number in range(count):
        aws, older = project(tmp_path)
        state = interrupt(aws, number, lambda aws=aws, older=older: deploy(aws, older))
        one = pruned(aws)
        assert state["answer"] is not None
        assert one.error is None
        assert served(aws)[1] == OLDER
        lost = attached(aws) & aws.deleted
        assert lost == set(one.late)
        late += bool(lost)
    assert late == 1, "only between the last look and the delete"
