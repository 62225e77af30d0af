"""botocore's errors as ours: what failed, where, and how to mend it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from optimizer.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MENDS = {
    "AccessDeniedException": "Give the caller's role or user this permission, and deploy again.",
    "AccessDenied": "Give the caller's role or user this permission, and deploy again.",
    "ExpiredTokenException": "Sign in again and deploy again: what was done is found and not done twice.",
    "ExpiredToken": "Sign in again and deploy again: what was done is found and not done twice.",
    "UnrecognizedClientException": "Check the credentials: AWS does not know them.",
    "InvalidClientTokenId": "Check the credentials: AWS does not know them.",
    "TooManyRequestsException": "Wait a minute and deploy again: what was done is found and not done twice.",
    "ResourceConflictException": "Somebody else is changing this function: see what, then deploy again.",
    "PreconditionFailedException": "Somebody else changed this function meanwhile: see what, then deploy again.",
    "CodeStorageExceededException": "Delete old versions and layer versions of this region, then deploy again.",
}
_ANY = "Read AWS's own words above; deploy again when it is mended: what was done is found and not done twice."


@contextmanager
def translated(region: str) -> Iterator[None]:
    """Turn botocore's exceptions into AwsError.

    Raises:
        AwsError: whatever went wrong in the block.
    """
    from boto3.exceptions import Boto3Error
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        answer = error.response["Error"]
        code = answer.get("Code", "Unknown")
        raise AwsError(
            f"{error.operation_name} in {region}: {code}: {answer.get('Message', '')}", mend=_MENDS.get(code, _ANY)
        ) from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise AwsError(
            f"No AWS credentials were found for {region}",
            mend="Sign in (aws sso login), set AWS_PROFILE or AWS_ACCESS_KEY_ID, or try `--local`, which needs none.",
        ) from error
    except (
        exceptions.EndpointConnectionError,
        exceptions.ConnectTimeoutError,
        exceptions.ConnectionClosedError,
    ) as error:
        raise AwsError(
            f"AWS in {region} can't be reached: {error}",
            mend="Check the network and --endpoint-url, then deploy again.",
        ) from error
    except (exceptions.BotoCoreError, Boto3Error) as error:
        raise AwsError(f"In {region}: {error}", mend=_ANY) from error
