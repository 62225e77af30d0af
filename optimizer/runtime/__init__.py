"""[runs] Code and layers unpacked in attach order and run as Lambda's runtime runs them."""

from optimizer.runtime.archives import BadArchiveError, UnsafeArchiveError, ZipFacts, inspect_zip
from optimizer.runtime.environment import FunctionImage, Invocation
from optimizer.runtime.fleet import Fleet, TooManyEnvironmentsError

__all__ = [
    "BadArchiveError",
    "Fleet",
    "FunctionImage",
    "Invocation",
    "TooManyEnvironmentsError",
    "UnsafeArchiveError",
    "ZipFacts",
    "inspect_zip",
]
