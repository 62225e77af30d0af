"""Moves the alias, at once or by a canary: a share of its traffic first, and all of it back if that fails."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from optimizer.deploy.actions import ShiftTraffic
from optimizer.deploy.planning.canary import duration, fault, percent, shares_of, too_few, worst
from optimizer.deploy.rejections import CallRejectedError
from optimizer.deploy.values import ALIAS, LATEST
from optimizer.errors import AwsError, DeployRefusedError, OptimizerError, ShareLeftError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from optimizer.deploy.actions import ChangeSet, ReturnTraffic, Watch
    from optimizer.deploy.clock import Clock
    from optimizer.deploy.port import Aws

_EVERY_SECONDS = 30.0
"""Between two readings; CloudWatch has a new point each minute."""
_STALE = "PreconditionFailedException"


def readings(seconds: float) -> int:
    """How often metrics are read in a watch of so many seconds, if the calls themselves take no time."""
    return max(math.ceil(seconds / _every(seconds)), 1)


def _every(seconds: float) -> float:
    return min(_EVERY_SECONDS, max(seconds / 5, 1.0))


def check_may_share(aws: Aws, changes: ChangeSet) -> None:
    """Look, where a canary is planned, whether Lambda lets the alias share its traffic.

    Raises:
        AwsError: the call failed.
        DeployRefusedError: it does not.
    """
    shifts = [action for action in changes.actions if isinstance(action, ShiftTraffic)]
    if not shifts:
        return
    if any(action.before == LATEST for action in shifts):
        raise DeployRefusedError(
            f"The alias {ALIAS!r} of {changes.function} in {changes.region} points at $LATEST, and Lambda lets no such "
            "alias share its traffic",
            mend="Deploy with --adopt, which publishes what it serves first; or without --canary.",
        )
    if ALIAS in aws.provisioned(changes.function):
        raise DeployRefusedError(
            f"The alias {ALIAS!r} of {changes.function} in {changes.region} has provisioned concurrency, and Lambda "
            "lets no such alias share its traffic",
            mend="Deploy without --canary; or take the provisioned concurrency away, and give it back afterwards.",
        )


@dataclass(slots=True, kw_only=True)
class Shift:
    """The alias on its way from one version to the next, each change guarded by the revision of the one before."""

    aws: Aws
    function: str
    clock: Clock
    progress: Callable[[str], None]
    _revision: str | None = field(default=None, init=False)
    _step: ShiftTraffic | None = field(default=None, init=False)
    _version: str = field(default="", init=False)
    _before: str = field(default="", init=False)
    _began: float = field(default=0.0, init=False)

    def take_back(self, action: ReturnTraffic) -> None:
        """Give all traffic back to the alias's own version.

        Raises:
            DeployRefusedError: somebody else changed the alias meanwhile.
        """
        self._share({}, planned=action.revision, before=action.before)
        self.progress(f"{ALIAS} serves version {action.before} with all of its traffic")

    def give(self, action: ShiftTraffic, version: str, *, before: str, planned: str) -> None:
        """Send a share to the new version; `before` keeps the rest.

        Nothing is done where that is the version itself, since nothing has changed since it was published.

        Raises:
            DeployRefusedError: somebody else changed the alias meanwhile.
        """
        if version == before:
            return
        if self._step is None:
            self._began = self.clock.now()
        self._step, self._version, self._before = action, version, before  # now: the call's answer may be lost
        self._share({version: action.share}, planned=planned, before=before)
        self.progress(f"{ALIAS} sends {percent(action.share)} of its traffic to version {version}")

    def watch(self, action: Watch) -> None:
        """Read at intervals how the new version's calls end, and whether the alias is still as it was left here.

        Raises:
            DeployRefusedError: too many failed, or somebody else changed the alias.
        """
        if self._step is None:
            return
        version, end = self._version, self.clock.now() + action.seconds
        every = _every(action.seconds)
        while True:
            self.clock.sleep(max(min(every, end - self.clock.now()), 0.0))
            calls = self.aws.calls_of(self.function, ALIAS, version, seconds=self.clock.now() - self._began)
            failed, of = worst(calls)
            left = end - self.clock.now()
            rest = f"{duration(left)} left" if left > 0 else "the time is over"
            rate = f" ({percent(failed / of)})" if of else ""
            self.progress(f"version {version} at {percent(action.share)}: {failed} of {of} calls failed{rate}; {rest}")
            wrong = fault(calls, action.max_error_rate)
            if wrong is not None:
                raise DeployRefusedError(
                    f"Version {version} of {self.function} in {self.aws.region} did not do well with "
                    f"{percent(action.share)} of the traffic: {wrong}",
                    mend=f"Look at its log, /aws/lambda/{self.function}; mend it, build, and deploy again.",
                )
            there = self.aws.alias(self.function, ALIAS)
            if there is None or there.revision != self._revision:
                raise self._changed()
            if left <= 0:
                break
        if too_few(calls):
            self.progress(f"version {version} had {of} calls, too few to tell an error rate; the deploy goes on")

    def create(self, version: str, description: str) -> None:
        """Make the alias, at a version.

        Raises:
            AwsError: it is refused.
            DeployRefusedError: somebody else made it meanwhile, at another version.
        """
        try:
            self.aws.create_alias(self.function, ALIAS, version, description=description)
        except CallRejectedError as error:
            if error.aws_code != "ResourceConflictException":
                raise
            if not self._leads_to(version):  # else only the answer was lost
                raise self._theirs(f"made by somebody else while version {version} was made") from error
        self.progress(f"{ALIAS} serves version {version}")

    def move(self, version: str, description: str, *, before: str, planned: str) -> None:
        """Compare and swap, with all traffic: an alias that somebody else moved meanwhile stays where they put it.

        Raises:
            DeployRefusedError: somebody did.
        """
        try:
            self.aws.move_alias(
                self.function,
                ALIAS,
                version,
                description=description,
                revision=self._guard(planned),
                shared=self._step is not None,
            )
        except CallRejectedError as error:
            if error.aws_code != _STALE:
                raise
            if not self._leads_to(version):  # else only the answer was lost
                raise self._theirs(f"changed by somebody else while version {version} was made") from error
        self._step = None  # nothing is to be put back any more
        self.progress(f"{ALIAS} serves version {version}, and no more version {before}")

    @contextmanager
    def put_back(self) -> Iterator[None]:
        """Put the alias back where it was if the block ends, in whichever way, while the new version has a share.

        Raises:
            DeployRefusedError: for what stopped the block, with what became of the alias.
            AwsError: the alias could not be put back either; or DeployRefusedError, where no call is allowed any more.
        """
        try:
            yield
        except BaseException as stopped:
            told = self._back_all(self._step, stopped) if self._step is not None else None
            if told is None:
                raise
            if isinstance(stopped, OptimizerError):
                raise DeployRefusedError(f"{stopped.message}\n{told}", mend=stopped.mend) from stopped
            self.progress(told)
            raise

    def _back_all(self, step: ShiftTraffic, stopped: BaseException) -> str | None:
        """Put it back in a thread of its own, which a second Ctrl-C does not cut off."""
        try:
            with ThreadPoolExecutor(max_workers=1, thread_name_prefix="back") as pool:
                return pool.submit(self._back).result()
        except (AwsError, DeployRefusedError) as error:
            kind = ShareLeftError if isinstance(error, AwsError) else DeployRefusedError
            why = f"{stopped.message}\n" if isinstance(stopped, OptimizerError) else ""
            raise kind(
                f"{why}The alias {ALIAS!r} of {self.function} in {self.aws.region} could not be put back: it may still "
                f"send {percent(step.share)} of its traffic to version {self._version}: {error.message}",
                mend=f"{error.mend} `python -m optimizer rollback` gives all traffic back; so does the next deploy.",
            ) from stopped

    def _back(self) -> str | None:
        """Look at what the alias does now, and put it back if that is our doing; what became of it, in a sentence.

        None where it was moved to the new version as a whole, and only the answer was lost.
        """
        before = self._before
        while True:
            there = self.aws.alias(self.function, ALIAS)
            if there is not None and there.version == self._version and not there.weights:
                return None
            if there is None or there.version != before or not set(there.weights) <= {self._version}:
                serves = f"serves version {there.version}" if there else "is gone"
                shares = f"; {shares_of(there)}" if there and there.weights else ""
                return f"The alias {ALIAS!r} {serves}{shares}."
            if there.weights:
                try:
                    self.aws.share_alias(self.function, ALIAS, {}, revision=there.revision)
                except CallRejectedError as error:
                    if error.aws_code == _STALE:
                        continue
                    raise
            return f"The alias {ALIAS!r} serves version {before} with all of its traffic, as before."

    def _share(self, weights: Mapping[str, float], *, planned: str, before: str) -> None:
        try:
            self._revision = self.aws.share_alias(self.function, ALIAS, weights, revision=self._guard(planned))
        except CallRejectedError as error:
            if error.aws_code != _STALE:
                raise
            there = self.aws.alias(self.function, ALIAS)
            if there is None or there.version != before or there.weights != weights:
                raise self._changed() from error
            self._revision = there.revision  # only the answer was lost

    def _changed(self) -> DeployRefusedError:
        return self._theirs("changed by somebody else meanwhile")

    def _theirs(self, how: str) -> DeployRefusedError:
        return DeployRefusedError(
            f"The alias {ALIAS!r} of {self.function} in {self.aws.region} was {how}; it stays as they left it",
            mend="Look who deploys there; then deploy again.",
        )

    def _leads_to(self, version: str) -> bool:
        there = self.aws.alias(self.function, ALIAS)
        return there is not None and there.version == version

    def _guard(self, planned: str) -> str:
        """The alias's revision: the planned one, or that of the last change made here."""
        return planned if self._revision is None else self._revision
