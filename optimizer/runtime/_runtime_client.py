"""Stands in for awslambdaric's extension module where that was built for another Python than the runtime's.

The same calls over the same Runtime API with the standard library; it becomes `runtime_client` in the client's folder.
"""

from __future__ import annotations

import http.client
import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself would slow each cold start
    from email.message import Message

_ROOT = "/2018-06-01/runtime/invocation"
_connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
_agent: dict[str, str] = {}


def initialize_client(user_agent: str) -> None:
    """Remember how to introduce ourselves."""
    _agent["User-Agent"] = user_agent


def next() -> tuple[bytes, Message]:  # noqa: A001  the extension module's own name
    """Wait for an event: its payload and the headers that describe it."""
    _connection.request("GET", f"{_ROOT}/next", headers=_agent)
    response = _connection.getresponse()
    body = response.read()
    if response.status != http.client.OK:
        raise RuntimeError(f"Failed to get next event: {response.status}")
    return body, response.headers


def post_invocation_result(
    invoke_id: str, content: bytes, content_type: str, _invocation_id: str | None = None
) -> None:
    """Answer an event."""
    _post(f"{_ROOT}/{invoke_id}/response", content, {"Content-Type": content_type})


def post_error(invoke_id: str, content: str, _xray_fault: str, _invocation_id: str | None = None) -> None:
    """Report the error that an event ended with."""
    _post(f"{_ROOT}/{invoke_id}/error", content.encode(), {"Content-Type": "application/json"})


def _post(path: str, body: bytes, headers: dict[str, str]) -> None:
    _connection.request("POST", path, body, {**_agent, **headers})
    response = _connection.getresponse()
    response.read()
    if response.status != http.client.ACCEPTED:
        raise RuntimeError(f"Failed to post the outcome of an event: {response.status}")
