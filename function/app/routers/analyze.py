"""`/api/v1/analyze`."""

import asyncio

from fastapi import APIRouter, Depends

from app.core.dependencies import ClientsDep, SettingsDep, require_json
from app.core.openapi import problems
from app.schemas.analyze import AnalyzeRequest, AnalyzeResponse

router = APIRouter(tags=["analysis"])


@router.post(
    "/analyze",
    summary="Analyse a picture",
    dependencies=[Depends(require_json)],
    responses=problems(400, 403, 404, 413, 415, 422, 502, 503, 504),
)
async def analyze(request: AnalyzeRequest, clients: ClientsDep, settings: SettingsDep) -> AnalyzeResponse:
    """Find labels, text, faces, unsafe content or dominant colours, or all of them.

    `comprehensive` runs all parts side by side and shows parts that failed in `errors`; where the one thing asked
    for failed, the answer is a problem. Colours of an inline picture need no AWS service.
    """
    from app.services import analysis  # with the first picture: compiling it takes 0.01 s of a cold start

    return await asyncio.to_thread(analysis.analyze, request, clients=clients, settings=settings)  # as in health.py
