"""Entry point on AWS Lambda: answers API Gateway (REST and HTTP), function URLs and load balancers."""

import logging as levels
from typing import Any

from app.core.startup import import_fastapi, uncollected

with uncollected():
    import_fastapi()
    from mangum import Mangum

    from app.core import errors, logging
    from app.main import app

_adapter = Mangum(
    app,
    # There is nothing to start or stop: clients are made when first used.
    lifespan="off",
    # Mangum encodes what it doesn't know as text in base64.
    text_mime_types=["text/", "application/json", errors.MEDIA_TYPE],
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one event.

    Args:
        event: A request as API Gateway, a function URL or a load balancer hands it over.
        context: Lambda's context object.

    Raises:
        ValueError: The event is no HTTP request.
    """
    if not isinstance(event, dict) or not isinstance(event.get("requestContext"), dict):
        raise ValueError(  # noqa: TRY004  # the event's content is wrong, not a caller's type
            "The event is no HTTP request: it has no requestContext. Call this function through API Gateway, "
            "a function URL or a load balancer, or send an event in one of their formats."
        )
    if event.get("headers") is None:  # API Gateway's test console sends null
        event = {**event, "headers": {}}
    try:
        return _adapter(event, context)
    except Exception as error:  # noqa: BLE001  # the adapter, not the app: an event only half in its format
        logging.log(levels.ERROR, "unreadable_event", **logging.describe(error))
        problem = errors.render(
            errors.ProblemError(status=400, code="unreadable_event", detail="The event isn't in its source's format.")
        )
        return {
            "statusCode": problem.status_code,
            "headers": dict(problem.headers),
            "body": bytes(problem.body).decode(),
            "isBase64Encoded": False,
        }
