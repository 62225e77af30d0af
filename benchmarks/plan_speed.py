"""How long `plan` takes: against `pip list` in the same environment, and as the number of distributions grows.

Run: .venv/bin/python benchmarks/plan_speed.py
Each figure is the median of whole processes, the two commands in turn; the caches are warm (one run before).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support import CONFIG, lay_out  # noqa: E402

RUNS = 9
FILES = 20


def seconds(*arguments: str, cwd: Path = ROOT, **env: str) -> float:
    """One whole process."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=cwd,
        env={**os.environ, **env},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def against_pip_list() -> None:
    """The project's own environment."""
    plan, pip = ("optimizer", "plan"), ("pip", "list")
    pairs = [(seconds(*plan), seconds(*pip)) for _ in range(RUNS + 1)][1:]
    ratio = statistics.median(a / b for a, b in pairs)
    print(
        f"plan {statistics.median(a for a, _ in pairs):.3f} s, pip list {statistics.median(b for _, b in pairs):.3f} s"
    )
    print(f"plan / pip list = {ratio:.2f} (at most 1.0 is wanted)")


def growing() -> None:
    """Synthetic environments: each distribution has twenty files and requires one other."""
    print("distributions   cold s   warm s   warm ms each")
    for count in (100, 1000, 3000):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "config").mkdir()
            (root / "config/layers.toml").write_text(CONFIG)
            (root / "src").mkdir()
            (root / "src/handler.py").write_text("def handler(event, context): ...\n")
            (root / "requirements.txt").write_text("aws\nweb\n" + "".join(f"d{i}\n" for i in range(count - 2)))
            for name, needs in [("aws", "d0"), ("web", "d1"), *((f"d{i}", f"d{i // 2}") for i in range(count - 2))]:
                modules = {f"{name}/m{n}.py": f"VALUE = {n}\nNAME = {name!r}\n" for n in range(FILES - 1)}
                lay_out(root / "site", name, requires=(needs,), files={f"{name}/__init__.py": "", **modules})
            env = {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(root / "cache")}
            cold = seconds("optimizer", "plan", "--path", "site", cwd=root, **env)
            warm = statistics.median(seconds("optimizer", "plan", "--path", "site", cwd=root, **env) for _ in range(3))
            print(f"{count:>13}   {cold:>6.2f}   {warm:>6.2f}   {warm / count * 1000:>12.2f}")


if __name__ == "__main__":
    against_pip_list()
    growing()
