"""Requests are routed, read and checked by the service's own model, and answers written by it."""

import base64
import json

import pytest
from botocore.awsrequest import prepare_request_dict
from botocore.serialize import create_serializer

from optimizer.local.protocol import Protocol, ServiceError

PROTOCOL = Protocol()


def request(operation, **parameters):
    """The request that botocore's own client makes of a call."""
    from urllib.parse import parse_qs, urlsplit

    model = PROTOCOL.model
    serializer = create_serializer(model.metadata["protocol"], include_validation=False)
    made = serializer.serialize_to_request(parameters, model.operation_model(operation))
    prepare_request_dict(made, endpoint_url="http://127.0.0.1:1")
    url = urlsplit(made["url"])
    body = made["body"]
    return PROTOCOL.parse(
        made["method"],
        url.path,
        query=parse_qs(url.query, keep_blank_values=True),
        headers={name.lower(): value for name, value in made["headers"].items()},
        body=body.encode() if isinstance(body, str) else body or b"",
        region="eu-central-1",
    )


def refused(operation, **parameters):
    with pytest.raises(ServiceError) as caught:
        request(operation, **parameters)
    return caught.value


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("GetLayerVersion", {"LayerName": "l", "VersionNumber": 3}),
        ("GetLayerVersionByArn", {"Arn": "arn:aws:lambda:eu-central-1:123456789012:layer:l:3"}),
        ("ListLayers", {"CompatibleRuntime": "python3.11", "MaxItems": 5}),
        ("ListFunctions", {"FunctionVersion": "ALL"}),
        ("GetFunction", {"FunctionName": "arn:aws:lambda:eu-central-1:123456789012:function:f:live"}),
        ("GetFunctionConfiguration", {"FunctionName": "f", "Qualifier": "$LATEST"}),
        ("UpdateFunctionCode", {"FunctionName": "f", "ZipFile": b"\x00\xff", "DryRun": True}),
        ("UpdateFunctionConfiguration", {"FunctionName": "f", "Layers": []}),
        (
            "UpdateAlias",
            {"FunctionName": "f", "Name": "live", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5}}},
        ),
        ("Invoke", {"FunctionName": "f", "Qualifier": "live", "LogType": "Tail", "Payload": b"{}"}),
        ("RemovePermission", {"FunctionName": "f", "StatementId": "s", "RevisionId": "r"}),
        ("ListTags", {"Resource": "arn:aws:lambda:eu-central-1:123456789012:function:f"}),
        ("ListFunctionUrlConfigs", {"FunctionName": "f"}),
        ("GetAccountSettings", {}),
    ],
)
def test_what_a_client_sends_is_read_as_it_was_meant(operation, parameters):
    call = request(operation, **parameters)
    assert (call.operation, call.region) == (operation, "eu-central-1")
    payload = {"Payload": b""} if operation == "Invoke" else {}
    assert call.parameters == {**payload, **parameters}


def test_a_path_of_no_operation_is_unknown():
    with pytest.raises(ServiceError) as caught:
        PROTOCOL.parse("GET", "/2015-03-31/nothing", query={}, headers={}, body=b"", region="x")
    assert (caught.value.status, caught.value.code) == (404, "UnknownOperationException")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"'])
def test_a_body_that_is_no_json_object_is_refused(body):
    with pytest.raises(ServiceError) as caught:
        PROTOCOL.parse("PUT", "/2015-03-31/functions/f/configuration", query={}, headers={}, body=body, region="x")
    assert caught.value.code == "SerializationException"


def test_a_blob_that_is_no_base64_is_refused():
    body = json.dumps({"ZipFile": "no base64!"}).encode()
    with pytest.raises(ServiceError) as caught:
        PROTOCOL.parse("PUT", "/2015-03-31/functions/f/code", query={}, headers={}, body=body, region="x")
    assert caught.value.code == "SerializationException"


@pytest.mark.parametrize(
    ("operation", "parameters", "text"),
    [
        (
            "PublishLayerVersion",
            {"LayerName": "l", "Content": {}, "Description": "x" * 257},
            "at 'description' failed to satisfy constraint: Member must have length less than or equal to 256",
        ),
        (
            "PublishLayerVersion",
            {"LayerName": "l", "Content": {}, "CompatibleRuntimes": ["python3.11"] * 16},
            "at 'compatibleRuntimes' failed to satisfy constraint: Member must have length less than or equal to 15",
        ),
        (
            "PublishLayerVersion",
            {"LayerName": "l", "Content": {}, "CompatibleArchitectures": ["x86_64", "arm64", "x86_64"]},
            "Member must have length less than or equal to 2",
        ),
        (
            "UpdateFunctionConfiguration",
            {"FunctionName": "f", "Runtime": "python3.99"},
            "Value 'python3.99' at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [",
        ),
        (
            "UpdateFunctionConfiguration",
            {"FunctionName": "f", "Layers": ["no-arn"]},
            "Value 'no-arn' at 'layers.1.member' failed to satisfy constraint: Member must satisfy regular expression",
        ),
        (
            "CreateAlias",
            {"FunctionName": "f", "Name": "12", "FunctionVersion": "1"},
            "Value '12' at 'name' failed to satisfy constraint",
        ),
        (
            "CreateAlias",
            {
                "FunctionName": "f",
                "Name": "a",
                "FunctionVersion": "1",
                "RoutingConfig": {"AdditionalVersionWeights": {"2": 1.5}},
            },
            "Member must have value less than or equal to 1.0",
        ),
    ],
)
def test_what_the_model_forbids_is_refused_in_the_services_words(operation, parameters, text):
    error = refused(operation, **parameters)
    assert (error.status, error.code) == (400, "ValidationException")
    assert text in error.message


def test_every_violation_is_told_at_once():
    error = refused("UpdateFunctionConfiguration", FunctionName="f", Runtime="x", Description="x" * 300)
    assert error.message.startswith("2 validation errors detected: ")


def test_an_answer_has_the_models_status_headers_and_payload():
    made = PROTOCOL.answer("PublishLayerVersion", {"Version": 3})
    assert (made.status, json.loads(made.body)) == (201, {"Version": 3})
    invoked = PROTOCOL.answer(
        "Invoke",
        {
            "StatusCode": 200,
            "FunctionError": "Unhandled",
            "LogResult": base64.b64encode(b"log").decode(),
            "Payload": b"{}",
        },
    )
    assert invoked.body == b"{}"
    assert invoked.headers["X-Amz-Function-Error"] == "Unhandled"


def test_an_answer_that_the_model_does_not_have_is_our_own_fault():
    with pytest.raises(ValueError, match="GetAlias answers what its model does not have"):
        PROTOCOL.answer("GetAlias", {"Nmae": "live"})


def test_an_error_says_its_code_in_the_header_that_clients_read():
    answer = ServiceError(429, "TooManyRequestsException", "Rate exceeded", {"Retry-After": "1"}).answer()
    assert answer.headers["x-amzn-ErrorType"] == "TooManyRequestsException"
    assert answer.headers["Retry-After"] == "1"
    assert json.loads(answer.body) == {"Type": "User", "message": "Rate exceeded", "Message": "Rate exceeded"}
