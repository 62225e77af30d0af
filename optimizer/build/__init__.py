"""[writes] LayerPlan and payloads to deterministic zips and their manifest."""

from optimizer.build.artifacts import build
from optimizer.build.manifest import Artifact, External, Function, Manifest, Share

__all__ = ["Artifact", "External", "Function", "Manifest", "Share", "build"]
