"""What each failure of an AWS service means for a caller."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.core.errors import ProblemError

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "Forbidden", "403"})
_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_THROTTLED = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
# Faults of the picture or of its place, by AWS's code: status, code, detail.
_REQUEST: dict[str, tuple[int, str, str]] = {
    "NoSuchKey": (404, "object_not_found", "The bucket has no object with this key."),
    "404": (404, "object_not_found", "The bucket has no object with this key."),
    "NoSuchBucket": (404, "bucket_not_found", "There is no such bucket."),
    "InvalidObjectState": (422, "object_archived", "The object is archived; restore it first."),
    "InvalidS3ObjectException": (
        422,
        "object_unreadable",
        "Rekognition can't read it: it is in another region, or the role lacks s3:GetObject or s3:GetObjectVersion.",
    ),
    "InvalidImageFormatException": (415, "image_format_unsupported", "Rekognition takes JPEG and PNG pictures only."),
    "ImageTooLargeException": (413, "image_too_large", "The picture is larger than Rekognition takes."),
    "InvalidParameterException": (
        422,
        "image_rejected",
        "Rekognition can't work with this picture; it may be too small.",
    ),
}


@contextmanager
def translated(*, service: str, action: str) -> Iterator[None]:
    """Make every failure of the AWS call in it a problem; what is one stays what it is.

    Args:
        service: `rekognition` or `s3`.
        action: The IAM action that the call needs.

    Raises:
        ProblemError: The call failed.
    """
    try:
        yield
    except ProblemError:
        raise
    except Exception as error:
        raise translate(error, service=service, action=action) from error


def translate(error: Exception, *, service: str, action: str) -> ProblemError:  # noqa: PLR0911  # one for each kind
    """The problem that a failed AWS call is.

    Args:
        error: What botocore raised.
        service: `rekognition` or `s3`; codes of AWS's own faults begin with it.
        action: The IAM action that the call needs, for the message.
    """
    from botocore import exceptions  # loaded already where there is such an error

    name = service.capitalize()
    if isinstance(error, exceptions.ClientError):
        return _client_error(error.response, service=service, name=name, action=action)
    if isinstance(error, exceptions.ConnectTimeoutError | exceptions.ReadTimeoutError):
        return _passing(504, f"{service}_timeout", f"{name} didn't answer in time.")
    if isinstance(error, exceptions.ParamValidationError):
        return ProblemError(status=422, code="invalid_request", detail=f"{name} doesn't take such a name.")
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        code = f"{service}_unreachable"
        if isinstance(error, exceptions.ConnectionClosedError | exceptions.ResponseStreamingError):
            return _passing(502, code, f"The connection to {name} was cut.")
        return ProblemError(
            status=502,
            code=code,
            detail=f"{name} can't be reached. It may not exist in this region, or the network has no way to it.",
        )
    if isinstance(
        error,
        exceptions.NoCredentialsError
        | exceptions.PartialCredentialsError
        | exceptions.CredentialRetrievalError
        | exceptions.NoRegionError
        | exceptions.ProfileNotFound
        | exceptions.ConfigParseError
        | exceptions.InvalidConfigError
        | exceptions.InvalidRegionError,
    ):
        return ProblemError(
            status=502,
            code=f"{service}_unconfigured",
            detail=f"This service has no region or no credentials for {name}.",
        )
    return ProblemError(status=502, code=f"{service}_failed", detail=f"The call to {name} failed.")


def _client_error(response: dict[str, Any], *, service: str, name: str, action: str) -> ProblemError:
    code = str(response.get("Error", {}).get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in _REQUEST:
        mapped_status, mapped_code, detail = _REQUEST[code]
        return ProblemError(status=mapped_status, code=mapped_code, detail=detail)
    if code in _THROTTLED:
        return _passing(503, f"{service}_throttled", f"{name} is busy.")
    if code in _CREDENTIALS:
        return ProblemError(
            status=502,
            code=f"{service}_credentials",
            detail=f"{name} doesn't accept this service's credentials.",
        )
    if code in _DENIED or status == 403:  # noqa: PLR2004  # HTTP's own number
        return ProblemError(
            status=502,
            code=f"{service}_denied",
            detail=f"{name} refused: this service's role needs the permission {action}.",
        )
    shown = code if re.fullmatch(r"[A-Za-z0-9.]{1,64}", code) else "an error"
    if isinstance(status, int) and status >= 500:  # noqa: PLR2004  # HTTP's faults of the server
        return _passing(502, f"{service}_failed", f"{name} answered {shown}.")
    return ProblemError(status=502, code=f"{service}_failed", detail=f"{name} answered {shown}.")


def _passing(status: int, code: str, detail: str) -> ProblemError:
    """A problem that the same request may not meet again."""
    return ProblemError(
        status=status, code=code, detail=f"{detail} Try again in a moment.", headers={"retry-after": "1"}
    )
