"""Several pictures in one request, each with its own result or error."""

import time
from collections.abc import Callable
from functools import partial

from app.core import errors, logging
from app.core.clients import Clients
from app.core.errors import Problem, ProblemError
from app.core.settings import Settings
from app.schemas.analyze import AnalyzeResponse, BatchRequest, BatchResponse, BatchResult
from app.services import analysis
from app.services.tasks import side_by_side

# Pictures under way at once: most of the time is waiting for AWS, and each has up to five parts.
_WORKERS = 4


def analyze(request: BatchRequest, *, clients: Clients, settings: Settings) -> BatchResponse:
    """Analyse each picture.

    Args:
        request: The pictures, each with what to find in it.
        clients: AWS.
        settings: Limits; `request_seconds` are for all pictures together.

    Returns:
        What became of each, in their order; never raises for what is wrong with one of them.
    """
    ends = time.monotonic() + settings.request_seconds
    tasks: dict[int, Callable[[], AnalyzeResponse]] = {
        index: partial(analysis.analyze, asked, clients=clients, settings=settings, ends=ends)
        for index, asked in enumerate(request.images)
    }
    outcomes = side_by_side(tasks, name="picture", workers=_WORKERS, ends=ends)
    results = [_result(index, outcome) for index, outcome in outcomes.items()]
    succeeded = sum(result.error is None for result in results)
    return BatchResponse(
        success=succeeded == len(results),
        request_id=logging.request_id.get(),
        succeeded=succeeded,
        failed=len(results) - succeeded,
        results=results,
    )


def _result(index: int, outcome: AnalyzeResponse | ProblemError) -> BatchResult:
    if isinstance(outcome, ProblemError):
        return BatchResult(
            index=index, status=outcome.status, analysis=None, error=Problem.model_validate(errors.body(outcome))
        )
    return BatchResult(index=index, status=200, analysis=outcome, error=None)
