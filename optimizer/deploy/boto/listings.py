"""The port to AWS over boto3: listings, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.deploy.boto.answers import alias_of, configuration_of
from optimizer.deploy.boto.layers import LayerAws
from optimizer.deploy.rejections import MISSING, CallRejectedError
from optimizer.deploy.values import LATEST, ListedLayer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.deploy.values import Alias, Configuration

_DENIED = frozenset({"AccessDeniedException"})
"""What a listing of another account's layer answers: that account can share GetLayerVersion alone."""


class ListingAws(LayerAws):
    """What there is in one region."""

    def every_version(self) -> Iterator[Configuration]:
        """See Aws.every_version; the pages depend on each other, so they can't be asked for side by side."""
        with self._lambda("the functions") as client:
            for page in client.get_paginator("list_functions").paginate(FunctionVersion="ALL"):
                yield from map(configuration_of, page["Functions"])

    def every_latest(self) -> Iterator[Configuration]:
        """See Aws.every_latest."""
        with self._lambda("the functions") as client:
            for page in client.get_paginator("list_functions").paginate():
                yield from map(configuration_of, page["Functions"])

    def versions(self, function: str) -> tuple[Configuration, ...]:
        """See Aws.versions."""
        with self._lambda(function) as client:
            pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
            found = [configuration_of(version) for page in pages for version in page["Versions"]]
        return tuple(sorted((one for one in found if one.version != LATEST), key=lambda one: int(one.version)))

    def provisioned(self, function: str) -> dict[str, int]:
        """See Aws.provisioned."""
        with self._lambda(function) as client:
            pages = client.get_paginator("list_provisioned_concurrency_configs").paginate(FunctionName=function)
            return {
                config["FunctionArn"].rpartition(":")[2]: config["RequestedProvisionedConcurrentExecutions"]
                for page in pages
                for config in page["ProvisionedConcurrencyConfigs"]
            }

    def aliases(self, function: str) -> tuple[Alias, ...]:
        """See Aws.aliases."""
        with self._or_none(function) as client:
            pages = client.get_paginator("list_aliases").paginate(FunctionName=function)
            return tuple(alias_of(alias) for page in pages for alias in page["Aliases"])
        return ()

    def layer_versions(self, layer: str) -> tuple[ListedLayer, ...] | None:
        """See Aws.layer_versions."""
        try:
            with self._lambda(f"layer {layer}") as client:
                pages = client.get_paginator("list_layer_versions").paginate(LayerName=layer)
                return tuple(
                    ListedLayer(
                        arn=version["LayerVersionArn"],
                        version=version["Version"],
                        description=version.get("Description", ""),
                        created=version.get("CreatedDate", ""),
                        runtimes=tuple(version.get("CompatibleRuntimes", ())),
                        architectures=tuple(version.get("CompatibleArchitectures", ())),
                    )
                    for page in pages
                    for version in page["LayerVersions"]
                )
        except CallRejectedError as error:
            if error.aws_code in MISSING:
                return ()
            if error.aws_code in _DENIED and layer.startswith("arn:"):
                return None
            raise
