"""Which regions this botocore knows: newer ones may exist, so that an unknown one is tried all the same."""

from __future__ import annotations

import difflib


def known_regions() -> tuple[str, ...]:
    """The regions of every partition in which there is Lambda."""
    import botocore.session

    session = botocore.session.Session()
    return tuple(
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("lambda", partition)
    )


def nearest(region: str) -> str | None:
    """The known region whose name is most like a mistyped one's."""
    return next(iter(difflib.get_close_matches(region, known_regions(), n=1)), None)
