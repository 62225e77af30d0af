"""How a person names a layer: by its name, or by the ARN of the layer or of one version, also another account's."""

from __future__ import annotations

import re
from dataclasses import dataclass

from optimizer import limits
from optimizer.errors import UsageError

_NAMED = re.compile(rf"(?P<name>{limits.LAYER_NAME_PATTERN})(?::(?P<version>[1-9]\d*))?")
_ARN = re.compile(
    r"(?P<layers>arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:"
    rf"(?P<name>{limits.LAYER_NAME_PATTERN}))(?::(?P<version>[1-9]\d*))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerReference:
    """A layer or one of its versions; without an ARN it is the layer of that name in the functions' own account.

    `base` is the layer's ARN without a version, `account` and `region` are the ARN's; None where a name was given.
    """

    name: str
    version: int | None = None
    base: str | None = None
    account: str | None = None
    region: str | None = None

    @classmethod
    def parse(cls, text: str) -> LayerReference:
        """What `NAME`, `NAME:VERSION`, a layer's or a layer version's ARN mean.

        Raises:
            UsageError: it is none of these.
        """
        match = _ARN.fullmatch(text) or _NAMED.fullmatch(text)
        if match is None or len(match["name"]) > limits.LAYER_NAME_LENGTH:
            raise UsageError(
                f"{text!r} names no layer",
                mend="Give its name, NAME:VERSION, or an ARN as in arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION.",
            )
        parts = match.groupdict()
        return cls(
            name=match["name"],
            version=int(match["version"]) if match["version"] else None,
            base=parts.get("layers"),
            account=parts.get("account"),
            region=parts.get("region"),
        )

    @property
    def listing(self) -> str:
        """What ListLayerVersions is asked for."""
        return self.base or self.name

    def is_of(self, arn: str, account: str) -> bool:
        """Whether a layer version that is attached in an account's function is one of this layer, whichever."""
        base = arn.rpartition(":")[0]
        return base == self.base if self.base is not None else base.endswith(f":{account}:layer:{self.name}")

    def names(self, arn: str, account: str) -> bool:
        """Whether it is the one that the reference means, or any where it means none in particular."""
        return self.is_of(arn, account) and self.version in {None, int(arn.rpartition(":")[2])}
