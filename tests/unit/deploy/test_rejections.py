"""Each failure of AWS has its own message, and says what to do."""

import re

import pytest
from botocore import exceptions as botocore

from optimizer.deploy.rejections import AnswerLostError, CallRejectedError, translated
from optimizer.errors import AwsError

AGAIN = "Run the same command again"


def client_error(code, message="words", operation="UpdateFunctionCode", status=400):
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.ClientError(answer, operation)


def raised(error, endpoint_url=None):
    with pytest.raises(AwsError) as caught, translated("app", endpoint_url, "eu-central-1"):
        raise error
    assert caught.value.exit_status == 3
    return caught.value


@pytest.mark.parametrize(
    ("error", "message", "mend"),
    [
        (botocore.NoCredentialsError(), "no credentials", "use --local"),
        (botocore.PartialCredentialsError(provider="env", cred_var="key"), "no credentials", "AWS_PROFILE"),
        (botocore.ProfileNotFound(profile="stage"), "stage", "~/.aws/config"),
        (botocore.NoRegionError(), "no region", "regions"),
        (botocore.InvalidRegionError(region_name="x y"), "no region", "--region"),
        (botocore.EndpointConnectionError(endpoint_url="https://x"), "can't be reached", "region exists"),
        (botocore.ConnectTimeoutError(endpoint_url="https://x"), "can't be reached", "network"),
        (botocore.UnauthorizedSSOTokenError(), "credentials can't be had", "aws sso login"),
        (client_error("ExpiredTokenException"), "was refused: ExpiredTokenException", "Sign in again"),
        (client_error("UnrecognizedClientException"), "was refused", "not known in this region"),
        (client_error("InvalidSignatureException"), "was refused", "clock"),
        (client_error("TooManyRequestsException", status=429), "was refused", "Too many calls"),
        (client_error("CodeStorageExceededException"), "was refused", "larger code storage quota"),
        (client_error("ResourceNotFoundException", status=404), "was refused", "deleted it meanwhile"),
        (client_error("InvalidParameterValueException", "Timeout"), "refused: .*Timeout", "config/layers.toml"),
        (
            client_error("InvalidParameterValueException", "Unzipped size must be smaller than 85207199 bytes"),
            "85207199",
            "python -m optimizer plan",
        ),
        (client_error("NoSuchBucket", operation="PutObject"), "PutObject of app", "--bucket"),
        (client_error("SomethingNew"), "SomethingNew: words", AGAIN),
    ],
)
def test_the_message_says_what_failed_and_the_mend_what_to_do(error, message, mend):
    told = raised(error)
    assert re.search(message, told.message)
    assert mend in told.mend


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("UpdateFunctionCode", "lambda:UpdateFunctionCode"),
        ("PublishLayerVersion", "lambda:PublishLayerVersion"),
        ("CreateRole", "iam:CreateRole"),
        ("GetRolePolicy", "iam:GetRolePolicy"),
        ("PutObject", "s3:PutObject"),
        ("PutParameter", "ssm:PutParameter"),
        ("GetParameters", "ssm:GetParameters"),
        ("Invoke", "lambda:InvokeFunction"),
        ("GetLayerVersionByArn", "lambda:GetLayerVersion"),
        ("UploadPart", "s3:PutObject"),
        ("GetMetricData", "cloudwatch:GetMetricData"),
        ("GetBucketNotificationConfiguration", "s3:GetBucketNotification"),
    ],
)
def test_a_denied_call_names_the_action_to_allow(operation, action):
    assert f"Allow {action} to" in raised(client_error("AccessDeniedException", operation=operation, status=403)).mend


def test_a_denied_call_names_the_action_that_the_message_names():
    words = "User: arn:aws:iam::1:user/ci is not authorized to perform: iam:PassRole on resource: app-role"
    assert "Allow iam:PassRole to" in raised(client_error("AccessDeniedException", words, "CreateFunction")).mend


@pytest.mark.parametrize(
    "error",
    [
        client_error("ServiceException", status=500),
        botocore.ReadTimeoutError(endpoint_url="https://x"),
        botocore.ConnectionClosedError(endpoint_url="https://x"),
    ],
)
def test_a_call_that_may_have_acted_is_told_apart_and_can_be_repeated(error):
    told = raised(error, "http://127.0.0.1:1")
    assert isinstance(told, AnswerLostError)
    assert "http://127.0.0.1:1" in told.message
    assert AGAIN in told.mend


def test_an_operation_that_is_not_served_is_refused_not_lost():
    assert isinstance(raised(client_error("NotImplementedException", status=501)), CallRejectedError)
