"""What bytecode is worth: starts with it and without it, in turns, and the bytes of both."""

from __future__ import annotations

import statistics
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.runtime.folders import prepare
from optimizer.verify.findings import Measured
from optimizer.verify.handler import start_ms

if TYPE_CHECKING:
    from pathlib import Path

    from optimizer.runtime import FunctionImage
    from optimizer.runtime.folders import Folders


def measure_start(image: FunctionImage, folders: Folders, *, runs: int, scratch: Path) -> Measured:
    """Medians of `runs` starts of the artifacts as they are and of the same without any `__pycache__`.

    Raises:
        OptimizerError: see `prepare`.
    """
    code, *layers = (_without_bytecode(path, scratch) for path in (image.code, *image.layers))
    plain = replace(image, code=code, layers=tuple(layers))
    plain_folders = prepare(plain, scratch)
    with_, without = [], []
    for _ in range(runs):  # in turns, so that what else the machine does slows both
        with_.append(start_ms(image, folders))
        without.append(start_ms(plain, plain_folders))
    paths, plain_paths = (image.code, *image.layers), (plain.code, *plain.layers)
    return Measured(
        function=image.name,
        runs=runs,
        init_ms=statistics.median(with_),
        init_ms_without=statistics.median(without),
        unzipped_bytes=sum(map(_unzipped, paths)),
        unzipped_bytes_without=sum(map(_unzipped, plain_paths)),
        zipped_bytes=sum(path.stat().st_size for path in paths),
        zipped_bytes_without=sum(path.stat().st_size for path in plain_paths),
    )


def has_bare_bytecode(image: FunctionImage) -> bool:
    """Whether modules ship as bytecode alone, so that nothing would be left of them without it."""
    for path in (image.code, *image.layers):
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".pyc")]
        if any("__pycache__" not in name.split("/") for name in names):
            return True
    return False


def _without_bytecode(path: Path, scratch: Path) -> Path:
    """A copy of the zip without `__pycache__`, compressed as hard as zlib can, as `build` does."""
    place = scratch / "without-bytecode" / path.name
    place.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as sink:
        for info in source.infolist():
            if "__pycache__" not in info.filename.split("/"):
                sink.writestr(info, source.read(info), compresslevel=9)
    return place


def _unzipped(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        return sum(info.file_size for info in archive.infolist())
