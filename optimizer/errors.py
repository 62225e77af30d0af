"""The one root exception; every error says what, where and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable


class OptimizerError(Exception):
    """Root of every error this project raises on purpose.

    `message` says what is wrong and where, `mend` what to do about it; `code` is stable and stands in JSON output;
    `exit_status` is the process's: 2 for wrong usage or input, 3 for AWS, network and disk, 1 for an honest no.
    """

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 2

    def __init__(self, message: str, *, mend: str) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message}\n{self.mend}"

    def document(self) -> dict[str, str]:
        """The error as it stands in JSON output."""
        return {"code": self.code, "message": self.message, "mend": self.mend}


class ConfigError(OptimizerError):
    """The configuration, or what it says of this environment, is wrong; `faults` holds every fault at once."""

    code = "config"

    def __init__(self, faults: tuple[str, ...], *, where: str) -> None:
        self.faults = faults
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        lines = "".join(f"\n  {fault}" for fault in faults)
        super().__init__(f"{where}: {count}{lines}", mend=f"Mend {where} and run the command again.")


class UsageError(OptimizerError):
    """The command line asks for something that can't be."""

    code = "usage"


def check_known(kind: str, asked: Iterable[str], known: Iterable[str], *, where: str) -> None:
    """Refuse names that nothing has.

    Args:
        kind: what they name: function, region.
        asked: the names.
        known: those that there are.
        where: what holds them.

    Raises:
        UsageError: at least one of them is unknown; all of these are told.
    """
    there = list(dict.fromkeys(known))
    unknown = [name for name in dict.fromkeys(asked) if name not in there]
    if unknown:
        raise UsageError(
            f"There is no {kind} {', '.join(unknown)} in {where}", mend=f"It has {', '.join(there) or 'none'}."
        )


class InventoryError(OptimizerError):
    """The environment does not hold what the requirements ask for; `faults` holds every fault at once."""

    code = "inventory"

    def __init__(self, faults: tuple[str, ...], *, where: str, mend: str) -> None:
        self.faults = faults
        lines = "".join(f"\n  {fault}" for fault in faults)
        super().__init__(f"{where} can't be shipped as it is:{lines}", mend=mend)


class ResolutionError(OptimizerError):
    """There is no set of wheels for the target that the requirements admit."""

    code = "resolution"


class HashError(OptimizerError):
    """A wheel is not the one whose hash was asked for."""

    code = "hash"


class CompilerError(OptimizerError):
    """There is no Python of the target's minor version to compile bytecode with, or it failed."""

    code = "compiler"


class LimitError(OptimizerError):
    """Something is over a limit of Lambda."""

    code = "limit"
    exit_status = 1


class SecretError(OptimizerError):
    """What would ship holds secrets; `message` names each place, and never the secret."""

    code = "secret"
    exit_status = 1


class ArtifactError(OptimizerError):
    """An artifact or its manifest is missing, damaged or not what the manifest says."""

    code = "artifact"


class DiskError(OptimizerError):
    """The file system refused: no space, no permission, not writable."""

    code = "disk"
    exit_status = 3


class AwsError(OptimizerError):
    """AWS, or what stands in for it, refused a call or could not be reached."""

    code = "aws"
    exit_status = 3


class ShareLeftError(AwsError):
    """The alias could not be put back, and may still send a share of its traffic to a version that was given up."""


class NetworkError(OptimizerError):
    """Something that is not AWS, such as the package index, refused a request or could not be reached."""

    code = "network"
    exit_status = 3


class DeployRefusedError(OptimizerError):
    """A deploy that would hurt somebody, or whose check failed, was not carried out."""

    code = "refused"
    exit_status = 1
