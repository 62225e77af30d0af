"""[serves] The report page on loopback: the token, and who may send what to it."""

from optimizer.tune.server import ChangedError, serving

__all__ = ["ChangedError", "serving"]
