"""Who calls `$LATEST`: each kind as a value, with how it is told; where it goes instead is planned in `adoption`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from optimizer.deploy.planning.statements import Statement
    from optimizer.deploy.values import Url

FOLLOWS = "[layer-optimizer: follows live]"
"""Ends the description of an alias that was taken off `$LATEST` and has yet to get the version that `live` gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallingUrl:
    """A function URL without a qualifier."""

    waits: ClassVar[bool] = False
    url: Url

    @property
    def told(self) -> str:
        """As a message names it."""
        return f"the function URL {self.url.address}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallingPermission:
    """A statement of the policy without a qualifier: somebody may call `$LATEST` by it."""

    waits: ClassVar[bool] = False
    statement: Statement

    @property
    def told(self) -> str:
        """As a message names it."""
        return f"the permission {self.statement.sid!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallingSource:
    """An event-source mapping of the function without a qualifier; `source` is "" where it has no ARN (Kafka)."""

    waits: ClassVar[bool] = False
    identifier: str
    source: str

    @property
    def told(self) -> str:
        """As a message names it."""
        return f"the event source {self.source or self.identifier}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallingAlias:
    """An alias that points at `$LATEST`; or one that did, and is on its way: `waits`."""

    name: str
    revision: str
    description: str
    waits: bool = False

    @property
    def told(self) -> str:
        """As a message names it."""
        return f"the alias {self.name!r}"


Caller = CallingUrl | CallingPermission | CallingSource | CallingAlias
"""Every kind; whoever handles them ends with assert_never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What has to be known to move callers to the alias; read only where they are to be moved.

    `granted` are the statements of the alias's policy, `sources` the ARNs of event sources that call the alias
    already, `targets` the functions that a resource calls by the resource's ARN: those that could not be asked are
    missing.
    """

    granted: tuple[Statement, ...] = ()
    sources: frozenset[str] = frozenset()
    targets: dict[str, frozenset[str]] = field(default_factory=dict)
