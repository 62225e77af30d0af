"""[cache] Wheels by their SHA-256 in the user's cache folder, and pip, which downloads those that are not there.

Safe with several processes, since files come by rename; bounded; and harmless when it is deleted or damaged, since
each wheel's hash is looked at whenever it is used.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.errors import DiskError, HashError, NetworkError, UsageError
from optimizer.inventory.resolve.uv import WITHOUT_NETWORK
from optimizer.inventory.target import platforms
from optimizer.inventory.wheels import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from optimizer.inventory.resolve.uv import Offer
    from optimizer.models import Target

LIMIT_BYTES = 4 << 30
"""How large the wheels may grow together before the longest unused ones go."""
_RECENT = 24 * 3600
"""Seconds for which a wheel that was used is left alone: another process may read it."""
_UV_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL")
_WITH_PASSWORD = re.compile(r"https?://[^\s/@]+@\S+")
_FULL = os.strerror(errno.ENOSPC)
_TAMPERED = "DO NOT MATCH THE HASHES"


class WheelCache:
    """The folder of wheels, one folder a hash."""

    def __init__(
        self, folder: Path, *, sha256: Callable[[Path], str] = sha256_of, limit_bytes: int = LIMIT_BYTES
    ) -> None:
        self.folder = folder
        self._sha256 = sha256
        self._limit_bytes = limit_bytes

    def find(self, sha256: str) -> Path | None:
        """The wheel with that hash; what is damaged is removed."""
        for path in sorted((self.folder / sha256).glob("*.whl")):
            with contextlib.suppress(OSError, DiskError):
                if self._sha256(path) != sha256:
                    path.unlink()
                    continue
                with contextlib.suppress(OSError):  # a cache that can only be read will do
                    os.utime(path.parent)
                return path
        return None

    def fetch(self, offers: Mapping[str, Offer], target: Target) -> None:
        """Download wheels, each by the requirement (`name`) that it satisfies.

        Raises:
            UsageError: there is no pip.
            HashError: a wheel's bytes are not what the index promised.
            NetworkError: they can't be downloaded.
            DiskError: the cache can't be written.
        """
        if not offers:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".part-", dir=self.folder) as scratch:
                _download(offers, target, Path(scratch))
                for path in Path(scratch).glob("*.whl"):
                    place = self.folder / sha256_of(path)
                    place.mkdir(exist_ok=True)
                    path.replace(place / path.name)
            self._prune()
        except OSError as error:
            raise DiskError(
                f"The cache {self.folder} can't be written: {error.strerror or error}", mend="Free some space there."
            ) from error

    def _prune(self) -> None:
        """Remove the longest unused wheels where there are too many."""
        held = sorted((path.stat().st_mtime, path) for path in self.folder.iterdir())
        sizes = {path: sum(file.stat().st_size for file in path.glob("*.whl")) for _, path in held}
        total = sum(sizes.values())
        for used, path in held:
            if total <= self._limit_bytes or used > time.time() - _RECENT:
                break
            shutil.rmtree(path, ignore_errors=True)
            total -= sizes[path]


def _download(offers: Mapping[str, Offer], target: Target, folder: Path) -> None:
    """Let pip download them from the addresses that uv found: pip looks nothing up, but knows proxies and passwords."""
    if importlib.util.find_spec("pip") is None:
        raise UsageError(
            f"Wheels are downloaded with pip, which {sys.executable} does not have",
            mend="Install it: python -m ensurepip, or uv pip install pip. Or name wheels with --wheels DIR.",
        )
    lines = folder / "requirements.txt"
    lines.write_text(
        "".join(f"{name} @ {offer.url} --hash=sha256:{offer.sha256}\n" for name, offer in sorted(offers.items())),
        "utf-8",
    )
    command = [
        *(sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"),
        *("--no-cache-dir", "--require-hashes", "--no-deps", "--only-binary=:all:"),
        *("--implementation", "cp", "--python-version", target.lambda_runtime.version),
        *(f"--platform={platform}" for platform in platforms(target)),
        *("--dest", str(folder), "--requirement", str(lines)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_pip_environment())
    if done.returncode == 0:
        return
    text = "\n".join(line for line in done.stderr.strip().splitlines() if not line.startswith("WARNING: "))
    if _TAMPERED in text:
        raise HashError(
            f"A wheel is not what the package index promised; nothing is built from it:\n{text}",
            mend="If it comes back, something on the way changes files.",
        )
    if _FULL in text:
        raise DiskError(f"{folder.parent} can't hold the wheels:\n{text}", mend="Free some space there.")
    raise NetworkError(f"pip can't download wheels:\n{text}", mend=WITHOUT_NETWORK)


def _pip_environment() -> dict[str, str]:
    """Somebody's constraints are no business of a download, and the passwords in uv's index addresses are.

    pip looks for the password of an address among its indexes (and in netrc and the keyring), though it asks none here.
    """
    told = " ".join(os.environ.get(name, "") for name in ("PIP_EXTRA_INDEX_URL", *_UV_INDEXES))
    addresses = _WITH_PASSWORD.findall(told)
    more = {"PIP_EXTRA_INDEX_URL": " ".join(addresses)} if addresses else {}
    return {**os.environ, **more, "PIP_CONSTRAINT": os.devnull}
