"""One function of a roll: its list of layers, a new version, a check, its alias; or all of it back as it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from optimizer.deploy.execution.check import ask
from optimizer.deploy.execution.latest import Latest
from optimizer.deploy.fleet.roll_plan import differences
from optimizer.deploy.mends import throttles
from optimizer.deploy.port import Settings
from optimizer.deploy.rejections import AnswerLostError, CallRejectedError
from optimizer.deploy.settle import settled
from optimizer.deploy.values import LATEST
from optimizer.errors import DeployRefusedError, OptimizerError

if TYPE_CHECKING:
    from optimizer.deploy.clock import Clock
    from optimizer.deploy.fleet.roll_values import Move
    from optimizer.deploy.port import Aws
    from optimizer.deploy.values import Alias, Configuration

_OTHERS = frozenset({"PreconditionFailedException", "ResourceConflictException"})
"""What a call answers where somebody else changed the function, or is changing it."""

Outcome = Literal["moved", "skipped", "failed", "back", "not-begun"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolled:
    """One function and what came of it.

    `skipped` left it as it was, since somebody else is at work there or AWS does not take the list; `failed` is a
    fault, and its alias serves what it served; `back` was moved and taken back. `version` is what was published,
    `checked` what it was asked, None where no path is known. `reason` says why, `kept` what could not be put back.
    """

    move: Move
    wave: int
    outcome: Outcome
    version: str | None = None
    checked: str | None = None
    reason: str = ""
    kept: str = ""
    error: OptimizerError | None = None

    @property
    def brief(self) -> str:
        """Why, without the end of the function's log."""
        return self.reason.partition("\n")[0]


class _SkippedError(Exception):
    """The function is left as it was; no fault of the layer."""


