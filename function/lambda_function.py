"""Entry point on AWS Lambda: answers API Gateway (REST and HTTP), function URLs and load balancers; takes events."""

import logging as levels
from typing import Any

from app.core.startup import unbuilt, uncollected

with uncollected(), unbuilt():
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
        event: A request as API Gateway, a function URL or a load balancer hands it over; else what
            `app.services.events` takes of S3, SQS, SNS and EventBridge.
        context: Lambda's context object.

    Raises:
        ValueError: The event has no format that is known here; the message lists them.
        EventFailedError: As `events.handle`: Lambda is to try the event again.
    """
    # Before the adapter, which guesses by shape and knows nothing of queues.
    if not isinstance(event, dict) or not isinstance(event.get("requestContext"), dict):
        from app.services import events  # a cold start for a request doesn't need it

        return events.handle(event, context, clients=app.state.clients, settings=app.state.settings)
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
