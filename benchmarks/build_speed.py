"""How long building the example takes: from wheels on disk against sam, pip and uv; cold against `zip -r`.

Run: .venv/bin/python benchmarks/build_speed.py [--runs 5] [--wheels DIR]
Every way gets the same wheels and no network. Each figure is the median of whole processes, the ways in turn, after one
run of each, so that caches are warm (uv's, pip's, ours). `cold` is ours with an empty cache, from the installed folder
that `zip -r` packs. Peers are installed once into environments of their own in the user's cache, wheels fetched once.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from peers import HOME, ROOT, peer, prepare_sam, run, sam_build

if TYPE_CHECKING:
    from collections.abc import Callable

REQUIREMENTS = ROOT / "function/requirements.txt"
PLATFORMS = ("--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_17_x86_64", "--python-version", "3.11")
WANTED = {"sam build": 100, "pip -t, zip -r": 20, "uv --target, zip -r": 5}
"""How many times as fast as each peer the build from wheels is to be."""


def wheels_on_disk() -> Path:
    """The wheels of the function's locked requirements, downloaded where they are not there."""
    folder = HOME / "wheels"
    if not folder.is_dir():
        print("downloading the wheels (once)", file=sys.stderr)
        part = HOME / "wheels.part"
        command = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:")
        run(*command, *PLATFORMS, "--dest", part, "-r", REQUIREMENTS)
        part.rename(folder)
    return folder


class Ways:
    """Each way of building, from the same wheels, in a scratch folder."""

    def __init__(self, scratch: Path, wheels: Path) -> None:
        self.scratch = scratch
        self.wheels = wheels
        self.sam_bin, self.pip_bin, self.uv_bin = prepare_sam(scratch), peer("pip", None), peer("uv", "uv")
        self.installed = scratch / "installed"
        self.offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        run(*self._pip(self.installed), **self.offline)

    def sam(self) -> None:
        """`sam build`, which makes a folder."""
        sam_build(self.sam_bin, self.scratch, **self.offline)

    def _pip(self, target: Path) -> tuple[str | Path, ...]:
        return (self.pip_bin / "pip", "install", "--quiet", "--target", target, "-r", REQUIREMENTS)

    def pip(self) -> None:
        """What most do by hand."""
        run(*self._pip(self.scratch / "pip"), **self.offline)
        self._zip("pip")

    def uv(self) -> None:
        """The same with uv."""
        offline = ("--offline", "--no-index", "--find-links", self.wheels)
        run(
            *(self.uv_bin / "uv", "pip", "install", "--quiet", "--python", sys.executable, *offline),
            *("--target", self.scratch / "uv", "-r", REQUIREMENTS),
        )
        self._zip("uv")

    def zip(self) -> None:
        """The installed folder, packed."""
        self._zip("installed")

    def _zip(self, folder: str) -> None:
        run("zip", "-qr", self.scratch / f"{folder}.zip", ".", cwd=self.scratch / folder)

    def warm(self) -> None:
        """Ours, from wheels."""
        self._build("warm", "--wheels", str(self.wheels), cache="cache")

    def cold(self) -> None:
        """Ours, from the installed folder, with an empty cache."""
        self._build("cold", "--path", str(self.installed), cache="empty")

    def _build(self, output: str, *source: str, cache: str) -> None:
        command = (sys.executable, "-m", "optimizer", "build", *source, "--output", str(self.scratch / output))
        run(*command, XDG_CACHE_HOME=str(self.scratch / cache))

    def clean(self) -> None:
        """What no way may find."""
        for name in ("pip", "uv", "empty", ".aws-sam"):
            shutil.rmtree(self.scratch / name, ignore_errors=True)
        for name in ("pip.zip", "uv.zip", "installed.zip"):
            (self.scratch / name).unlink(missing_ok=True)

    def zipped_bytes(self) -> dict[str, int]:
        """What each way made, in zips; of sam's folder as `zip -r` packs it. Taken before the last clean."""
        run("zip", "-qr", self.scratch / "sam.zip", ".", cwd=self.scratch / ".aws-sam/build/Function")
        made = {name: (self.scratch / f"{name}.zip").stat().st_size for name in ("sam", "pip", "uv", "installed")}
        made |= {n: sum(p.stat().st_size for p in (self.scratch / n).glob("*.zip")) for n in ("warm", "cold")}
        return made


def main() -> None:
    """Time all of them and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--wheels", type=Path, help="a folder of the requirements' wheels, instead of downloading them")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="layer-optimizer-") as scratch:
        ways = Ways(Path(scratch), (given.wheels or wheels_on_disk()).resolve())
        each: dict[str, tuple[str, Callable[[], None]]] = {
            "sam build": ("sam", ways.sam),
            "pip -t, zip -r": ("pip", ways.pip),
            "uv --target, zip -r": ("uv", ways.uv),
            "zip -r, installed": ("installed", ways.zip),
            "ours, wheels, warm": ("warm", ways.warm),
            "ours, installed, cold": ("cold", ways.cold),
        }
        for _, way in each.values():
            way()
        ways.warm()  # the first build of a folder that was made just before is not remembered
        made = ways.zipped_bytes()
        seconds: dict[str, list[float]] = {name: [] for name in each}
        for _ in range(given.runs):
            ways.clean()
            for name, (_, way) in each.items():
                began = time.perf_counter()
                way()
                seconds[name].append(time.perf_counter() - began)
    median = {name: statistics.median(times) for name, times in seconds.items()}
    for name, (key, _) in each.items():
        least = min(seconds[name])
        print(f"{name:22} median {median[name]:7.3f} s  least {least:7.3f} s  {made[key]:>11,} bytes zipped")
    for name, wanted in WANTED.items():
        times = median[name] / median["ours, wheels, warm"]
        print(f"from wheels, warm, {times:5.0f} times as fast as {name} (at least {wanted} is wanted)")
    ratio = median["ours, installed, cold"] / median["zip -r, installed"]
    print(f"cold / zip -r = {ratio:.2f} (at most 1.0 is wanted)")


if __name__ == "__main__":
    main()
