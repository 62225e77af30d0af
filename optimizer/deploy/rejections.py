"""botocore's exceptions as this project's errors: what failed, on what, and what to do about it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from optimizer.deploy.permissions import action_of
from optimizer.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING = frozenset({"ResourceNotFoundException", "NoSuchEntity"})
"""Error codes that say that something isn't there: Lambda's and IAM's."""

_SERVER_FAULT = 500
_NO_FAULT = frozenset({501})
"""The operation is not served at all: nothing has acted."""


class CallRejectedError(AwsError):
    """AWS answered a call with an error; `aws_code` and `aws_message` are the service's own."""

    def __init__(self, message: str, *, mend: str, operation: str, aws_code: str, aws_message: str) -> None:
        super().__init__(message, mend=mend)
        self.operation = operation
        self.aws_code = aws_code
        self.aws_message = aws_message


class AnswerLostError(AwsError):
    """The service did not answer, or failed while it did: whether it has acted is unknown."""


_AGAIN = "Run the same command again: it goes on from what is there."
_SIGN_IN = "Sign in again (`aws sso login`, `aws configure`, or new environment variables), then run it again."
_EXPIRED = f"{_SIGN_IN} What was done so far stays, and is found."
_UNKNOWN_KEY = f"These credentials are not known in this region or account. {_SIGN_IN}"
_CLOCK = "Check the secret key, and the clock of this machine: signatures are valid for a few minutes."
_THROTTLED = f"Too many calls in this account and region at once; wait a little. {_AGAIN}"
_BUCKET = "Name with --bucket a bucket that exists in the function's own region."
_CONFIGURATION = "Correct what the message names in config/layers.toml, build again, and run it again."
_GONE = f"Look whether the name and the region are right. If somebody deleted it meanwhile: {_AGAIN}"

_MENDS = {
    "ExpiredTokenException": _EXPIRED,
    "ExpiredToken": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "RequestExpired": _EXPIRED,
    "UnrecognizedClientException": _UNKNOWN_KEY,
    "InvalidClientTokenId": _UNKNOWN_KEY,
    "InvalidAccessKeyId": _UNKNOWN_KEY,
    "AuthFailure": _UNKNOWN_KEY,
    "SignatureDoesNotMatch": _CLOCK,
    "InvalidSignatureException": _CLOCK,
    "TooManyRequestsException": _THROTTLED,
    "Throttling": _THROTTLED,
    "ThrottlingException": _THROTTLED,
    "SlowDown": _THROTTLED,
    "CodeStorageExceededException": "Delete function and layer versions that nothing uses, or ask AWS for a larger "
    "code storage quota.",
    "PolicyLengthExceededException": "Remove permissions that nothing needs any more: a resource's policy has 20 KB.",
    "ResourceNotFoundException": _GONE,
    "NoSuchEntity": _GONE,
    "NoSuchBucket": _BUCKET,
    "PermanentRedirect": _BUCKET,
    "InvalidParameterValueException": _CONFIGURATION,
    "ValidationException": _CONFIGURATION,
}
DENIED = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"})
_NAMED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")
"""Where a call needs several actions, the message says which one is missing: iam:PassRole in CreateFunction, say."""
_TOO_LARGE = ("Unzipped size", "exceeds the maximum allowed size", "Layers consume")


def _mend(code: str, operation: str, message: str) -> str:
    """What to do about an error code."""
    if code in DENIED:
        named = _NAMED_ACTION.search(message)
        action = named[1] if named else action_of(operation)
        return f"Allow {action} to the identity that deploys; the message names the resource."
    if any(text in message for text in _TOO_LARGE):
        return "Run `python -m optimizer plan` to see what weighs how much, and what could be left out."
    return _MENDS.get(code, _AGAIN)


@contextmanager
def translated(subject: str, endpoint_url: str | None, region: str) -> Iterator[None]:
    """Raise this project's errors for botocore's, within the block.

    Args:
        subject: what the call is about, for the message.
        endpoint_url: where calls go when it is not AWS.
        region: of the call.

    Raises:
        CallRejectedError: AWS refused.
        AnswerLostError: it may have acted.
        AwsError: it was not reached at all.
    """
    from boto3.exceptions import Boto3Error
    from botocore import exceptions as botocore

    where = endpoint_url or f"AWS in {region}"
    try:
        yield
    except botocore.ClientError as error:
        answer = error.response
        code = str(answer.get("Error", {}).get("Code", ""))
        message = str(answer.get("Error", {}).get("Message", ""))
        status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        operation = error.operation_name
        if status >= _SERVER_FAULT and status not in _NO_FAULT and _MENDS.get(code) != _THROTTLED:
            raise AnswerLostError(
                f"{operation} of {subject}: {where} failed: {code}: {message}",
                mend=f"It is the service's fault. {_AGAIN}",
            ) from error
        raise CallRejectedError(
            f"{operation} of {subject} in {region} was refused: {code}: {message}",
            mend=_mend(code, operation, message),
            operation=operation,
            aws_code=code,
            aws_message=message,
        ) from error
    except (botocore.ReadTimeoutError, botocore.ConnectionClosedError, botocore.ResponseStreamingError) as error:
        raise AnswerLostError(
            f"{where} did not answer the call about {subject}: {error}", mend=f"Look at the network. {_AGAIN}"
        ) from error
    except (botocore.EndpointConnectionError, botocore.ConnectTimeoutError, botocore.HTTPClientError) as error:
        raise AwsError(
            f"{where} can't be reached: {error}",
            mend="Look at the network and at the endpoint, and whether the region exists.",
        ) from error
    except (botocore.NoCredentialsError, botocore.PartialCredentialsError) as error:
        raise AwsError(
            f"There are no credentials for AWS: {error}",
            mend="Give some (`aws configure`, AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret), or use --local.",
        ) from error
    except botocore.ProfileNotFound as error:
        raise AwsError(str(error), mend="Name with AWS_PROFILE one of the profiles in ~/.aws/config.") from error
    except (
        botocore.UnauthorizedSSOTokenError,
        botocore.SSOError,
        botocore.TokenRetrievalError,
        botocore.CredentialRetrievalError,
    ) as error:
        raise AwsError(f"The credentials can't be had: {error}", mend=_SIGN_IN) from error
    except (botocore.NoRegionError, botocore.InvalidRegionError) as error:
        raise AwsError(
            f"{region!r} is no region: {error}", mend="Mend `regions` in config/layers.toml, or --region."
        ) from error
    except (botocore.BotoCoreError, Boto3Error) as error:
        raise AwsError(f"The call about {subject} in {region} failed: {error}", mend=_AGAIN) from error
