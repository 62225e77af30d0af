"""A folder of wheels that the real uv and pip find, and nothing else: no index, no network, no other settings."""

import os
from dataclasses import dataclass
from pathlib import Path

from optimizer.inventory.resolve import Resolved, Resolver
from optimizer.models import Target

X86 = Target(runtime="python3.11", architecture="x86_64")
ARM = Target(runtime="python3.11", architecture="arm64")


def isolated(root: Path) -> dict[str, str]:
    """Variables with which uv and pip know only the wheels in `root/index`."""
    (root / "index").mkdir(exist_ok=True)
    settings = root / "uv.toml"
    settings.write_text(f"no-index = true\nfind-links = ['{root / 'index'}']\n")
    return {
        "UV_CONFIG_FILE": str(settings),
        "UV_CACHE_DIR": str(root / "uv-cache"),
        "UV_OFFLINE": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
    }


@dataclass
class Place:
    """A requirements file, a folder of wheels and a cache."""

    root: Path

    @property
    def index(self) -> Path:
        return self.root / "index"

    @property
    def file(self) -> Path:
        return self.root / "requirements.in"

    @property
    def committed(self) -> Path:
        return self.root / "layers/requirements-python3.11-x86_64.txt"

    def resolver(self, target: Target = X86, *, upgrade: bool = False) -> Resolver:
        return Resolver(
            file=self.file,
            target=target,
            source="requirements.in",
            committed=self.committed,
            upgrade=upgrade,
            cache=self.root / "cache",
        )

    def resolve(self, requirements: str | None = None, target: Target = X86, *, upgrade: bool = False) -> Resolved:
        if requirements is not None:
            self.file.write_text(requirements)
        return self.resolver(target, upgrade=upgrade).resolve()

    def commit(self, resolved: Resolved) -> None:
        self.committed.parent.mkdir(exist_ok=True)
        self.committed.write_text(resolved.resolution.text)


def names(resolved: Resolved) -> list[str]:
    """The file names of the wheels."""
    return [path.name for path in resolved.wheels]
