"""Waits until an update of a function has settled, and reads it again then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.deploy.clock import waits
from optimizer.errors import AwsError

if TYPE_CHECKING:
    from optimizer.deploy.clock import Clock
    from optimizer.deploy.port import Aws
    from optimizer.deploy.values import Configuration

SETTLE_SECONDS = 300.0


def settled(aws: Aws, function: str, clock: Clock, qualifier: str | None = None) -> Configuration:
    """The configuration once State is Active and LastUpdateStatus is not InProgress.

    The RevisionId that an update returns is not final: it changes again when the update settles. So what guards the
    next call is read here.

    Raises:
        AwsError: it does not settle in five minutes, it failed, or the function is gone.
    """
    for _ in waits(clock, within=SETTLE_SECONDS):
        there = aws.configuration(function, qualifier)
        if there is None:
            raise AwsError(
                f"{function} in {aws.region} is gone: somebody deleted it meanwhile",
                mend="Run the same command again: it makes what is missing.",
            )
        if not there.settled:
            continue
        if there.state == "Failed":
            raise AwsError(
                f"{function} in {aws.region} is in the state Failed: {there.state_reason}",
                mend="Mend what the reason names, or delete the function; then run it again.",
            )
        if there.update_status == "Failed":
            raise AwsError(
                f"The update of {function} in {aws.region} failed: {there.update_reason}",
                mend="Mend what the reason names; then run it again. The alias still serves what it served before.",
            )
        return there
    raise AwsError(
        f"{function} in {aws.region} has not settled in {SETTLE_SECONDS:.0f} seconds",
        mend="Look at its state in the console; running the same command again goes on from there.",
    )
