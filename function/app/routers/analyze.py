"""`/api/v1/analyze`: one picture, or several."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

from fastapi import APIRouter, Request

from app.core import bodies
from app.core.clients import ClientsDep, SettingsDep
from app.core.openapi import problems
from app.schemas.analyze import AnalyzeForm, AnalyzeRequest, AnalyzeResponse, BatchRequest, BatchResponse

router = APIRouter(tags=["analysis"])


@router.post(
    "/analyze",
    summary="Analyse a picture",
    openapi_extra=bodies.described(AnalyzeRequest, form=AnalyzeForm),
    responses=problems(400, 403, 404, 413, 415, 422, 502, 503, 504),
)
async def analyze(request: Request, clients: ClientsDep, settings: SettingsDep) -> AnalyzeResponse:
    """Find labels, text, faces, unsafe content or dominant colours, or all of them.

    The picture comes in base64, as a file of a form, or lies in S3; a URL is not fetched. `comprehensive` runs all
    parts side by side and shows parts that failed in `errors`; where the one thing asked for failed, the answer is a
    problem. Colours of a picture that the request brings need no AWS service.
    """
    # The service is imported with the first picture: compiling it takes 0.01 s of a cold start.
    work: Callable[..., AnalyzeResponse]
    if bodies.kind(request, bodies.JSON, bodies.FORM) == bodies.JSON:
        asked = await bodies.read_json(request, AnalyzeRequest)
        from app.services import analysis

        work = partial(analysis.analyze, asked)
    else:
        options, data = await bodies.read_form(request, AnalyzeForm)
        from app.services import analysis

        work = partial(analysis.find, data, options)
    ends = time.monotonic() + settings.request_seconds
    return await asyncio.to_thread(work, clients=clients, settings=settings, ends=ends)  # as in service.py


@router.post(
    "/analyze/batch",
    summary="Analyse several pictures",
    openapi_extra=bodies.described(BatchRequest),
    responses=problems(400, 413, 415, 422),
)
async def analyze_batch(request: Request, clients: ClientsDep, settings: SettingsDep) -> BatchResponse:
    """As `analyze` for each picture, side by side; a picture that fails has a problem in its place."""
    bodies.kind(request, bodies.JSON)
    asked = await bodies.read_json(request, BatchRequest)
    from app.services import batch

    return await asyncio.to_thread(batch.analyze, asked, clients=clients, settings=settings)
