"""Tasks side by side: each ends in a result or a problem of its own, and all of them in time."""

import logging as levels
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

from app.core import logging
from app.core.errors import ProblemError, internal_error

Key = TypeVar("Key", bound=str | int)
Value = TypeVar("Value")


def side_by_side(
    tasks: Mapping[Key, Callable[[], Value]], *, name: str, workers: int, ends: float
) -> dict[Key, Value | ProblemError]:
    """Do all tasks; a failure of one doesn't touch the others.

    Args:
        tasks: What to do, by key.
        name: What a task is, in the log: `part`, `picture`.
        workers: Most threads.
        ends: When the answer must be there, on the monotonic clock. A task that is not done by then is answered
            with a problem; its thread ends by itself, since what it waits for has timeouts.

    Returns:
        Result or problem by key, in the order of `tasks`.
    """
    if len(tasks) == 1:
        return {key: attempt(name, key, task) for key, task in tasks.items()}
    pool = ThreadPoolExecutor(max_workers=min(workers, len(tasks)), thread_name_prefix=name)
    try:
        futures = {key: pool.submit(copy_context().run, attempt, name, key, task) for key, task in tasks.items()}
        wait(futures.values(), timeout=max(ends - time.monotonic(), 0))
        return {key: future.result() if future.done() else _late(name, key) for key, future in futures.items()}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def attempt(name: str, key: str | int, task: Callable[[], Value]) -> Value | ProblemError:
    """A task's result, or the problem that it ended in; a fault of ours is logged and becomes an internal error."""
    try:
        return task()
    except ProblemError as problem:
        cause = logging.describe(problem.__cause__) if problem.__cause__ else {}
        fields = {name: key, "code": problem.code, "status": problem.status, **cause}
        logging.log(levels.WARNING, f"{name}_failed", **fields)
        return problem
    except Exception as error:  # noqa: BLE001  # it leaves the others whole
        logging.log(levels.ERROR, f"{name}_broke", **{name: key, **logging.describe(error)})
        return internal_error()


def _late(name: str, key: str | int) -> ProblemError:
    logging.log(levels.WARNING, f"{name}_late", **{name: key})
    return ProblemError(
        status=504,
        code="not_in_time",
        detail="It wasn't done within the time that a request has. Ask for less at once, or try again.",
        headers={"retry-after": "1"},
    )