@dataclass(slots=True, kw_only=True)
class FunctionRoll:
    """One function on its way: `version` is what was published, `attached` whether `$LATEST` may have the new list."""

    aws: Aws
    move: Move
    alias: str
    clock: Clock
    version: str | None = None
    attached: bool = False

    def run(self, wave: int) -> Rolled:
        """Move it; where that fails its alias serves what it served, and `$LATEST` gets back what it had."""
        try:
            latest = self._read()
            self._attach(latest)
            self._publish(latest)
            checked = self._check(self.version or LATEST)
            self._move_alias()
        except _SkippedError as error:
            return self._ended(wave, "skipped", str(error), kept=self._put_back())
        except OptimizerError as error:
            if isinstance(error, CallRejectedError) and error.aws_code in _OTHERS:
                why = f"somebody else is at work there: {error.message}"
                return self._ended(wave, "skipped", why, kept=self._put_back())
            if isinstance(error, CallRejectedError) and error.operation == "Invoke" and throttles(error.aws_code):
                why = f"it can't be called, so it can't be checked: {error.message}"
                return self._ended(wave, "skipped", why, kept=self._put_back())
            return replace(self._ended(wave, "failed", error.message, kept=self._put_back()), error=error)
        return replace(self._ended(wave, "moved", "; ".join(self.move.notes)), checked=checked)

    def check_alias(self, rolled: Rolled) -> Rolled:
        """Ask once more, as callers of the alias do; where that fails, everything goes back."""
        try:
            self._check(self.alias)
        except OptimizerError as error:
            back = self.back(rolled)
            kept = back.kept if back.outcome == "back" else back.reason
            return replace(rolled, outcome="failed", reason=error.message, kept=kept, error=error)
        return rolled

    def back(self, rolled: Rolled) -> Rolled:
        """Point the alias at what it served before, and give `$LATEST` its list back; what others did stays."""
        try:
            if not self._alias_back(rolled.version):
                return replace(rolled, reason=f"not taken back: somebody else moved {self.alias} since")
        except OptimizerError as error:
            return replace(rolled, reason=f"not taken back: {error.message}", error=error)
        return replace(rolled, outcome="back", reason="", kept=self._put_back())

    def _alias_back(self, version: str | None) -> bool:
        """Point the alias at what it served before; False where it is not where this run put it."""
        before = self.move.alias
        if before is None:
            return True
        there = self.aws.alias(self.move.function, self.alias)
        if there is None or there.version != version or there.weighted:
            return False
        return self._point(before.version, there)

    def _ended(self, wave: int, outcome: Outcome, reason: str, *, kept: str = "") -> Rolled:
        return Rolled(move=self.move, wave=wave, outcome=outcome, version=self.version, reason=reason, kept=kept)

    def _latest(self, there: Configuration) -> Latest:
        return Latest(
            aws=self.aws,
            function=self.move.function,
            clock=self.clock,
            code_sha256=there.code_sha256,
            layers=there.layer_arns,
            revision=there.revision,
            settings=Settings.of(there),
        )

    def _read(self) -> Latest:
        """`$LATEST` as it is now: the plan may be minutes old."""
        there = self.aws.configuration(self.move.function)
        if there is None:
            raise _SkippedError("it was deleted since the plan was made")
        if not there.settled:
            raise _SkippedError("an update of somebody else's is under way")
        changed = differences(there, self.move.latest)
        if there.layer_arns != self.move.latest.layer_arns:
            changed += ("layers",)
        if changed:
            raise _SkippedError(f"somebody changed its {', '.join(changed)} since the plan was made")
        return self._latest(there)

    def _attach(self, latest: Latest) -> None:
        self.attached = True
        if self.move.begun:
            return
        try:
            latest.attach(self.move.layers)
        except DeployRefusedError as error:
            raise _SkippedError(f"somebody else deploys at the same time: {error.message}") from error
        except CallRejectedError as error:
            if error.aws_code != "InvalidParameterValueException":
                raise
            self.attached = False
            raise _SkippedError(f"AWS does not take the list: {error.aws_message}") from error

    def _publish(self, latest: Latest) -> None:
        if self.move.alias is None:
            if settled(self.aws, self.move.function, self.clock).layer_arns != self.move.layers:
                raise _SkippedError("somebody else changed its layers at the same time")
            return
        try:
            self.version = latest.publish(self.move.description)
        except DeployRefusedError as error:
            raise _SkippedError(f"somebody else deploys at the same time: {error.message}") from error

    def _check(self, qualifier: str) -> str | None:
        """What was asked, if anything.

        Raises:
            DeployRefusedError: the answer is no good one.
        """
        path = self.move.check_path
        if path is None:
            return None
        wrong = ask(self.aws, self.move.function, qualifier, path, self.clock)
        if wrong is not None:
            what = qualifier if qualifier in {LATEST, self.alias} else f"version {qualifier}"
            raise DeployRefusedError(
                f"{what} of {self.move.function} in {self.aws.region} did not pass its check, GET {path}: {wrong}",
                mend="Mend the layer, publish it, and roll again; or roll with --to to a version that works.",
            )
        return f"GET {path}"

    def _move_alias(self) -> None:
        """Send callers to the new version; an alias that somebody else moved meanwhile stays where they put it."""
        before, version = self.move.alias, self.version
        if before is not None and version is not None and not self._point(version, before):
            raise _SkippedError(f"somebody else moved {self.alias} at the same time; it stays as they left it")

    def _point(self, version: str, there: Alias) -> bool:
        """Compare and swap; whether the alias points there. Where the answer is lost, the alias itself tells.

        Its description stays: a deploy's mark names the version that it is about, so it is void elsewhere.

        Raises:
            AwsError: it was refused, or the answer was lost and it did not move.
        """
        try:
            self.aws.move_alias(
                self.move.function, self.alias, version, description=there.description, revision=there.revision
            )
        except (AnswerLostError, CallRejectedError) as error:
            stale = isinstance(error, CallRejectedError) and error.aws_code == "PreconditionFailedException"
            if isinstance(error, CallRejectedError) and not stale:
                raise
            now = self.aws.alias(self.move.function, self.alias)
            if now is None or now.version != version:
                if stale:
                    return False
                raise
        return True

    def _put_back(self) -> str:
        """Give `$LATEST` the list that it had, if it has the new one; what stood in the way, if anything.

        It is read anew, since its revision may have changed when the version was published.
        """
        if not self.attached:
            return ""
        try:
            there = settled(self.aws, self.move.function, self.clock)
            if there.layer_arns != self.move.layers:
                return ""  # somebody else gave it another one
            if there.code_sha256 != self.move.latest.code_sha256:
                return "$LATEST keeps the new list, since somebody else deployed other code to it"
            self._latest(there).attach(self.move.layers_before)
            settled(self.aws, self.move.function, self.clock)
        except OptimizerError as error:
            said = error.aws_message if isinstance(error, CallRejectedError) else error.message
            return f"$LATEST keeps the new list, since the old one can't be put back: {said}"
        return ""
