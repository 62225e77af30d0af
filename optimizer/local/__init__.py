"""[runs] The embedded AWS: Lambda's state, limits and errors as the service has them."""

from optimizer.local.endpoint import ENDPOINT, announced, find_running
from optimizer.local.server import EmbeddedAws, embedded_aws

__all__ = ["ENDPOINT", "EmbeddedAws", "announced", "embedded_aws", "find_running"]
