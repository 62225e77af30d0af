"""What makes a cold start short. It comes before the framework, so it imports nothing slow at the top.

Seconds are those saved of 0.6, from the start of the process to the first answer of `/api/v1/health`, on the machine of
benchmarks/RESULTS.md.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

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


@contextmanager
def unbuilt() -> Iterator[None]:
    """Have pydantic build the models that are defined meanwhile with the first use of each (0.03 s).

    FastAPI defines those of an OpenAPI document wherever it is imported, and builds three of them by name (0.01 s of
    it); a function answers many requests before anybody asks for the document. Of the service's own, a request needs
    those of one route. Where nobody waits for the start, with SnapStart and provisioned concurrency, all are built.
    """
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") != "on-demand":
        yield
        return
    from pydantic import BaseModel

    rebuild = BaseModel.__dict__["model_rebuild"]

    def later(model: type[BaseModel], /, **how: Any) -> bool | None:
        # pydantic's own calls say how; those without a word are FastAPI's, below its definitions
        return rebuild.__get__(None, model)(**how) if how else None

    BaseModel.model_config["defer_build"] = True
    BaseModel.model_rebuild = classmethod(later)  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        BaseModel.model_rebuild = rebuild  # type: ignore[method-assign]
        del BaseModel.model_config["defer_build"]
