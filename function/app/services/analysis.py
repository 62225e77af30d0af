"""One analysis: what is known already, which parts are asked for, and what became of each."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from app.core import logging
from app.core.clients import Clients
from app.core.errors import ProblemError
from app.core.settings import Settings
from app.schemas.analyze import AnalyzeRequest, AnalyzeResponse, Color, Options, Part, PartError
from app.services import colors, picture, rekognition, sources
from app.services.sources import Picture, Source
from app.services.store import Store, identify
from app.services.tasks import attempt, side_by_side

_PARTS: tuple[Part, ...] = get_args(Part)
_Result = rekognition.Found | list[Color]


def analyze(
    request: AnalyzeRequest, *, clients: Clients, settings: Settings, ends: float | None = None
) -> AnalyzeResponse:
    """Analyse the picture that a request names.

    Args:
        request: What is asked.
        clients: AWS; only the services that the request needs are touched.
        settings: Limits.
        ends: When it must be done, on the monotonic clock; `request_seconds` from now unless given.

    Raises:
        ProblemError: The picture is no good, or nothing that was asked for succeeded.
    """
    if ends is None:
        ends = time.monotonic() + settings.request_seconds
    return find(sources.of(request, settings), request, clients=clients, settings=settings, ends=ends)


def find(source: Source, options: Options, *, clients: Clients, settings: Settings, ends: float) -> AnalyzeResponse:
    """Find what is asked for in a picture, or look up what was found before.

    Args:
        source: The picture, or where it lies.
        options: What is asked.
        clients: AWS; only the services that are needed are touched.
        settings: Limits.
        ends: When it must be done, on the monotonic clock.

    Raises:
        ProblemError: The picture is no good, or nothing that was asked for succeeded.
    """
    loaded = sources.load(source, clients=clients, settings=settings)
    if not (settings.store_bucket and options.keep):
        return _found(loaded, options, clients=clients, settings=settings, ends=ends)
    store, identifier = Store(clients, settings), identify(loaded, options)
    known = attempt("storage", "find", lambda: store.find(identifier))
    if isinstance(known, AnalyzeResponse):
        return known.model_copy(update={"request_id": logging.request_id.get()})
    response = _found(loaded, options, clients=clients, settings=settings, ends=ends)
    if response.partial:  # what failed may succeed the next time
        return response
    kept = response.model_copy(update={"id": identifier})
    # A store that couldn't be asked is not asked again: the caller has waited for it once.
    unkept = known or attempt("storage", "keep", lambda: store.keep(kept))
    if unkept is None:
        return kept
    return response.model_copy(update={"partial": True, "errors": [_part_error("storage", unkept)]})


def _found(loaded: Picture, options: Options, *, clients: Clients, settings: Settings, ends: float) -> AnalyzeResponse:
    parts = _PARTS if options.analysis_type == "comprehensive" else (options.analysis_type,)
    work = _work(parts, loaded, options, clients=clients, settings=settings)
    outcomes = side_by_side(work, name="part", workers=len(work), ends=ends)
    errors = {part: outcome for part, outcome in outcomes.items() if isinstance(outcome, ProblemError)}
    if len(errors) == len(outcomes):
        raise _overall(errors)
    found: dict[str, Any] = {part: outcome for part, outcome in outcomes.items() if part not in errors}
    return AnalyzeResponse(
        success=True,
        analysis_type=options.analysis_type,
        request_id=logging.request_id.get(),
        id=None,
        cached=False,
        analyzed_at=datetime.now(UTC).replace(microsecond=0),
        partial=bool(errors),
        image=loaded.info,
        errors=[_part_error(part, error) for part, error in errors.items()],
        **found,
    )


def _work(
    parts: tuple[Part, ...], loaded: Picture, options: Options, *, clients: Clients, settings: Settings
) -> dict[Part, Callable[[], _Result]]:
    """What is to be done for each part."""
    work: dict[Part, Callable[[], _Result]] = {}
    if any(part != "colors" for part in parts):
        # An object is read by Rekognition itself, which takes larger ones that way.
        image: Mapping[str, Any] = (
            {"S3Object": loaded.s3_object}
            if loaded.s3_object
            else {"Bytes": picture.for_rekognition(loaded.data, loaded.info, settings)}
        )
        for part in parts:
            if part != "colors":
                work[part] = _detection(part, image, options, clients)
    if "colors" in parts:
        work["colors"] = lambda: colors.dominant(picture.sample(loaded.data, settings))
    return work


def _detection(part: Part, image: Mapping[str, Any], options: Options, clients: Clients) -> Callable[[], _Result]:
    def detect() -> _Result:
        client = clients.rekognition  # made here, if no part was first
        try:
            return rekognition.DETECTORS[part](client, image, options.min_confidence, options.max_labels)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            # botocore checks no answer: a proxy's page is one without labels.
            raise ProblemError(
                status=502, code="rekognition_failed", detail="Rekognition's answer isn't in its format."
            ) from error

    return detect


def _part_error(part: Part | Literal["storage"], error: ProblemError) -> PartError:
    return PartError(part=part, status=error.status, code=error.code, detail=error.detail)


def _overall(errors: Mapping[Part, ProblemError]) -> ProblemError:
    """The answer where nothing succeeded: the one failure, or the one that all parts share, or a summary.

    Where each part says that the picture is at fault, so does the summary: to ask again would not help.
    """
    problems = list(errors.values())
    if len({problem.code for problem in problems}) == 1:
        return problems[0]
    summary = ", ".join(f"{part}: {problem.code}" for part, problem in errors.items())
    advice = next((problem.headers for problem in problems if problem.headers), {})
    return ProblemError(
        status=422 if all(problem.status < 500 for problem in problems) else 502,  # noqa: PLR2004  # HTTP's
        code="all_parts_failed",
        detail=f"No part of the analysis succeeded ({summary}).",
        headers=advice,
    )
