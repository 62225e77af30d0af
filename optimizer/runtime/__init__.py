"""[runs] Code and layers unpacked in attach order and run as Lambda's runtime runs them."""

from optimizer.runtime.archives import ZipFacts, inspect_zip
from optimizer.runtime.errors import (
    BadArchiveError,
    RuntimeMissingError,
    TooManyEnvironmentsError,
    UnsafeArchiveError,
)
from optimizer.runtime.fleet import Fleet
from optimizer.runtime.image import FunctionImage, Invocation

__all__ = [
    "BadArchiveError",
    "Fleet",
    "FunctionImage",
    "Invocation",
    "RuntimeMissingError",
    "TooManyEnvironmentsError",
    "UnsafeArchiveError",
    "ZipFacts",
    "inspect_zip",
]
