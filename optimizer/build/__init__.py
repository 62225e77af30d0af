"""[writes] LayerPlan and payloads to deterministic zips and their manifest."""

from typing import TYPE_CHECKING, Any

from optimizer.build.manifest import Artifact, External, Function, Manifest, Share

if TYPE_CHECKING:
    from optimizer.build.artifacts import build

__all__ = ["Artifact", "External", "Function", "Manifest", "Share", "build"]


def __getattr__(name: str) -> Any:
    """`build` when it is asked for: whoever deploys what was built needs none of the archives' modules."""
    if name == "build":
        from optimizer.build.artifacts import build

        return build
    raise AttributeError(name)
