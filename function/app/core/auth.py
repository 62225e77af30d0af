"""Who may call: anybody, who has a key, or whom AWS has authenticated.

Decided before a route is chosen and a body is read: a stranger costs little and doesn't learn which paths exist.
Whatever isn't listed as open is closed, so that no new route is open because somebody forgot it.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from starlette._utils import get_route_path  # what the router itself goes by: two readings of a path are a way round
from starlette.datastructures import Headers
from starlette.types import Scope

from app import API_PREFIX, SERVICE
from app.core.errors import ProblemError
from app.core.settings import Auth, Settings

OPEN = frozenset({"/", "/health", f"{API_PREFIX}/docs", f"{API_PREFIX}/openapi.json"})
KEY_HEADER = "x-api-key"

# The name of the scheme and what the document says of it. The last is API Gateway's own extension for OpenAPI.
SCHEMES: Mapping[Auth, tuple[str, dict[str, Any]]] = {
    "api-key": ("apiKey", {"type": "apiKey", "in": "header", "name": KEY_HEADER}),
    "iam": (
        "sigv4",
        {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "AWS Signature Version 4, checked by AWS before this service sees the request.",
            "x-amazon-apigateway-authtype": "awsSigv4",
        },
    ),
}


class Guard:
    """Says whom a request is refused to."""

    def __init__(self, settings: Settings) -> None:
        self._auth = settings.auth
        self._digests = tuple(digest.encode() for digest in settings.api_keys)

    def refusal(self, scope: Scope) -> ProblemError | None:
        """The problem that a request gets in place of its answer; None lets it in.

        A key that is missing or unknown is 401 with a challenge (RFC 9110, 11.6.1). A request that AWS has not
        authenticated is 403, as AWS itself answers it: there is no challenge that its sender could meet here.

        Args:
            scope: With `path` and `root_path` as the router will see them.
        """
        if self._auth == "none" or get_route_path(scope) in OPEN:
            return None
        if self._auth == "iam":
            if _caller(scope):
                return None
            return ProblemError(
                status=403,
                code="iam_required",
                detail="Sign the request with AWS Signature Version 4, through a URL or gateway that asks for AWS_IAM.",
            )
        key = Headers(scope=scope).get(KEY_HEADER, "")
        if key and self._known(key):
            return None
        return ProblemError(
            status=401,
            code="api_key_unknown" if key else "api_key_missing",
            detail=f"Send a valid key in the header {KEY_HEADER}.",
            headers={"www-authenticate": f'ApiKey realm="{SERVICE}"'},
        )

    def _known(self, key: str) -> bool:
        digest = hashlib.sha256(key.encode("latin-1")).hexdigest().encode()
        # A sum, which unlike `any` goes to the end: time tells nothing of which key fits.
        return sum(hmac.compare_digest(digest, known) for known in self._digests) > 0


def _caller(scope: Scope) -> str:
    """The ARN of the IAM identity that AWS found; empty where it looked for none.

    It stands in the event alone, which only AWS and who may invoke the function directly write; headers and other
    servers than Lambda's can't bring it. Function URLs and HTTP APIs: `authorizer.iam.userArn`; REST APIs, and HTTP
    APIs with payload 1.0: `identity.userArn` (developer guides of Lambda, "Invoking function URLs", and API Gateway,
    "Lambda proxy integrations"). A load balancer authenticates nobody this way.
    """
    event = scope.get("aws.event")
    if not isinstance(event, Mapping):
        return ""
    context = event.get("requestContext") or {}
    if "elb" in context:
        return ""
    if event.get("version") == "2.0":
        return _text((context.get("authorizer") or {}).get("iam"), "userArn")
    identity = context.get("identity")
    return _text(identity, "userArn") if _text(identity, "caller") else ""


def _text(fields: object, name: str) -> str:
    value = fields.get(name) if isinstance(fields, Mapping) else None
    return value if isinstance(value, str) else ""
