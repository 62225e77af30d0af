"""The AWS CLI's commands in docs/function.md: bash, in the words of AWS's own models, and they do what they are for."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import validate_parameters

from tests.integration.local.conftest import zipped

ROOT = Path(__file__).parents[3]
REGION, FUNCTION, BUCKET = "ap-southeast-1", "ai-image-analyzer-fastapi", "my-pictures"
NOT_SERVED = {"PutFunctionEventInvokeConfig"}
"""What the embedded AWS refuses: these are held against the models alone."""

_LOADER = Loader()


def commands():
    """Arguments of each command, as bash hands them over."""
    text = (ROOT / "docs/function.md").read_text("utf-8")
    (block,) = [part for part in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) if "aws " in part]
    recorded = subprocess.run(
        ["bash", "-euc", 'aws() { printf "%s\\0" "$@" END; }\n' + block], capture_output=True, text=True, check=True
    ).stdout
    return [each.strip("\0").split("\0") for each in recorded.split("\0END\0") if each]


def parsed(arguments):
    """Service, operation and parameters of a command.

    Raises:
        StopIteration: there is no such command.
        KeyError: it has no such option.
    """
    service = {"s3api": "s3"}.get(arguments[0], arguments[0])
    model = ServiceModel(_LOADER.load_service_model(service, "service-2"))
    operation = next(name for name in model.operation_names if xform_name(name, "-") == arguments[1])
    shape = model.operation_model(operation).input_shape
    members = {xform_name(name, "-"): name for name in shape.members}
    values = {}
    for argument in arguments[2:]:
        if argument.startswith("--"):
            values[members[argument[2:]]] = given = []
        else:
            given.append(argument)
    return service, operation, {name: value(given, shape.members[name]) for name, given in values.items()}, shape


def value(given, shape):
    """An option's words as the AWS CLI reads them: JSON, its shorthand `Key=value,Key=value`, or the value itself."""
    if given[0][0] in "[{" and shape.type_name != "string":
        return json.loads(*given)
    match shape.type_name:
        case "list":
            return [value([one], shape.member) for one in given]
        case "structure":
            (text,) = given
            pairs = dict(pair.split("=", 1) for pair in text.split(","))
            return {name: value([part], shape.members[name]) for name, part in pairs.items()}
        case "integer":
            return int(*given)
    (text,) = given
    return text


def test_there_are_commands_for_each_way_that_pictures_come():
    operations = [parsed(each)[1] for each in commands()]
    assert {"PutBucketNotificationConfiguration", "CreateEventSourceMapping", "PutTargets"} <= set(operations)


@pytest.mark.parametrize("arguments", commands(), ids=lambda arguments: " ".join(arguments[:2]))
def test_names_and_types_are_those_of_the_api(arguments):
    _, _, parameters, shape = parsed(arguments)
    validate_parameters(parameters, shape)
    assert set(parameters) >= set(shape.required_members)


def test_the_embedded_aws_takes_them_and_wires_the_alias(account):
    functions, s3, events = (account.client(service, REGION) for service in ("lambda", "s3", "events"))
    functions.create_function(
        FunctionName=FUNCTION,
        Runtime="python3.11",
        Handler="h.handler",
        Role=account.role,
        Code={"ZipFile": zipped({"h.py": "def handler(event, context): pass"})},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=FUNCTION, WaiterConfig={"Delay": 0.05})
    version = functions.publish_version(FunctionName=FUNCTION)["Version"]
    live = functions.create_alias(FunctionName=FUNCTION, Name="live", FunctionVersion=version)["AliasArn"]
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    notified = []
    for service, operation, parameters, _ in map(parsed, commands()):
        call = getattr(account.client(service, REGION), xform_name(operation))
        if operation in NOT_SERVED:
            with pytest.raises(ClientError) as refused:
                call(**parameters)
            assert refused.value.response["Error"]["Code"] == "NotImplementedException"
            continue
        call(**parameters)
        if operation == "PutBucketNotificationConfiguration":  # each takes the place of the one before
            notified.append(s3.get_bucket_notification_configuration(Bucket=BUCKET))

    (straight,) = notified[0]["LambdaFunctionConfigurations"]
    assert (straight["LambdaFunctionArn"], straight["Events"]) == (live, ["s3:ObjectCreated:*"])
    assert "LambdaFunctionConfigurations" not in notified[1], "moto doesn't tell what is there instead"
    (mapping,) = functions.list_event_source_mappings(FunctionName=live)["EventSourceMappings"]
    assert (mapping["FunctionResponseTypes"], mapping["ScalingConfig"]) == (
        ["ReportBatchItemFailures"],
        {"MaximumConcurrency": 50},
    )
    rule = events.describe_rule(Name="pictures")
    assert [target["Arn"] for target in events.list_targets_by_rule(Rule="pictures")["Targets"]] == [live]
    policy = json.loads(functions.get_policy(FunctionName=FUNCTION, Qualifier="live")["Policy"])
    callers = {each["Principal"]["Service"]: each["Condition"]["ArnLike"] for each in policy["Statement"]}
    assert callers == {
        "s3.amazonaws.com": {"AWS:SourceArn": f"arn:aws:s3:::{BUCKET}"},
        "events.amazonaws.com": {"AWS:SourceArn": rule["Arn"]},
    }
