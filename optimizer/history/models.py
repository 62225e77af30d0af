"""[pure] When each service model of botocore really changed, by what its releases of one week after the other hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.history.snapshot import Release

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What one release has of a service: a digest of the content, and its compressed bytes; "" where it has none."""

    digest: str
    wheel_bytes: int


def newest_of_each_week(releases: Iterable[Release]) -> tuple[Release, ...]:
    """The last release of each week from Monday to Sunday, oldest first.

    The weeks are the calendar's, whatever the snapshot's days, so that the next update looks at the same releases.
    """
    newest = {release.day.isocalendar()[:2]: release for release in sorted(releases, key=lambda r: r.day)}
    return tuple(newest[week] for week in sorted(newest))


def model_changes(weeks: Iterable[tuple[Release, Model]]) -> tuple[Release, ...]:
    """The releases whose model has other content than the one before; the first has nothing to compare with.

    Args:
        weeks: releases of botocore with the model that they have, oldest first; weeks without any are no change.
    """
    changes = []
    before: Model | None = None
    for release, model in weeks:
        if before is not None and model.digest != before.digest:
            changes.append(Release(release.day, release.version, model.wheel_bytes))
        before = model
    return tuple(changes)
