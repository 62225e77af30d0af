"""One analysis: where the picture comes from, which parts are asked for, and what became of each."""

import logging as levels
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, get_args

from app.core import logging
from app.core.clients import Clients
from app.core.errors import ProblemError, internal_error
from app.core.settings import Settings
from app.schemas.analyze import AnalyzeRequest, AnalyzeResponse, Color, ImageInfo, Part, PartError
from app.services import colors, picture, rekognition, storage

_PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Colors:
    """The colours, with what was learned of the picture on the way."""

    info: ImageInfo
    colors: list[Color]


_Result = rekognition.Found | _Colors


def analyze(request: AnalyzeRequest, *, clients: Clients, settings: Settings) -> AnalyzeResponse:
    """Analyse a picture.

    Args:
        request: What is asked.
        clients: AWS; only the services that the request needs are touched.
        settings: Limits.

    Raises:
        ProblemError: The picture is no good, or nothing that was asked for succeeded.
    """
    parts = _PARTS if request.analysis_type == "comprehensive" else (request.analysis_type,)
    info, work = _plan(request, parts, clients=clients, settings=settings)
    results, errors = _run(work)
    if not results:
        raise _overall(errors)
    fields: dict[str, Any] = {str(part): result for part, result in results.items()}
    found = results.get("colors")
    if isinstance(found, _Colors):
        info, fields["colors"] = found.info, found.colors
    return AnalyzeResponse(
        success=True,
        analysis_type=request.analysis_type,
        request_id=logging.request_id.get(),
        partial=bool(errors),
        image=info,
        errors=[
            PartError(part=part, status=error.status, code=error.code, detail=error.detail)
            for part, error in errors.items()
        ],
        **fields,
    )


def _plan(
    request: AnalyzeRequest, parts: tuple[Part, ...], *, clients: Clients, settings: Settings
) -> tuple[ImageInfo | None, dict[Part, Callable[[], _Result]]]:
    """What is known before the work, and the work of each part."""
    info: ImageInfo | None = None
    if request.image is not None:
        data = picture.decode_base64(request.image, settings)
        info = picture.inspect(data, settings)
        read = _constant(data)
    else:
        bucket, key = str(request.bucket), str(request.key)
        storage.check_bucket(bucket, settings)

        def read() -> bytes:
            return storage.read(clients.s3, bucket, key, settings)

    def color() -> _Colors:
        content = read()
        known = info or picture.inspect(content, settings)
        return _Colors(info=known, colors=colors.dominant(picture.sample(content, settings)))

    work: dict[Part, Callable[[], _Result]] = {}
    if any(part != "colors" for part in parts):
        # An object is read by Rekognition itself, which takes larger ones that way.
        image: Mapping[str, Any] = (
            {"S3Object": {"Bucket": request.bucket, "Name": request.key}}
            if info is None
            else {"Bytes": picture.for_rekognition(data, info, settings)}
        )
        for part in parts:
            if part != "colors":
                work[part] = _detection(part, image, request, clients)
    if "colors" in parts:
        work["colors"] = color
    return info, work


def _constant(data: bytes) -> Callable[[], bytes]:
    return lambda: data


def _detection(
    part: Part, image: Mapping[str, Any], request: AnalyzeRequest, clients: Clients
) -> Callable[[], _Result]:
    return lambda: rekognition.DETECTORS[part](clients.rekognition, image, request.min_confidence, request.max_labels)


def _run(work: Mapping[Part, Callable[[], _Result]]) -> tuple[dict[Part, _Result], dict[Part, ProblemError]]:
    """Do all parts side by side; a part's failure doesn't touch the others."""
    outcomes: dict[Part, _Result | ProblemError]
    if len(work) == 1:
        outcomes = {part: _attempt(part, task) for part, task in work.items()}
    else:
        with ThreadPoolExecutor(max_workers=len(work), thread_name_prefix="part") as pool:
            futures = {part: pool.submit(copy_context().run, _attempt, part, task) for part, task in work.items()}
            outcomes = {part: future.result() for part, future in futures.items()}
    results: dict[Part, _Result] = {}
    errors: dict[Part, ProblemError] = {}
    for part, outcome in outcomes.items():
        if isinstance(outcome, ProblemError):
            errors[part] = outcome
        else:
            results[part] = outcome
    return results, errors


def _attempt(part: Part, task: Callable[[], _Result]) -> _Result | ProblemError:
    try:
        return task()
    except ProblemError as problem:
        cause = logging.describe(problem.__cause__) if problem.__cause__ else {}
        logging.log(levels.WARNING, "part_failed", part=part, code=problem.code, status=problem.status, **cause)
        return problem
    except Exception as error:  # noqa: BLE001  # a fault of ours in one part leaves the others whole
        logging.log(levels.ERROR, "part_broke", part=part, **logging.describe(error))
        return internal_error()


def _overall(errors: Mapping[Part, ProblemError]) -> ProblemError:
    """The answer where nothing succeeded: the one failure, or the one that all parts share, or a summary."""
    problems = list(errors.values())
    if len({problem.code for problem in problems}) == 1:
        return problems[0]
    summary = ", ".join(f"{part}: {problem.code}" for part, problem in errors.items())
    return ProblemError(status=502, code="all_parts_failed", detail=f"No part of the analysis succeeded ({summary}).")
