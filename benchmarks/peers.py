"""What the comparisons share: commands, the peers' own environments, and `sam build` of the example."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import platformdirs

ROOT = Path(__file__).parents[1]
HOME = platformdirs.user_cache_path("layer-optimizer") / "benchmarks"
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: function, Handler: lambda_function.handler, Runtime: python3.11}
"""


def run(*command: str | Path, cwd: Path = ROOT, **env: str) -> None:
    """Run a command; its output is shown where it fails."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")


def peer(name: str, package: str | None) -> Path:
    """The bin folder of a peer's own environment, made where it is not there."""
    place = HOME / name / "bin"
    if not (place / name).exists():
        print(f"installing {package or name} (once)", file=sys.stderr)
        run(sys.executable, "-m", "venv", "--clear", HOME / name)
        if package:
            run(place / "pip", "install", "--quiet", package)
    return place


def prepare_sam(folder: Path) -> Path:
    """Lay out the example for sam in a folder; sam's bin folder is returned."""
    shutil.copytree(ROOT / "function", folder / "function", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "template.yaml").write_text(TEMPLATE)
    return peer("sam", "aws-sam-cli")


def sam_build(sam_bin: Path, folder: Path, **env: str) -> Path:
    """Build the example there; the folder that `sam deploy` would send is returned."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))  # has the python it builds with
    run(sam_bin / "sam", "build", cwd=folder, PATH=path, SAM_CLI_TELEMETRY="0", **env)
    return folder / ".aws-sam/build/Function"
