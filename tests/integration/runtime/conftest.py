"""Fleets of small functions, each ended after its test with nothing left behind."""

import json
import textwrap
import time
import zipfile
from pathlib import Path

import pytest

from optimizer.runtime import Fleet, FunctionImage
from optimizer.runtime.unpack import remove

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:f"


class Functions:
    """Makes fleets from sources; `call` invokes with a value and reads the answer."""

    def __init__(self, folder):
        self.folder = folder
        self.cache = folder / "cache"
        self.fleets = []

    def zip(self, files):
        path = self.folder / f"{len(list(self.folder.glob('*.zip')))}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, textwrap.dedent(content) if isinstance(content, str) else content)
        return path

    def fleet(
        self,
        source,
        *,
        layers=(),
        environment=None,
        timeout=5.0,
        concurrency=10,
        handler="h.handler",
        more=(),
        runtime="python3.11",
    ):
        image = FunctionImage(
            name="f",
            version="$LATEST",
            arn=ARN,
            handler=handler,
            runtime=runtime,
            architecture="x86_64",
            memory_mb=128,
            timeout_seconds=timeout,
            environment={"AWS_REGION": "eu-central-1", **(environment or {})},
            code=self.zip({"h.py": source, **dict(more)}),
            layers=tuple(self.zip(layer) for layer in layers),
        )
        fleet = Fleet(image, cache=self.cache, concurrency=concurrency)
        self.fleets.append(fleet)
        return fleet

    @staticmethod
    def call(fleet, event=None, request_id="6f1c0e2a-0000-4000-8000-000000000001"):
        done = fleet.invoke(json.dumps(event).encode(), request_id=request_id, invoked_arn=f"{ARN}:live")
        return done, json.loads(done.payload)

    def gone(self):
        """Whether no process is left, in a moment: what is killed takes one to die on a busy machine."""
        end = time.monotonic() + 5
        while self.processes() and time.monotonic() < end:
            time.sleep(0.01)
        return not self.processes()

    def processes(self):
        """The numbers of processes whose working folder lies here."""
        found = []
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                try:
                    place = str((process / "cwd").readlink())
                except OSError:
                    continue
                if place.startswith(str(self.folder)):
                    found.append(int(process.name))
        return found


@pytest.fixture
def functions(tmp_path):
    made = Functions(tmp_path)
    yield made
    for fleet in made.fleets:
        fleet.kill()
    assert made.gone()
    remove(made.cache)
