"""What makes a cold start short. It comes before the framework, so it imports nothing slow at the top.

Seconds are those saved of 0.6, from the start of the process to the first answer of `/api/v1/health`, on the machine of
benchmarks/RESULTS.md.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_loading = RLock()


@contextmanager
def uncollected() -> Iterator[None]:
    """Load without garbage collection, and keep what was loaded out of all later collections.

    Modules, classes and service models live as long as the process: none of them is garbage, yet while they are made
    Python's collector walks all that exist, again and again (0.1 s). Afterwards they are frozen (`gc.freeze`), so that
    no collection during a request walks them either.
    """
    with _loading:  # one at a time: else the first to end would switch the collector on for the others
        enabled = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if enabled:
                gc.freeze()
                gc.enable()


def import_fastapi() -> None:
    """Import FastAPI, but have pydantic build its models of an OpenAPI document only with the first one (0.03 s).

    FastAPI defines them wherever it is imported, and a function answers many requests before anybody asks for the
    document. Models of this service are not deferred: their routes need them, which saves nothing.
    """
    from pydantic import BaseModel

    BaseModel.model_config["defer_build"] = True
    try:
        import fastapi.openapi.models  # noqa: F401  # all that FastAPI defines beside its errors
    finally:
        del BaseModel.model_config["defer_build"]
