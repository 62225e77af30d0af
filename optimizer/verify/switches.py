"""[pure] What was slimmed, as switches: rules that are on and may be off, drop patterns, trimmed services.

A new rule of `[slim]` comes in by itself: whether it may be switched off is what the configuration says of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from optimizer import select
from optimizer.config import SlimConfig
from optimizer.models import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optimizer.config import Config
    from optimizer.plan import LayerPlan

_DROP = "slim.drop"
"""What files that a drop pattern took stand under in a receipt."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Switch:
    """Something that leaves files out: a rule, a distribution's `drop` patterns, or `[aws] services`.

    `name` is the rule's, or the distribution's; `rule` is what its files stand under in a receipt.
    """

    kind: Literal["rule", "drop", "services"]
    name: str

    @property
    def rule(self) -> str:
        """The name in receipts."""
        return {"rule": self.name, "drop": _DROP, "services": select.SERVICES_RULE}[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Another way to slim: without the switches in `off`, and with all that the distributions in `keep` have."""

    off: frozenset[Switch] = frozenset()
    keep: frozenset[str] = frozenset()

    def __call__(self, config: Config) -> Config:
        """The configuration, changed."""
        names = {switch.name for switch in self.off if switch.kind == "rule"}
        dropping = {switch.name for switch in self.off if switch.kind == "drop"}
        slim = SlimConfig.model_validate(
            {
                **config.slim.model_dump(),
                **dict.fromkeys(names, False),
                "keep": {**config.slim.keep, **dict.fromkeys(self.keep, ("*",))},
                "drop": {name: patterns for name, patterns in config.slim.drop.items() if name not in dropping},
            }
        )
        every = any(switch.kind == "services" for switch in self.off)
        aws = config.aws.model_copy(update={"services": "all", "split_services": False}) if every else config.aws
        return config.model_copy(update={"slim": slim, "aws": aws})


def switches(config: Config) -> tuple[Switch, ...]:
    """All that is on, sorted."""
    found = [Switch(kind="rule", name=name) for name in (*select.RULES, *select.REWRITES) if _optional(config, name)]
    found += [Switch(kind="drop", name=name) for name, patterns in config.slim.drop.items() if patterns]
    if config.aws.services != "all":
        found.append(Switch(kind="services", name="services"))
    return tuple(sorted(found))


def left_out(plan: LayerPlan) -> Mapping[str, tuple[str, ...]]:
    """By each rule in the plan's receipts, the distributions that it left something out of, sorted."""
    found: dict[str, set[str]] = {}
    for layer in plan.layers:
        for distribution in layer.distributions:
            for dropped in distribution.payload.dropped:
                found.setdefault(dropped.rule, set()).add(whole(distribution.name))
    return {rule: tuple(sorted(names)) for rule, names in found.items()}


def _optional(config: Config, rule: str) -> bool:
    """Whether a rule is on and the configuration may switch it off."""
    if not config.slim.rules.get(rule, True):
        return False
    off = Change(off=frozenset({Switch(kind="rule", name=rule)}))(config)
    return len(select.unknown_rules(off)) == len(select.unknown_rules(config))
