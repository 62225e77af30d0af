"""What holds for all tests: botocore's data is parsed once a process.

Tests make many sessions, each of which would read endpoints of a megabyte and service models again: that was a third of
what the tests of deploys took.
"""

from functools import cache
from pathlib import Path
from typing import Any

import botocore
from botocore.loaders import JSONFileLoader

_DATA = str(Path(botocore.__file__).parent)
_load_file = JSONFileLoader.load_file


@cache
def _known(path: str) -> Any:
    return _load_file(JSONFileLoader(), path)


def _load(loader: JSONFileLoader, path: str) -> Any:
    return _known(path) if path.startswith(_DATA) else _load_file(loader, path)


JSONFileLoader.load_file = _load  # type: ignore[method-assign]
