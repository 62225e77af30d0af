"""Pictures on their way into the store."""

from app.core.clients import Clients
from app.core.errors import ProblemError
from app.core.settings import Settings
from app.schemas.upload import PresignedRequest, PresignedResponse, UploadResponse
from app.services import picture, sources
from app.services.store import Store


def keep(source: str | bytes, *, clients: Clients, settings: Settings) -> UploadResponse:
    """Keep a picture.

    Args:
        source: A file, or its base64.
        clients: AWS.
        settings: Limits, and where to.

    Raises:
        ProblemError: There is no store, the picture is no good, or S3 doesn't take it.
    """
    store = open_store(clients, settings)
    data = picture.decode_base64(source, settings) if isinstance(source, str) else source
    loaded = sources.load(data, clients=clients, settings=settings)
    link = store.upload(loaded)
    return UploadResponse(
        success=True,
        sha256=loaded.sha256,
        bucket=store.bucket,
        key=link.key,
        url=link.url,
        expires_at=link.expires_at,
        image=loaded.info,
    )


def invite(asked: PresignedRequest, *, clients: Clients, settings: Settings) -> PresignedResponse:
    """A form for sending a picture to S3.

    Args:
        asked: What will be sent.
        clients: AWS; it is not called.
        settings: Limits, and where to.

    Raises:
        ProblemError: There is no store, the picture is too large, or there is nothing to sign with.
    """
    store = open_store(clients, settings)
    if asked.bytes > settings.max_object_bytes:
        raise picture.too_large(settings.max_object_bytes)
    link = store.invite(asked.media_type, asked.bytes)
    return PresignedResponse(
        success=True,
        method="POST",
        url=link.url,
        fields=dict(link.fields),
        bucket=store.bucket,
        key=link.key,
        expires_at=link.expires_at,
    )


def open_store(clients: Clients, settings: Settings) -> Store:
    """The store.

    Raises:
        ProblemError: 501, where this service keeps nothing.
    """
    if not settings.store_bucket:
        raise ProblemError(
            status=501,
            code="store_unconfigured",
            detail="This service keeps nothing: whoever runs it has to set ANALYZER_STORE_BUCKET.",
        )
    return Store(clients, settings)
