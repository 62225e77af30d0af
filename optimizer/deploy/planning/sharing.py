"""Who else may attach our layers: granted again on each new version, on kept ones what is missing or too much.

A version that a run published before it was cut off is found by its fingerprint, and what it lacks is granted then.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from optimizer.deploy.actions import KeepLayer, PublishLayer, ShareLayer, UnshareLayer
from optimizer.deploy.rejections import CallRejectedError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from optimizer.build import Share
    from optimizer.deploy.actions import ChangeSet
    from optimizer.deploy.port import Aws
    from optimizer.deploy.values import LayerKey, LayerVersion

OURS = "layer-optimizer-"
"""Begins the ids of our statements; others' are left alone."""


@dataclass(slots=True, kw_only=True)
class Sharing:
    """What one run does about it; a version that several functions use is looked at once.

    `share` is None where nothing is to be looked at.
    """

    share: Share | None
    _seen: set[str] = field(default_factory=set)

    def added(self, aws: Aws, changes: ChangeSet) -> ChangeSet:
        """The change set with what is done about its layers, right after them.

        Raises:
            AwsError: a layer version's policy can't be read.
        """
        if self.share is None:
            return changes
        actions = changes.actions
        layers = [(i, a) for i, a in enumerate(actions) if isinstance(a, PublishLayer | KeepLayer)]
        if not layers:
            return changes
        after = layers[-1][0] + 1
        shares = [share for _, layer in layers for share in self.of(aws, layer)]
        return replace(changes, actions=(*actions[:after], *shares, *actions[after:]))

    def of(self, aws: Aws, layer: PublishLayer | KeepLayer) -> tuple[ShareLayer | UnshareLayer, ...]:
        """What is done about one layer.

        Raises:
            AwsError: its policy can't be read.
        """
        if self.share is None:
            return ()
        if isinstance(layer, PublishLayer):
            return share_actions(self.share, layer.subject, layer.artifact.fingerprint, None, frozenset())
        found = layer.found
        if found is None or found.arn in self._seen:  # whoever makes it, or found it first, looks after it
            return ()
        self._seen.add(found.arn)
        granted = aws.layer_grants(found.name, found.version)
        actions = share_actions(self.share, layer.subject, layer.fingerprint, found.version, granted)
        # one that was deleted works on where it is attached, but has no permissions and can't be given to others
        return () if actions and not granted and aws.layer_facts(found.arn) == "gone" else actions


def share_actions(
    share: Share, name: str, fingerprint: str, version: int | None, granted: Collection[str]
) -> tuple[ShareLayer | UnshareLayer, ...]:
    """What leads from the statements that a version has to those that it should have, ours alone."""
    wanted: dict[str, tuple[str, str | None]] = {f"{OURS}{x}": (x, None) for x in sorted(share.accounts)}
    if share.organization is not None:
        wanted[f"{OURS}{share.organization}"] = ("*", share.organization)
    which = f"version {version}" if version is not None else "the new version"
    made = tuple(
        ShareLayer(
            subject=name,
            reason=f"{organization or principal} may attach {which}",
            statement=statement,
            principal=principal,
            organization=organization,
            fingerprint=fingerprint,
            version=version,
        )
        for statement, (principal, organization) in wanted.items()
        if statement not in granted
    )
    if version is None:
        return made
    return made + tuple(
        UnshareLayer(
            subject=name,
            reason=f"{statement.removeprefix(OURS)} is not configured any more; it loses {which}",
            statement=statement,
            version=version,
        )
        for statement in sorted(granted)
        if statement.startswith(OURS) and statement not in wanted
    )


def share_layer(aws: Aws, action: ShareLayer | UnshareLayer, published: Mapping[LayerKey, LayerVersion]) -> None:
    """Carry one out; where an earlier answer was lost, it is done already.

    Raises:
        AwsError: it is refused.
    """
    if isinstance(action, UnshareLayer):
        aws.unshare_layer(action.subject, action.version, action.statement)
        return
    version = action.version or published[action.subject, action.fingerprint].version
    try:
        aws.share_layer(
            action.subject, version, action.statement, principal=action.principal, organization=action.organization
        )
    except CallRejectedError as error:
        if error.aws_code != "ResourceConflictException":  # else the statement is there
            raise
