"""The options of a canary, as people write them: `--canary 10%,50% --for 5m --max-error-rate 1%`."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.errors import UsageError

if TYPE_CHECKING:
    from optimizer.deploy import Canary

_FOR = "5m"
_RATE = "1%"
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%?")
_TIME = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")

CanaryOption = Annotated[
    str | None,
    typer.Option(
        "--canary",
        help="Send this share of the traffic to the new version first, or several, one after the other.",
        metavar="10%[,50%]",
    ),
]
ForOption = Annotated[
    str | None,
    typer.Option("--for", help=f"How long each share is watched ({_FOR} if not given).", metavar="5m"),
]
RateOption = Annotated[
    str | None,
    typer.Option(
        "--max-error-rate",
        help=f"If more of the new version's calls fail, all traffic goes back ({_RATE} if not given).",
        metavar="1%",
    ),
]


def canary_of(shares: str | None, watched_for: str | None, max_error_rate: str | None) -> Canary | None:
    """The canary that the options ask for.

    Raises:
        UsageError: an option says what can't be.
    """
    if shares is None:
        if watched_for is not None or max_error_rate is not None:
            raise UsageError(
                "--for and --max-error-rate are about a canary, and there is none",
                mend="Give --canary 10% with them, or leave them out.",
            )
        return None
    from optimizer.deploy import Canary

    steps = tuple(_share("--canary", part) for part in shares.split(","))
    if not all(0 < step < 1 for step in steps) or any(after <= before for before, after in pairwise(steps)):
        raise UsageError(
            f"--canary {shares}: shares are over 0% and under 100%, each larger than the one before",
            mend="Write it as 10%, or as 10%,50%; all of the traffic comes by itself at the end.",
        )
    rate = _share("--max-error-rate", max_error_rate or _RATE)
    if rate > 1:
        raise UsageError(f"--max-error-rate {max_error_rate} is over 100%", mend="Write it as 1%.")
    return Canary(shares=steps, seconds=_seconds(watched_for or _FOR), max_error_rate=rate)


def _share(option: str, text: str) -> float:
    match = _PERCENT.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{option}: {text!r} is no percentage", mend="Write it as 10%.")
    return float(match[1]) / 100


def _seconds(text: str) -> float:
    match = _TIME.fullmatch(text.strip())
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = hours * 3600 + minutes * 60 + seconds
    if not total:
        raise UsageError(f"--for: {text!r} is no time", mend="Write it as 5m, 90s or 1h30m.")
    return float(total)
