"""`/api/v1/upload`: pictures that are to stay."""

import asyncio

from fastapi import APIRouter, Request

from app.core import bodies
from app.core.clients import ClientsDep, SettingsDep
from app.core.openapi import problems
from app.schemas.upload import PresignedRequest, PresignedResponse, UploadForm, UploadRequest, UploadResponse

router = APIRouter(tags=["storage"])


@router.post(
    "/upload",
    summary="Keep a picture",
    status_code=201,
    openapi_extra=bodies.described(UploadRequest, form=UploadForm),
    responses=problems(400, 413, 415, 422, 501, 502, 503, 504),
)
async def upload(request: Request, clients: ClientsDep, settings: SettingsDep) -> UploadResponse:
    """Store a picture in S3 without its location, under its content's hash: the same picture is there once."""
    if bodies.kind(request, bodies.JSON, bodies.FORM) == bodies.JSON:
        source: str | bytes = (await bodies.read_json(request, UploadRequest)).image
    else:
        _, source = await bodies.read_form(request, UploadForm)
    from app.services import uploads

    return await asyncio.to_thread(uploads.keep, source, clients=clients, settings=settings)


@router.post(
    "/upload/presigned",
    summary="Send a picture to S3 by yourself",
    status_code=201,
    openapi_extra=bodies.described(PresignedRequest),
    responses=problems(400, 413, 415, 422, 501, 502),
)
async def upload_presigned(request: Request, clients: ClientsDep, settings: SettingsDep) -> PresignedResponse:
    """For pictures of over 4 MB: a form, good for one picture of just that type and size."""
    bodies.kind(request, bodies.JSON)
    asked = await bodies.read_json(request, PresignedRequest)
    from app.services import uploads

    return await asyncio.to_thread(uploads.invite, asked, clients=clients, settings=settings)
