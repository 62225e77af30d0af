"""The folders of a function's environments: /var/task, /opt and /var/runtime, and what Lambda would refuse in them."""

from __future__ import annotations

import platform
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.limits import RUNTIMES
from optimizer.runtime.errors import RuntimeMissingError
from optimizer.runtime.glibc import refusals
from optimizer.runtime.interpreter import client_folder, find_interpreter
from optimizer.runtime.unpack import merge, unpack
from optimizer.runtime.variables import library_folders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.limits import Runtime
    from optimizer.runtime.glibc import Library
    from optimizer.runtime.image import FunctionImage
    from optimizer.runtime.unpack import Unpacked

LIBRARY_FOLDERS = library_folders("/var/task", "/opt", "/var/runtime")
"""Where Lambda's loader looks for libraries of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where an image's environments run: real folders that stand in for Lambda's, all read-only.

    `layer_paths` is what layers add to sys.path; `refused` the loader's message for each shared object, by its real
    path, that asks for a newer glibc than the runtime's.
    """

    interpreter: Path
    task: Path
    opt: Path
    runtime: Path
    layer_paths: tuple[Path, ...]
    refused: dict[str, str]

    def as_on_lambda(self, text: str) -> str:
        """The text with the folders' names on Lambda."""
        for real, name in ((self.task, "/var/task"), (self.opt, "/opt"), (self.runtime, "/var/runtime")):
            text = text.replace(str(real), name)
        return text


def prepare(image: FunctionImage, cache: Path) -> Folders:
    """Unpack, merge and check what an image is made of; quick where the cache has it.

    Raises:
        BadArchiveError: a file is no zip, or is damaged.
        UnsafeArchiveError: a zip can't be unpacked safely.
        RuntimeMissingError: the runtime is unknown, or its Python or client is not at hand.
        DiskError: the cache can't be written.
    """
    if platform.system() != "Linux":
        raise RuntimeMissingError(
            "Functions run on Linux only, as on Lambda", mend="Use a Linux machine, or WSL on Windows."
        )
    runtime = RUNTIMES.get(image.runtime)
    if runtime is None:
        raise RuntimeMissingError(
            f"{image.name}: {image.runtime!r} is no runtime this can run", mend=f"Use one of {', '.join(RUNTIMES)}."
        )
    cache = cache.resolve()
    interpreter = find_interpreter(runtime)
    with ThreadPoolExecutor() as pool:
        code, *layers = pool.map(lambda archive: unpack(archive, cache), (image.code, *image.layers))
    opt = merge(tuple(layers), cache)
    refused = refusals(shared_objects(code, layers), runtime.glibc, LIBRARY_FOLDERS)
    return Folders(
        interpreter=Path(interpreter),
        task=code.folder,
        opt=opt,
        runtime=client_folder(cache, interpreter, runtime),
        layer_paths=layer_paths(opt, runtime),
        refused={_real(path, code.folder, opt): message for path, message in refused.items()},
    )


def shared_objects(code: Unpacked, layers: Sequence[Unpacked]) -> dict[str, Library]:
    """Every shared object of a function by the absolute path that it has on Lambda."""
    libraries = {f"/opt/{path}": library for layer in layers for path, library in layer.libraries.items()}
    return libraries | {f"/var/task/{path}": library for path, library in code.libraries.items()}


def layer_paths(opt: Path, runtime: Runtime) -> tuple[Path, ...]:
    """What a runtime adds to sys.path for layers, in its order."""
    return (opt / "python" / "lib" / f"python{runtime.version}" / "site-packages", opt / "python")


def _real(path: str, task: Path, opt: Path) -> str:
    if path.startswith("/opt/"):
        return f"{opt}{path.removeprefix('/opt')}"
    return f"{task}{path.removeprefix('/var/task')}"
