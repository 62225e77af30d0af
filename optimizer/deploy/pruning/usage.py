"""Who uses which layer version, kept up to date with few calls: only functions that changed are listed again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from optimizer.deploy.pruning.prune import users_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from optimizer.deploy.fleet.region import RegionFunction
    from optimizer.deploy.port import Aws
    from optimizer.deploy.pruning.prune import Users
    from optimizer.deploy.values import Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    latest: Configuration
    versions: tuple[Configuration, ...]

    def is_of(self, latest: Configuration) -> bool:
        """Whether nothing can have been published since that `$LATEST` did not have attached already."""
        return (self.latest.modified, self.latest.revision, self.latest.layers) == (
            latest.modified,
            latest.revision,
            latest.layers,
        )


class Usage:
    """Every function of a region with its versions.

    A published version is a copy of `$LATEST`: where that is unchanged, whatever was published since has the same
    layers. So a look at every `$LATEST`, and at the versions of those that changed, is as good as a look at all
    versions, of which a region may have many pages. Versions that others delete meanwhile are still counted.
    """

    def __init__(self, aws: Aws, functions: Iterable[RegionFunction]) -> None:
        self._aws = aws
        self._known = {one.name: _Known(latest=one.latest, versions=one.versions) for one in functions}

    def again(self) -> Users:
        """Who uses what now.

        Raises:
            AwsError: a call failed.
        """
        fresh: dict[str, _Known] = {}
        for latest in self._aws.every_latest():
            name = latest.function
            known = self._known.get(name)
            versions = known.versions if known and known.is_of(latest) else self._aws.versions(name)
            fresh[name] = _Known(latest=latest, versions=versions)
        self._known = fresh
        return users_of(one for known in fresh.values() for one in (known.latest, *known.versions))

    def forget(self, function: str, version: str) -> None:
        """A version was deleted."""
        known = self._known.get(function)
        if known is not None:
            left = tuple(one for one in known.versions if one.version != version)
            self._known[function] = replace(known, versions=left)
