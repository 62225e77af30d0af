"""`/api/v1/analyses`: results that were kept."""

import asyncio
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response

from app import API_PREFIX
from app.core.caching import NOT_MODIFIED, conditional
from app.core.clients import ClientsDep, SettingsDep
from app.core.errors import ProblemError
from app.core.openapi import problems
from app.schemas.analyze import AnalysesQuery, AnalysisId, AnalysisList, AnalyzeResponse

router = APIRouter(prefix="/analyses", tags=["storage"])


@router.get("", summary="Kept results", responses=problems(422, 501, 502, 503, 504))
async def list_analyses(
    query: Annotated[AnalysesQuery, Query()],
    request: Request,
    response: Response,
    clients: ClientsDep,
    settings: SettingsDep,
) -> AnalysisList:
    """Page through what is kept, in the order of ids; the header `link` leads to the next page."""
    from app.services import uploads

    store = uploads.open_store(clients, settings)
    page = await asyncio.to_thread(store.page, limit=query.limit, cursor=query.cursor, sha256=query.sha256)
    if page.next_cursor:
        following = query.model_copy(update={"cursor": page.next_cursor}).model_dump(exclude_none=True)
        prefix = request.scope.get("root_path", "")
        response.headers["link"] = f'<{prefix}{API_PREFIX}/analyses?{urlencode(following)}>; rel="next"'
    return page


@router.get(
    "/{analysis_id}",
    summary="A kept result",
    response_model=AnalyzeResponse,
    responses={**problems(404, 422, 501, 502, 503, 504), **NOT_MODIFIED},
)
async def get_analysis(
    analysis_id: Annotated[AnalysisId, Path()], request: Request, clients: ClientsDep, settings: SettingsDep
) -> Response:
    """What `POST /api/v1/analyze` answered when it gave this id."""
    from app.services import uploads

    store = uploads.open_store(clients, settings)
    kept = await asyncio.to_thread(store.find, analysis_id)
    if kept is None:
        raise ProblemError(status=404, code="analysis_not_found", detail="No result is kept under this id.")
    # A result that the same picture and question have once is theirs for long; it may be made anew all the same.
    return conditional(request, kept, max_age=3600, private=True)
