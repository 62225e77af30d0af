"""What to do about each error that AWS answers with, by its code and its words."""

from __future__ import annotations

import re

from optimizer.deploy.permission.permissions import NEEDS, action_of

THROTTLING = frozenset(
    {
        "TooManyRequestsException",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
    }
)
"""Error codes of calls that were too many: they did not act, and are to come later."""

AGAIN = "Run the same command again: it goes on from what is there."
SIGN_IN = (
    "Sign in again (`aws sso login`, `aws login`, `aws configure`, or new environment variables), then run it again."
)
EXPIRED = f"{SIGN_IN} What was done so far stays, and is found."
THROTTLED = f"Too many calls in this account and region at once; wait a little. {AGAIN}"

_UNKNOWN_KEY = f"These credentials are not known in this region or account. {SIGN_IN}"
_CLOCK = "Check the secret key, and the clock of this machine: signatures are valid for a few minutes."
_BUCKET = "Name with --bucket a bucket that exists in the function's own region."
CONFIGURATION = "Correct what the message names in config/layers.toml, build again, and run it again."
_GONE = f"Look whether the name and the region are right. If somebody deleted it meanwhile: {AGAIN}"
_STORAGE = (
    "`python -m optimizer prune` shows old layer versions that nothing refers to, with --versions functions' old "
    "versions too; --yes deletes them. Or ask AWS for a larger code storage quota. Then run the same command again."
)
_POLICY = "Mend the document that `policy` of the function names in config/layers.toml, build, and run it again."
_KEY = "Look at the KMS key of the function's variables: it has to be enabled, and kms:Decrypt allowed with it."
_SIGNED = "The function takes signed code alone: take its code-signing configuration off, or deploy with what signs."
_QUOTA = "Ask AWS for a larger quota, or take away what nothing uses any more; then run the same command again."
_ACCOUNT = "The account has not opened this region or service: enable it in the account, or leave the region out."
_PLAN = "Run `python -m optimizer plan` to see what weighs how much, and what could be left out."

_MENDS = {
    "ExpiredTokenException": EXPIRED,
    "ExpiredToken": EXPIRED,
    "TokenRefreshRequired": EXPIRED,
    "RequestExpired": EXPIRED,
    "UnrecognizedClientException": _UNKNOWN_KEY,
    "InvalidClientTokenId": _UNKNOWN_KEY,
    "InvalidAccessKeyId": _UNKNOWN_KEY,
    "InvalidToken": _UNKNOWN_KEY,
    "AuthFailure": _UNKNOWN_KEY,
    "MissingAuthenticationToken": _UNKNOWN_KEY,
    "MissingAuthenticationTokenException": _UNKNOWN_KEY,
    "SignatureDoesNotMatch": _CLOCK,
    "InvalidSignatureException": _CLOCK,
    "RequestTimeTooSkewed": _CLOCK,
    "OptInRequired": _ACCOUNT,
    "SubscriptionRequiredException": _ACCOUNT,
    **dict.fromkeys(THROTTLING, THROTTLED),
    "CodeStorageExceededException": _STORAGE,
    "ResourceNotFoundException": _GONE,
    "NoSuchEntity": _GONE,
    "NoSuchBucket": _BUCKET,
    "PermanentRedirect": _BUCKET,
    "RequestEntityTooLargeException": _BUCKET,
    "InvalidParameterValueException": CONFIGURATION,
    "ValidationException": CONFIGURATION,
    "MalformedPolicyDocument": _POLICY,
    "MalformedPolicyDocumentException": _POLICY,
    "PolicyLengthExceededException": "Remove permissions that nothing needs any more: a resource's policy has 20 KB.",
    "LimitExceeded": _QUOTA,
    "LimitExceededException": _QUOTA,
    "ServiceQuotaExceededException": _QUOTA,
    "KMSAccessDeniedException": _KEY,
    "KMSDisabledException": _KEY,
    "KMSInvalidStateException": _KEY,
    "KMSNotFoundException": _KEY,
    "CodeVerificationFailedException": _SIGNED,
    "InvalidCodeSignatureException": _SIGNED,
}
"""By the error's code; those that throttle are throttled whatever their HTTP status is."""

_ROLE = "Let lambda.amazonaws.com assume the role that `role_arn` names, in its trust policy; then run it again."
_RIGHTS = "Allow the function's role what the message names: in the document of `policy`, or in the role itself."
_DELETED = (
    "A layer version that was deleted can't be attached again: name another under `external_layers`, and build. If it "
    "is one of ours, run the same command again: it is published anew."
)
TOO_LARGE = ("Unzipped size", "exceeds the maximum allowed size", "Layers consume")
"""Words of what Lambda says where code and layers pass its limit, together or one of them."""

_BY_WORDS = {
    **dict.fromkeys(TOO_LARGE, _PLAN),
    "cannot be assumed by Lambda": _ROLE,
    "execution role does not have permissions": _RIGHTS,
    "Layer version": _DELETED,
}
"""What InvalidParameterValueException is about, by words of its message."""

DENIED = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"})
"""Codes that say that these credentials may not do it."""

_NAMED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")
"""Where a call needs several actions, the message says which one is missing: iam:PassRole in CreateFunction, say."""
_NAMED_RESOURCE = re.compile(r"on resource: \"?((?:role |policy )?[^\s\"]+)")
_EXPLICIT = re.compile(r"with an explicit deny in an? ([a-z -]+policy|[a-z -]+boundary)")


def throttles(code: str) -> bool:
    """Whether the code is one of throttling."""
    return code in THROTTLING


def mend_of(code: str, operation: str, subject: str, message: str) -> str:
    """What to do about an error.

    Args:
        code: the error's.
        operation: the call's, by botocore's name of it.
        subject: what it was about.
        message: the service's own.
    """
    if code in DENIED:
        return _allow(operation, subject, message)
    if code in {"InvalidParameterValueException", "ValidationException"}:
        return next((mend for words, mend in _BY_WORDS.items() if words in message), CONFIGURATION)
    return _MENDS.get(code, AGAIN)


def _allow(operation: str, subject: str, message: str) -> str:
    """Which action to allow, on what and to whom; or whose policy forbids it."""
    named, resource = _NAMED_ACTION.search(message), _NAMED_RESOURCE.search(message)
    action = named[1] if named else action_of(operation)
    unlimited = any(need.action == action and need.kind == "anything" for need in NEEDS)
    place = "every resource (it can't be limited)" if unlimited else subject
    what = f"{action} on {resource[1].rstrip('.,') if resource and not unlimited else place}"
    explicit = _EXPLICIT.search(message)
    if explicit:
        return f"An explicit deny in a {explicit[1]} forbids {what}: whoever keeps that policy has to take it back."
    if "no resource-based policy allows" in message:
        return f"Its owner has to allow {what} to the account that deploys."
    return f"Allow {what} to the identity that deploys; `python -m optimizer policy deployer` prints all that it needs."
