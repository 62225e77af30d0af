"""The operations of the embedded Lambda: importing this package enters them into the service's table."""

from optimizer.local.operations import account, functions, invoke, layers, permissions, sources, urls, versions

__all__ = ["account", "functions", "invoke", "layers", "permissions", "sources", "urls", "versions"]
