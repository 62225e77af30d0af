"""[runs] Code and layers unpacked in attach order and run as Lambda's runtime runs them.

What runs a function is imported when it is asked for: deploy needs the words for errors and events alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from optimizer.runtime.errors import (
    BadArchiveError,
    RuntimeMissingError,
    TooManyEnvironmentsError,
    UnsafeArchiveError,
)

if TYPE_CHECKING:
    from optimizer.runtime.archives import ZipFacts, inspect_zip
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

_PLACES = {
    "Fleet": "fleet",
    "FunctionImage": "image",
    "Invocation": "image",
    "ZipFacts": "archives",
    "inspect_zip": "archives",
}


def __getattr__(name: str) -> Any:
    """One of the names above from its module."""
    if name in _PLACES:
        return getattr(import_module(f"optimizer.runtime.{_PLACES[name]}"), name)
    raise AttributeError(name)
