"""botocore's exceptions as this project's errors: what failed, on what, and what to do about it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from optimizer.deploy.mends import AGAIN, CONFIGURATION, DENIED, EXPIRED, SIGN_IN, TOO_LARGE, mend_of, throttles
from optimizer.deploy.regions import known_regions, nearest
from optimizer.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["DENIED", "MISSING", "AnswerLostError", "CallRejectedError", "translated"]

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

    @property
    def too_large(self) -> bool:
        """Whether code and layers together, or one of them, would pass Lambda's limit."""
        return any(text in self.aws_message for text in TOO_LARGE)


class AnswerLostError(AwsError):
    """The service did not answer, or failed while it did: whether it has acted is unknown."""


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
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _answered(error.response, error.operation_name, subject, endpoint_url, region) from error
    except BotoCoreError as error:
        raise _unanswered(error, subject, endpoint_url, region) from error
    except RuntimeError as error:
        if "still expired" not in str(error):  # botocore's only word for credentials that could not be renewed
            raise
        raise AwsError(f"The credentials have expired: {error}", mend=EXPIRED) from error


def _answered(
    answer: Mapping[str, Any], operation: str, subject: str, endpoint_url: str | None, region: str
) -> AwsError:
    """An error that the service answered with."""
    code = str(answer.get("Error", {}).get("Code", ""))
    message = str(answer.get("Error", {}).get("Message", ""))
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if status >= _SERVER_FAULT and status not in _NO_FAULT and not throttles(code):
        return AnswerLostError(
            f"{operation} of {subject}: {endpoint_url or f'AWS in {region}'} failed: {code}: {message}",
            mend=f"It is the service's fault. {AGAIN}",
        )
    return CallRejectedError(
        f"{operation} of {subject} in {region} was refused: {code}: {message}",
        mend=mend_of(code, operation, subject, message),
        operation=operation,
        aws_code=code,
        aws_message=message,
    )


_LOST = frozenset({"ReadTimeoutError", "ConnectionClosedError", "ResponseStreamingError"})
_OWN_CONFIGURATION = "AWS's own configuration on this machine can't be used"
_NO_CREDENTIALS = "There are no credentials for AWS"
_GIVE = "Give some (`aws configure`, AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret), or use --local."
_NOT_HAD = "The credentials can't be had"
_PROFILE = "Mend ~/.aws/config, or name another profile with AWS_PROFILE; then run it again."
_CERTIFICATES = "Name with AWS_CA_BUNDLE the file of certificates that your network's proxy is signed by."
_REGIONS = "Mend `regions` in config/layers.toml, or --region."
_UNREACHED = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError", "HTTPClientError"})
_TOLD: dict[str, tuple[str, str]] = {
    "SSLError": ("{where} can't be reached safely", _CERTIFICATES),
    "NoCredentialsError": (_NO_CREDENTIALS, _GIVE),
    "PartialCredentialsError": (_NO_CREDENTIALS, _GIVE),
    "ProfileNotFound": ("The profile is not there", "Name with AWS_PROFILE one of the profiles in ~/.aws/config."),
    "SSOError": (_NOT_HAD, SIGN_IN),
    "LoginError": (_NOT_HAD, SIGN_IN),
    "TokenRetrievalError": (_NOT_HAD, SIGN_IN),
    "CredentialRetrievalError": (_NOT_HAD, SIGN_IN),
    "RefreshWithMFAUnsupportedError": (_NOT_HAD, SIGN_IN),
    "ParamValidationError": ("AWS takes no such call about {subject}", CONFIGURATION),
    "NoRegionError": ("{region!r} is no region", _REGIONS),
    "InvalidRegionError": ("{region!r} is no region", _REGIONS),
    "ConfigParseError": (_OWN_CONFIGURATION, _PROFILE),
    "InvalidConfigError": (_OWN_CONFIGURATION, _PROFILE),
    "MissingDependencyException": (_OWN_CONFIGURATION, "Install what the message names; then run it again."),
}
"""By the names of botocore's exceptions, not all of which every version has: what is said, and what to do."""


def _unanswered(error: Exception, subject: str, endpoint_url: str | None, region: str) -> AwsError:
    """An error of botocore's own: no answer, no credentials, no configuration."""
    names = [kind.__name__ for kind in type(error).__mro__]
    where = endpoint_url or f"AWS in {region}"
    if _LOST.intersection(names):
        return AnswerLostError(
            f"{where} did not answer the call about {subject}: {error}", mend=f"Look at the network. {AGAIN}"
        )
    if _UNREACHED.intersection(names):
        return _unreached(error, endpoint_url, region)
    for name in names:
        if name in _TOLD:
            told, mend = _TOLD[name]
            return AwsError(f"{told.format(where=where, region=region, subject=subject)}: {error}", mend=mend)
    return AwsError(f"The call about {subject} in {region} failed: {error}", mend=AGAIN)


def _unreached(error: Exception, endpoint_url: str | None, region: str) -> AwsError:
    """That nothing answers; a region that nobody knows is likely mistyped."""
    if endpoint_url is not None or region in known_regions():
        return AwsError(
            f"{endpoint_url or f'AWS in {region}'} can't be reached: {error}",
            mend="Look at the network and at the endpoint; behind a proxy, at HTTPS_PROXY. Then run it again.",
        )
    meant = nearest(region)
    return AwsError(
        f"There seems to be no region {region!r}: this botocore does not know it, and nothing answers there: {error}",
        mend=f"Mend `regions` in config/layers.toml, or --region{f': {meant} is one' if meant else ''}.",
    )
