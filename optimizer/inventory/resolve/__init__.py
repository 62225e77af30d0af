"""[reads] A requirements file → its wheels for the target: resolved by uv, downloaded by pip, locked by hash."""

from __future__ import annotations

from optimizer.inventory.resolve.resolution import Pin, Resolution
from optimizer.inventory.resolve.resolver import Resolved, Resolver

__all__ = ["Pin", "Resolution", "Resolved", "Resolver"]
