"""The application: routers, errors and middleware put together."""

import os

from fastapi import FastAPI

from app import API_PREFIX, DESCRIPTION, SERVICE, VERSION
from app.core import errors, logging
from app.core.clients import Clients
from app.core.openapi import Api
from app.core.requests import RequestMiddleware, ShieldMiddleware
from app.core.settings import Settings
from app.routers import analyses, analyze, docs, service, upload


def create_app(settings: Settings, clients: Clients | None = None) -> FastAPI:
    """Build the API.

    Args:
        settings: What the operator decided.
        clients: AWS; its own unless given.
    """
    logging.configure(settings.log_level)
    app = Api(
        title=SERVICE,
        version=VERSION,
        description=DESCRIPTION,
        openapi_url=None,
        # A redirect would have to know the public address, which a function behind a gateway doesn't.
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        # Spans and metrics have nowhere to go here; loading them costs start-up time.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    app.state.clients = clients or Clients(settings)
    errors.install(app)
    app.add_middleware(ShieldMiddleware, settings=settings)
    if settings.cors_origins:
        from app.core.cors import Cors  # an API that no browser calls needn't load it

        app.add_middleware(Cors, origins=settings.cors_origins)
    app.add_middleware(RequestMiddleware, base_path=settings.base_path, measured=settings.metrics)
    app.include_router(service.router)
    for router in (analyze.router, upload.router, analyses.router, docs.router):
        app.include_router(router, prefix=API_PREFIX)
    return app


app = create_app(Settings.from_environment(os.environ))
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from app.core import snapshot

    snapshot.install(app)
