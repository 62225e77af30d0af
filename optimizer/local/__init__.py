"""[runs] The embedded AWS: Lambda's state, limits and errors as the service has them."""

from optimizer.local.server import ENDPOINT, EmbeddedAws, announced, embedded_aws, find_running

__all__ = ["ENDPOINT", "EmbeddedAws", "announced", "embedded_aws", "find_running"]
