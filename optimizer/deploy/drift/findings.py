"""What drift is told with: what is expected of a function, what was seen of it, and a finding where they differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from optimizer.deploy import descriptions
from optimizer.deploy.values import ALIAS, LATEST, layer_account, layer_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optimizer.build import Function, Share
    from optimizer.deploy.values import Absence, Alias, Configuration, LayerFacts, Role, Url

Check = Literal[
    "function-missing",
    "function-failed",
    "update-failed",
    "update-in-progress",
    "function-image",
    "alias-missing",
    "alias-latest",
    "alias-weighted",
    "alias-behind",
    "version-not-ours",
    "layer-attached",
    "layer-detached",
    "layer-replaced",
    "layers-reordered",
    "layer-order",
    "layer-gone",
    "layer-sharing",
    "external-layer",
    "latest-code",
    "latest-settings",
    "settings",
    "locks-ahead",
    "layer-unlocked",
    "url",
    "permission",
    "tags",
    "role-missing",
    "role-policy",
    "role-logs",
]
"""The kinds of drift; each is told by one function of `drift` or `drift_layers`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference: of what (`app:$LATEST`), what was expected, what is there, and what to do about it."""

    check: Check
    subject: str
    expected: str
    actual: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One function as configuration and locks have it.

    `function.layers` are the layers that have a lock, in attach order as far as the configuration tells it, `ordered`
    those of them that it tells it for, `fingerprints` the locks' by layer, `unlocked` the configured layers that have
    no lock, of which nothing can be said.
    """

    function: Function
    ordered: tuple[str, ...]
    fingerprints: Mapping[str, str]
    unlocked: tuple[str, ...] = ()
    share: Share | None = None

    @property
    def names(self) -> frozenset[str]:
        """The names of layers that are ours."""
        return frozenset((*self.function.layers, *self.unlocked))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One function as it is in one region.

    `latest` is None where it does not exist, and then nothing else is there. `versions` are the published ones, oldest
    first, `urls` those of its aliases by name, `grants` the ids of the alias `live`'s permissions, `role` the one that
    a deploy made, None where the function has another, `callers` who calls `$LATEST`, `layers` what each attached
    layer version tells of itself, by ARN, `layer_grants` the ids of the permissions of ours that are live.
    """

    region: str
    latest: Configuration | None = None
    versions: tuple[Configuration, ...] = ()
    aliases: tuple[Alias, ...] = ()
    urls: Mapping[str, Url] = field(default_factory=dict)
    grants: frozenset[str] = frozenset()
    role: Role | None = None
    provisioned: Mapping[str, int] = field(default_factory=dict)
    callers: tuple[str, ...] = ()
    layers: Mapping[str, LayerFacts | Absence] = field(default_factory=dict)
    layer_grants: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def alias(self) -> Alias | None:
        """The alias that a deploy moves."""
        return next((alias for alias in self.aliases if alias.name == ALIAS), None)

    @property
    def live(self) -> Configuration | None:
        """What that alias serves."""
        return self.configuration(self.alias.version) if self.alias else None

    def configuration(self, version: str) -> Configuration | None:
        """A version by its number, or `$LATEST`."""
        if version == LATEST:
            return self.latest
        return next((one for one in self.versions if one.version == version), None)

    @property
    def newest(self) -> Configuration | None:
        """The newest version that a deploy made."""
        return next((v for v in reversed(self.versions) if descriptions.version_fingerprints(v.description)), None)


def is_own(arn: str, configuration: Configuration, names: frozenset[str]) -> bool:
    """Whether an attached layer is ours by name and account."""
    return layer_name(arn) in names and layer_account(arn) == configuration.account


def short_arn(arn: str, configuration: Configuration) -> str:
    """A layer version for people: `web:3`, and the whole ARN where another account owns it."""
    if layer_account(arn) != configuration.account:
        return arn
    return ":".join(arn.split(":")[6:8])


def short_arns(arns: tuple[str, ...], configuration: Configuration) -> str:
    """Layer versions in order, for people."""
    return " ".join(short_arn(arn, configuration) for arn in arns) or "none"


def fingerprints_of(configuration: Configuration, seen: Seen, names: frozenset[str]) -> dict[str, str]:
    """The short fingerprints of our layers of one version by ARN, as far as they are known.

    A layer's own description tells it. That of a deleted layer can't be read; then the version's description does, or
    that of another version with the same layer.
    """
    found: dict[str, str] = {}
    for one in (configuration, *reversed(seen.versions)):
        found = _told(one, seen, names) | found
    return {arn: found[arn] for arn in configuration.layer_arns if arn in found}


def _told(configuration: Configuration, seen: Seen, names: frozenset[str]) -> dict[str, str]:
    """What one version tells: its description has fingerprints in attach order, so the left over ones have to match."""
    told = list(descriptions.version_fingerprints(configuration.description)[1:])
    found: dict[str, str] = {}
    for arn in configuration.layer_arns:
        facts = seen.layers.get(arn)
        whole = None if facts is None or isinstance(facts, str) else descriptions.layer_fingerprint(facts.description)
        if whole is None or layer_account(arn) != configuration.account:
            continue
        mark = whole[: descriptions.SHORT]
        if mark in told:
            told.remove(mark)
            found[arn] = mark
        elif layer_name(arn) in names:
            found[arn] = mark
    left = [arn for arn in configuration.layer_arns if arn not in found and is_own(arn, configuration, names)]
    if len(left) == len(told):
        found |= dict(zip(left, told, strict=True))
    return found
