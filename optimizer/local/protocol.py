"""Lambda's REST protocol from botocore's own service model: requests in, answers out, both validated."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from optimizer.local.constraints import AnswerValidator, violations

if TYPE_CHECKING:
    from collections.abc import Mapping


class ServiceError(Exception):
    """An error as the service answers it: `code` is the exception's name in the API model, `status` HTTP's."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def answer(self) -> Answer:
        """The error as HTTP has it."""
        body = {"Type": "User" if self.status < 500 else "Server", "message": self.message, "Message": self.message}  # noqa: PLR2004
        return Answer(
            status=self.status,
            headers={"Content-Type": "application/json", "x-amzn-ErrorType": self.code, **self.headers},
            body=json.dumps(body).encode(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One parsed request: the operation's name, its parameters, the region of its signature."""

    operation: str
    parameters: dict[str, Any]
    region: str


@dataclass(frozen=True)
class _Route:
    operation: str
    method: str
    path: re.Pattern[str]
    query: dict[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """A request's parts by where the model finds parameters."""

    uri: Mapping[str, str]
    querystring: Mapping[str, list[str]]
    header: Mapping[str, str]
    body: bytes


class Protocol:
    """Routes and translates by the service's model."""

    @cached_property
    def model(self) -> ServiceModel:
        """Lambda's model, as this botocore has it."""
        return ServiceModel(Loader().load_service_model("lambda", "service-2"), "lambda")

    @cached_property
    def _routes(self) -> list[_Route]:
        routes = []
        for name in self.model.operation_names:
            http = self.model.operation_model(name).http
            uri = urlsplit(http["requestUri"])
            pattern = re.sub(r"\\\{(\w+)(\\\+)?\\\}", r"(?P<\1>[^/]+)", re.escape(uri.path))
            routes.append(_Route(name, http["method"], re.compile(f"{pattern}/?"), parse_qs(uri.query)))
        return sorted(routes, key=lambda r: (-len(r.query), r.operation))

    def parse(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, list[str]],
        headers: Mapping[str, str],
        body: bytes,
        region: str,
    ) -> Call:
        """The request as an operation with its parameters.

        Args:
            method: HTTP's.
            path: as it stood in the request line, still percent-encoded.
            query: by name, decoded.
            headers: by lower-case name.
            body: the whole.
            region: of the signature.

        Raises:
            ServiceError: there is no such operation, or the parameters do not fit the model.
        """
        for route in self._routes:
            match = route.path.fullmatch(path)
            if match and route.method == method and all(query.get(k) == v for k, v in route.query.items()):
                operation = self.model.operation_model(route.operation)
                given = _Given(
                    uri={name: unquote(value) for name, value in match.groupdict().items()},
                    querystring=query,
                    header=headers,
                    body=body,
                )
                parameters = _parameters(operation, given)
                return Call(operation=route.operation, parameters=parameters, region=region)
        raise ServiceError(404, "UnknownOperationException", f"{method} {path} is no operation of Lambda")

    def answer(self, operation: str, result: Mapping[str, Any]) -> Answer:
        """The result as HTTP has it.

        Raises:
            ValueError: the result is not what the model promises; a fault of this stand-in.
        """
        model = self.model.operation_model(operation)
        shape = model.output_shape
        status = int(model.http.get("responseCode", 200))
        if shape is None:
            return Answer(status=status)
        report = AnswerValidator().validate(result, shape)
        if report.has_errors():
            raise ValueError(f"{operation} answers what its model does not have: {report.generate_report()}")
        payload = shape.serialization.get("payload")
        headers: dict[str, str] = {}
        document: dict[str, Any] = {}
        body = b""
        for name, value in result.items():
            member = shape.members[name]
            place = member.serialization.get("location")
            if name == payload:
                body = value
            elif place == "header":
                headers[member.serialization.get("name", name)] = str(value)
            elif place == "statusCode":
                status = value
            else:
                document[member.serialization.get("name", name)] = value
        if payload is None and status != 204:  # noqa: PLR2004
            body = json.dumps(document).encode()
        headers["Content-Type"] = "application/json"
        return Answer(status=status, headers=headers, body=body)


def _parameters(operation: OperationModel, given: _Given) -> dict[str, Any]:
    """The operation's parameters, as botocore's clients know them.

    Raises:
        ServiceError: they do not fit the model.
    """
    shape = operation.input_shape
    if shape is None:
        return {}
    payload = shape.serialization.get("payload")
    document = _document(given.body) if payload is None and given.body else {}
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        place = member.serialization.get("location")
        wire = member.serialization.get("name", name)
        if name == payload:
            value: Any = given.body
        elif place == "header":
            value = given.header.get(wire.lower())
        elif place == "querystring":
            values = given.querystring.get(wire)
            value = values if values is None or member.type_name == "list" else values[0]
        else:
            value = (given.uri if place == "uri" else document).get(wire)
        if value is not None:
            found[name] = _python(member, value)
    report = ParamValidator().validate(found, shape)
    fault = report.generate_report() if report.has_errors() else violations(found, shape)
    if fault:
        raise ServiceError(400, "ValidationException", fault)
    return found


def _document(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise ServiceError(400, "SerializationException", "The request's body is no JSON object")
    return parsed


def _python(shape: Shape, value: Any) -> Any:
    """A wire value as the type that botocore's clients would have given."""
    kind = shape.type_name
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {
            name: _python(member, value[member.serialization.get("name", name)])
            for name, member in shape.members.items()
            if value.get(member.serialization.get("name", name)) is not None
        }
    if kind == "list" and isinstance(value, list):
        return [_python(shape.member, item) for item in value]
    if kind == "blob" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except ValueError:
            raise ServiceError(400, "SerializationException", "a blob is not base64") from None
    if kind in {"integer", "long"} and isinstance(value, str):
        return int(value) if value.lstrip("-").isdigit() else value
    if kind == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    return value
