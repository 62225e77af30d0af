"""`$LATEST` while it is updated: guarded by its revision, settled after each step, and then what was sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from optimizer.deploy.clock import FIRST_SECONDS, waits
from optimizer.deploy.port import Settings
from optimizer.deploy.rejections import CallRejectedError
from optimizer.deploy.settle import settled
from optimizer.deploy.wanted import code_sha256
from optimizer.errors import DeployRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from optimizer.deploy.actions import CreateFunction, UpdateCode
    from optimizer.deploy.clock import Clock
    from optimizer.deploy.port import Aws, Zip
    from optimizer.deploy.values import Configuration

_ROLE_SECONDS = 60.0
"""A new role is known everywhere after some seconds; until then Lambda can't assume it."""

_MAYBE_DONE = frozenset({"PreconditionFailedException", "ResourceConflictException"})
"""What a repeated call answers where the first one acted and only its answer was lost; or where somebody else acted."""


@dataclass(slots=True, kw_only=True)
class Latest:
    """The code, the list of layers and the revision that `$LATEST` has to have for the next step.

    An update is waited for when the next step needs that it has settled, not before: `moving` is whether there is one
    that has not been seen to settle. `settings` are those that it had when the change set was made, and what was sent
    since: others are somebody else's.
    """

    aws: Aws
    function: str
    clock: Clock
    code_sha256: str
    layers: tuple[str, ...]
    revision: str
    settings: Settings
    moving: bool = False

    def create(self, action: CreateFunction, code: Zip, *, role: str, layers: tuple[str, ...]) -> None:
        """Make the function, as soon as Lambda may assume its role.

        Raises:
            AwsError: it is refused, or does not become active.
            DeployRefusedError: somebody else made one of that name meanwhile.
        """
        settings = replace(action.settings, layers=layers or None)
        refused: CallRejectedError | None = None
        for _ in chain((None,), waits(self.clock, within=_ROLE_SECONDS)):
            try:
                self.aws.create_function(
                    self.function,
                    settings,
                    code,
                    architecture=action.architecture,
                    role=action.role or role,
                    tags=action.tags,
                )
            except CallRejectedError as error:
                refused = error if error.aws_code not in _MAYBE_DONE else None
                if refused is not None and "cannot be assumed by Lambda" in error.aws_message:
                    continue
            else:
                refused = None
            break
        if refused is not None:
            raise refused
        self._sent(code=code_sha256(action.artifact), layers=layers, settings=action.settings)

    def update_code(self, action: UpdateCode, code: Zip) -> None:
        """Send new code. Raises what `_guarded` does."""
        self._guarded(
            lambda revision: self.aws.update_code(
                self.function, code, architecture=action.architecture, revision=revision
            ),
            code=code_sha256(action.artifact),
        )

    def attach(self, layers: tuple[str, ...]) -> None:
        """Replace the list of layers. Raises what `_guarded` does."""
        self._guarded(
            lambda revision: self.aws.update_configuration(self.function, Settings(layers=layers), revision=revision),
            layers=layers,
        )

    def update_settings(self, settings: Settings) -> None:
        """Change settings. Raises what `_guarded` does."""
        self._guarded(
            lambda revision: self.aws.update_configuration(self.function, settings, revision=revision),
            settings=settings,
        )

    def publish(self, description: str) -> str:
        """Freeze it; the version's number. Where nothing changed since the newest version, it is that one's.

        An update that was just sent has mostly settled after a moment, and publishing is refused while it has not: so
        the first try needs no call to see that, and what it froze is compared with what was sent.

        Raises:
            AwsError: it is refused, or the update does not settle.
            DeployRefusedError: code, layers or settings are not what they have to be: somebody else changed them.
        """
        if self.moving:
            self.clock.sleep(FIRST_SECONDS)
        try:
            version = self._publish(description)
        except CallRejectedError as error:
            if error.aws_code not in _MAYBE_DONE and not (self.moving and "CodeSHA256" in error.aws_message):
                raise
            self._settle()  # else something besides code and layers changed, or an earlier answer was lost
            version = self._publish(description)
        self._compare(version)
        if not version.settled or "Failed" in {version.state, version.update_status}:
            settled(self.aws, self.function, self.clock, version.version)
        return version.version

    def freeze(self, description: str) -> str:
        """Publish what is there before anything was sent, and go on from there. Raises what `publish` does."""
        version = self.publish(description)
        self._settle()
        return version

    def _publish(self, description: str) -> Configuration:
        return self.aws.publish_version(
            self.function,
            description,
            code_sha256=self.code_sha256,
            revision=None if self.moving else self.revision,
        )

    def _guarded(
        self,
        call: Callable[[str], None],
        *,
        code: str | None = None,
        layers: tuple[str, ...] | None = None,
        settings: Settings | None = None,
    ) -> None:
        """Make an update under the revision's guard, when the one before has settled as it was sent.

        Raises:
            AwsError: it is refused or does not settle.
            DeployRefusedError: somebody else changed the function meanwhile.
        """
        if self.moving:
            self._settle()
        try:
            call(self.revision)
        except CallRejectedError as error:
            if error.aws_code not in _MAYBE_DONE:
                raise
            self._sent(code=code, layers=layers, settings=settings)
            self._settle()  # an earlier answer was lost, or somebody else was quicker
        else:
            self._sent(code=code, layers=layers, settings=settings)

    def _sent(
        self, *, code: str | None = None, layers: tuple[str, ...] | None = None, settings: Settings | None = None
    ) -> None:
        """Take over what was sent."""
        self.code_sha256 = self.code_sha256 if code is None else code
        self.layers = self.layers if layers is None else layers
        self.settings = self.settings if settings is None else replace(self.settings, **settings.given())
        self.moving = True

    def _settle(self) -> None:
        """Wait until it has settled, compare it with what has to be there, and take over its revision."""
        there = settled(self.aws, self.function, self.clock)
        self._compare(there)
        self.revision, self.moving = there.revision, False

    def _compare(self, there: Configuration) -> None:
        if there.code_sha256 != self.code_sha256:
            raise self._changed("its code is not what was sent")
        if there.layer_arns != self.layers:
            raise self._changed(f"its layers are {', '.join(there.layer_arns) or 'none'}")
        found = Settings.of(there).given()
        differ = [name for name, value in self.settings.given().items() if found.get(name) != value]
        if differ:
            raise self._changed(f"its {', '.join(differ)} is neither what it was nor what was sent")

    def _changed(self, how: str) -> DeployRefusedError:
        return DeployRefusedError(
            f"{self.function} in {self.aws.region} was changed by somebody else at the same time: {how}. "
            "The alias was not moved",
            mend="Look who deploys there; then deploy again.",
        )
