"""Each failure of AWS has its own message, and says what to do."""

import re

import pytest
from botocore import exceptions as botocore

from optimizer.deploy.rejections import AnswerLostError, CallRejectedError, translated
from optimizer.errors import AwsError

POLICY = "`python -m optimizer policy deployer` prints all that it needs."
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
        (botocore.EndpointConnectionError(endpoint_url="https://x"), "can't be reached", "network"),
        (botocore.ConnectTimeoutError(endpoint_url="https://x"), "can't be reached", "network"),
        (botocore.UnauthorizedSSOTokenError(), "credentials can't be had", "aws sso login"),
        (botocore.CredentialRetrievalError(provider="x", error_msg="y"), "credentials can't be had", "aws sso login"),
        (botocore.ConfigParseError(path="x"), "own configuration", "~/.aws/config"),
        (botocore.MissingDependencyException(msg="botocore[crt]"), "own configuration.*crt", "Install"),
        (botocore.ParamValidationError(report="MemorySize"), "no such call about app: .*\nMemorySize", "layers.toml"),
        (botocore.SSLError(endpoint_url="https://x", error="y"), "reached safely", "AWS_CA_BUNDLE"),
        (botocore.UnknownServiceError(service_name="x", known_service_names="y"), "about app in eu-central-1", AGAIN),
        (RuntimeError("the refreshed credentials are still expired."), "have expired", "Sign in again"),
        (client_error("ExpiredTokenException"), "was refused: ExpiredTokenException", "Sign in again"),
        (client_error("UnrecognizedClientException"), "was refused", "not known in this region"),
        (client_error("InvalidSignatureException"), "was refused", "clock"),
        (client_error("TooManyRequestsException", status=429), "was refused", "Too many calls"),
        (client_error("CodeStorageExceededException"), "was refused", "python -m optimizer prune"),
        (client_error("PolicyLengthExceededException"), "was refused", "Remove permissions"),
        (client_error("MalformedPolicyDocument", operation="PutRolePolicy"), "was refused", "`policy`"),
        (client_error("LimitExceeded", operation="CreateRole"), "was refused", "larger quota"),
        (client_error("OptInRequired"), "was refused", "not opened this region"),
        (client_error("KMSDisabledException"), "was refused", "KMS key"),
        (client_error("CodeVerificationFailedException"), "was refused", "signed code"),
        (client_error("InvalidParameterValueException", "Layer version arn:x does not exist."), "arn:x", "was deleted"),
        (client_error("InvalidParameterValueException", "The role cannot be assumed by Lambda."), "role", "role_arn"),
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
        ("GetBucketNotificationConfiguration", "s3:GetBucketNotification"),
    ],
)
def test_a_denied_call_names_the_action_to_allow(operation, action):
    denied = raised(client_error("AccessDeniedException", operation=operation, status=403))
    assert denied.mend == f"Allow {action} on app to the identity that deploys; {POLICY}"


@pytest.mark.parametrize(
    ("operation", "action"),
    [("GetMetricData", "cloudwatch:GetMetricData"), ("ListLayerVersions", "lambda:ListLayerVersions")],
)
def test_an_action_that_knows_no_resources_is_told_as_such(operation, action):
    denied = raised(client_error("AccessDeniedException", operation=operation, status=403))
    assert (
        denied.mend == f"Allow {action} on every resource (it can't be limited) to the identity that deploys; {POLICY}"
    )


def test_a_denied_call_names_the_action_that_the_message_names():
    words = "User: arn:aws:iam::1:user/ci is not authorized to perform: iam:PassRole on resource: app-role"
    denied = raised(client_error("AccessDeniedException", words, "CreateFunction"))
    assert denied.mend == f"Allow iam:PassRole on app-role to the identity that deploys; {POLICY}"


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("because no identity-based policy allows the lambda:X action", "Allow lambda:X on arn:a:b to the identity"),
        (
            "with an explicit deny in a service control policy",
            "in a service control policy forbids lambda:X on arn:a:b",
        ),
        ("with an explicit deny in a permissions boundary", "in a permissions boundary forbids lambda:X on arn:a:b"),
        ("because no resource-based policy allows the lambda:X action", "Its owner has to allow lambda:X on arn:a:b"),
    ],
)
def test_whose_policy_denies_tells_who_can_allow_it(reason, told):
    words = f"User: arn:aws:iam::1:user/ci is not authorized to perform: lambda:X on resource: arn:a:b {reason}"
    assert told in raised(client_error("AccessDeniedException", words)).mend


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


def test_what_is_no_error_of_aws_passes_through():
    with pytest.raises(RuntimeError, match="something else"), translated("app", None, "eu-central-1"):
        raise RuntimeError("something else")


def test_a_region_that_nobody_knows_is_told_with_the_one_that_may_be_meant():
    error = botocore.EndpointConnectionError(endpoint_url="https://lambda.eu-centrall-1.amazonaws.com")
    with pytest.raises(AwsError) as caught, translated("app", None, "eu-centrall-1"):
        raise error
    assert "no region 'eu-centrall-1'" in caught.value.message
    assert "eu-central-1 is one" in caught.value.mend
