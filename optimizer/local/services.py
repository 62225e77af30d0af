"""Everything of the embedded AWS that is not Lambda: moto's server, in this process, made when it is first needed."""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from optimizer.local import rekognition
from optimizer.local.state import ACCOUNT
from optimizer.runtime.url_events import Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from optimizer.local.telemetry import Telemetry

SERVED = frozenset({"s3", "iam", "sts", "monitoring", "rekognition", "ssm", "logs", "events", "sns"})
"""Credential scopes that are passed on; `monitoring` is CloudWatch's."""

_JSON_SERVICES = frozenset({"rekognition", "ssm", "logs", "events"})


class Services:
    """Passes requests to moto, and asks it what Lambda has to know.

    moto keeps its state for the whole process, so it is forgotten when the last of these is closed.
    """

    _open: ClassVar[set[int]] = set()
    _guard: ClassVar[threading.Lock] = threading.Lock()
    _writing: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, telemetry: Telemetry) -> None:
        self.telemetry = telemetry
        self._application: Any = None
        with self._guard:
            self._open.add(id(self))

    def close(self) -> None:
        """Forget what the services remember, unless another embedded AWS of this process still needs it."""
        with self._guard:
            self._open.discard(id(self))
            if self._open or "moto" not in sys.modules:
                return
            from moto.moto_api._internal.models import moto_api_backend

            moto_api_backend.reset()

    def _moto(self) -> Any:
        """The server, imported when it is first asked for."""
        with self._guard:
            if self._application is None:
                # without it AWSLambdaBasicExecutionRole, say, could not be attached
                os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
                from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

                self._application = DomainDispatcherApplication(create_backend_app)
            return self._application

    def __call__(self, service: str, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request of a service other than Lambda."""
        if service not in SERVED:
            return _refuse(service, environ, start, f"{service} is not served by the embedded AWS")
        if environ["REQUEST_METHOD"] == "PUT" and environ.get("CONTENT_TYPE", "").startswith(
            "application/x-www-form-urlencoded"
        ):
            environ["CONTENT_TYPE"] = "binary/octet-stream"  # else moto's form parsing eats an object's bytes
        ours = rekognition.answer(environ.get("HTTP_X_AMZ_TARGET", "")) if service == "rekognition" else None
        if ours is not None:
            start("200 OK", [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(ours)))])
            return [ours]
        # moto looks at a condition and then writes: two such writes at once must not both find it met
        alone = service == "s3" and environ["REQUEST_METHOD"] in {"PUT", "POST", "DELETE"}
        try:
            moto = self._moto()
            self.telemetry.write(service)
            with self._writing if alone else nullcontext():
                answer: Iterable[bytes] = list(moto(environ, start))
        except NotImplementedError as error:
            return _refuse(service, environ, start, str(error))
        except Exception as error:  # noqa: BLE001  moto lets any exception through: the client has to see one
            return _refuse(service, environ, start, f"{type(error).__name__}: {error}")
        return answer

    @staticmethod
    def object(bucket: str, key: str, version: str | None = None) -> bytes | None:
        """An object's bytes from the embedded S3, or None where it is not."""
        from moto.s3.exceptions import MissingBucket, MissingKey
        from moto.s3.models import s3_backends

        try:
            found = s3_backends[ACCOUNT]["aws"].get_object(bucket, key, version)
        except (MissingBucket, MissingKey):
            return None
        return None if found is None else bytes(found.value)

    @staticmethod
    def role_trusts_lambda(arn: str) -> bool:
        """Whether the embedded IAM has that role and its trust policy names Lambda."""
        from moto.core.exceptions import ServiceException
        from moto.iam.models import iam_backends

        if not arn.startswith(f"arn:aws:iam::{ACCOUNT}:role/"):
            return False
        try:
            role = iam_backends[ACCOUNT]["aws"].get_role(arn.rpartition("/")[2])
        except ServiceException:
            return False
        document = role.assume_role_policy_document
        parsed = json.loads(document) if isinstance(document, str) else document
        return any(
            "lambda.amazonaws.com" in json.dumps(statement.get("Principal", {}))
            for statement in (parsed or {}).get("Statement", [])
            if statement.get("Effect") == "Allow"
        )

    @staticmethod
    def caller(access_key: str, region: str) -> Caller:
        """Whose an access key is, as the embedded STS tells it (GetCallerIdentity)."""
        from moto.sts.models import sts_backends

        user_id, arn, account = sts_backends[ACCOUNT]["aws"].get_caller_identity(access_key, region)
        return Caller(access_key=access_key, account=account, arn=arn, user_id=user_id)


def _refuse(service: str, environ: WSGIEnvironment, start: StartResponse, message: str) -> Iterable[bytes]:
    """A 501 in the form that the service's clients read."""
    if service in _JSON_SERVICES or "HTTP_X_AMZ_TARGET" in environ:
        body = json.dumps({"__type": "NotImplemented", "message": message}).encode()
        kind = "application/x-amz-json-1.1"
    else:
        text = message.replace("&", "&amp;").replace("<", "&lt;")
        inner = f"<Error><Code>NotImplemented</Code><Message>{text}</Message></Error>"
        body = (inner if service == "s3" else f"<ErrorResponse>{inner}</ErrorResponse>").encode()
        kind = "text/xml"
    # after an exception moto may have begun an answer of its own: exc_info says that this one replaces it
    replacing: Callable[..., object] = start
    replacing(
        "501 Not Implemented",
        [("Content-Type", kind), ("Content-Length", str(len(body)))],
        sys.exc_info() if sys.exc_info()[0] else None,
    )
    return [body]
