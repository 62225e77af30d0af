"""Reads HTTP requests: whole bodies, names of headers as they came, and which service is meant."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_input_stream

from optimizer.runtime.url_events import HttpRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_LAMBDA_PATH = re.compile(r"/20\d\d-\d\d-\d\d/(functions|layers|event-source-mappings|account-settings|tags)\b")
_FORM = "application/x-www-form-urlencoded"


def read_request(environ: WSGIEnvironment, *, most: int | None = None) -> HttpRequest:
    """The request as a value, its body read whole, or up to the first byte that is too much.

    Args:
        environ: the request.
        most: how many bytes its body may have.

    Raises:
        ConnectionAbortedError: the caller went away before the body was sent.
        BadRequest: it is no body.
    """
    path, _, _ = str(environ["RAW_URI"]).partition("?")
    try:
        body = get_input_stream(environ).read(-1 if most is None else most + 1)
    except ClientDisconnected as error:
        raise ConnectionAbortedError from error
    return HttpRequest(
        method=environ["REQUEST_METHOD"],
        path=path,
        query=environ.get("QUERY_STRING", ""),
        headers=environ["embedded.headers"],
        body=body,
        source_ip=environ.get("REMOTE_ADDR", "127.0.0.1"),
        protocol=environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
    )


def meant(environ: WSGIEnvironment) -> tuple[str, str | None]:
    """Service and region of a request's signature, in a header or in the address; the region is None without one."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", "")) or _SCOPE.search(
        unquote(environ.get("QUERY_STRING", ""))
    )
    if scope:
        return scope["service"], scope["region"]
    return ("lambda" if _LAMBDA_PATH.match(environ.get("PATH_INFO", "/")) else "s3"), None


def operation_name(service: str, environ: WSGIEnvironment) -> str:
    """The operation of a call to a service other than Lambda, as its client calls it; for the access log."""
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    path = str(environ.get("PATH_INFO", "/"))
    if target:
        return target.rpartition(".")[2]
    if "/operation/" in path:
        return path.rpartition("/operation/")[2]
    if environ.get("CONTENT_TYPE", "").startswith(_FORM) and service != "s3":
        body = get_input_stream(environ).read()
        environ["wsgi.input"] = io.BytesIO(body)
        return parse_qs(body.decode("utf-8", "replace")).get("Action", ["?"])[0]
    if service == "s3":
        return _s3_operation(environ["REQUEST_METHOD"], path, parse_qs(environ["QUERY_STRING"], keep_blank_values=True))
    return f"{environ['REQUEST_METHOD']} {path}"


def _s3_operation(method: str, path: str, query: dict[str, list[str]]) -> str:
    """The commonest of S3's operations by name; any other by its method and its sub-resource."""
    _, key = path.strip("/").partition("/")[::2]
    if "uploads" in query and method == "POST":
        return "CreateMultipartUpload"
    if "uploadId" in query:
        names = {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}
        return names.get(method, "ListParts")
    plain = not {name for name in query if not name.startswith(("x-id", "X-Amz-", "list-type", "prefix", "max-keys"))}
    kind = "Object" if key else "Bucket"
    if plain and path == "/":
        return "ListBuckets"
    if plain and method == "GET" and not key:
        return "ListObjectsV2" if "list-type" in query else "ListObjects"
    verb = {"GET": "Get", "PUT": "Put" if key else "Create", "DELETE": "Delete", "HEAD": "Head"}.get(method, method)
    return f"{verb}{kind}" if plain else f"{verb}{kind}({','.join(sorted(query))})"
