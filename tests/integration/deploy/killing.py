"""Disturbs a deploy at any one of its calls, calls the alias all along, and compares it with an undisturbed one.

What the sample in the tests and the whole of benchmarks/killed_deploys.py share. A point is the n-th call of an
operation, and what happens there: the process is killed before the call takes effect, or after it took effect and
before its answer is read; or it lives on and the answer is lost.
"""

import dataclasses
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from optimizer.build import Manifest
from optimizer.local import embedded_aws
from tests.integration.deploy.accounts import Account, Callers
from tests.integration.deploy.configured import configure
from tests.integration.deploy.scenarios import BUCKET, build_in, fat_zip

ROOT = Path(__file__).parents[3]
OURS = "layer-optimizer"
"""In the user agent of what is disturbed: calls of others are left alone."""
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
ENVIRONMENT = {**CLEAN, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_EC2_METADATA_DISABLED": "true"}

Happening = Literal["killed before", "killed after", "answer lost"]
HAPPENINGS: tuple[Happening, ...] = ("killed before", "killed after", "answer lost")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The `nth` call of an operation, from 1, and what happens there."""

    operation: str
    nth: int
    happening: Happening

    def __str__(self):
        """As in `killed before UpdateAlias`."""
        return f"{self.happening} {self.operation}{f' {self.nth}' if self.nth > 1 else ''}"


class Disturber:
    """Listens to every call of the embedded AWS, and lets one thing happen at one point."""

    def __init__(self):
        self.lock, self.here = threading.Lock(), threading.local()
        self.calls, self.point, self.process, self.struck = [], None, None, threading.Event()

    def arm(self, point):
        """Forget what was called, and wait for that point."""
        with self.lock:
            self.calls, self.point = [], point
            self.struck.clear()

    def ahead(self, _service, operation, agent):
        """See embedded_aws."""
        self.here.nth = None
        if OURS not in agent:
            return
        with self.lock:
            self.calls.append(operation)
            self.here.nth = self.calls.count(operation)
        self._strike(operation, {"killed before"})

    def follow(self, line):
        """See embedded_aws."""
        if OURS in line.agent:
            self._strike(line.operation, {"killed after", "answer lost"})

    def _strike(self, operation, happenings):
        point = self.point
        if point is None or point.happening not in happenings:
            return
        if (point.operation, point.nth) != (operation, self.here.nth):
            return
        self.point = None
        if point.happening != "answer lost":
            self.process.kill()
            self.process.wait()  # else it sees its connection end, and goes on a little
        self.struck.set()
        raise ConnectionAbortedError


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a point ended: `faults` is empty where it was survived.

    `alone` is whether the disturbed process itself ended well, `calls` how often callers were answered meanwhile.
    """

    point: Point
    faults: tuple[str, ...]
    alone: bool
    calls: int


class Theatre:
    """An embedded AWS in which scenarios are played, each time with a function and a region of its own."""

    def __init__(self, aws, disturber, folder):
        self.aws, self.disturber, self.folder = aws, disturber, folder
        self.numbers, self.manifests, self.fat_zip = itertools.count(1), {}, b""

    def undisturbed(self, scenario):
        """The calls in order, and the state and number of layer versions at the end."""
        account, folder = self._prepared(scenario)
        self.disturber.arm(None)
        done = self._run(scenario, account, folder)
        assert done.returncode == 0, done.stderr
        calls = list(self.disturber.calls)
        ended = (account.state(), account.layer_versions())
        account.forget()
        return calls, ended

    def play(self, scenario, point, ended):
        """Disturb at the point, run again, and compare."""
        account, folder = self._prepared(scenario)
        callers = Callers(account, exists=bool(scenario.before) or scenario.fat)
        with callers.calling():
            self.disturber.arm(point)
            first = self._run(scenario, account, folder)
            struck = self.disturber.struck.is_set()
            self.disturber.arm(None)
            again = self._run(scenario, account, folder)
        faults = []
        if not struck:
            faults.append("the point was not reached")
        if again.returncode != 0:
            faults.append(f"run again it ended with {again.returncode}: {again.stderr[-1500:]}")
        if callers.errors:
            faults.append(f"{len(callers.errors)} calls saw an error, the first: {callers.errors[0]}")
        if mixed := callers.seen - scenario.states:
            faults.append(f"callers saw mixed states: {sorted(mixed)}")
        if not callers.seen:
            faults.append("no call was answered")
        state, layers = account.state(), account.layer_versions()
        faults += [f"{key}: {state[key]} instead of {ended[0][key]}" for key in state if state[key] != ended[0][key]]
        if layers > ended[1] + 1:
            faults.append(f"{layers} layer versions instead of {ended[1]}, or one more")
        if scenario.arguments[0] == "deploy" and account.deployed(self._manifest(scenario.build, account)):
            faults.append("one more deploy finds something to change")
        account.forget()
        return Result(point=point, faults=tuple(faults), alone=first.returncode == 0, calls=callers.count)

    def _prepared(self, scenario):
        """A function as it is before the scenario, and the folder of the build that comes."""
        number = next(self.numbers)
        letters = str(number).translate(str.maketrans("0123456789", "abcdefghij"))  # ARNs take no digits there
        account = Account(self.aws.endpoint_url, region=f"eu-{letters}-1", function=f"app{number}")
        self.disturber.arm(None)
        if scenario.fat:
            self.fat_zip = self.fat_zip or fat_zip()
            account.made_by_hand(self.fat_zip)
        for build in scenario.before:
            account.deployed(self._manifest(build, account))
        if BUCKET in scenario.arguments and BUCKET not in {b["Name"] for b in account.s3.list_buckets()["Buckets"]}:
            account.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": account.region})
        manifest = self._manifest(scenario.build, account)
        if scenario.arguments[0] == "rollback":
            configure(manifest.folder, manifest)
            settings = manifest.folder / "config/layers.toml"
            settings.write_text(settings.read_text().replace("url =", 'check_path = "/health"\nurl ='))
        return account, manifest.folder

    def _run(self, scenario, account, folder):
        """The command in a process of its own, which may be killed."""
        command, *options = scenario.arguments
        settings = folder / "config/layers.toml"
        where = ("--artifacts", str(folder)) if command == "deploy" else ("--config", str(settings))
        arguments = [sys.executable, "-m", "optimizer", command, *where, *options, "--yes"]
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(
                [*arguments, "--endpoint-url", account.endpoint_url],
                cwd=ROOT,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
            )
            self.disturber.process = process
            try:
                code = process.wait(timeout=300)
            finally:
                process.kill()
                process.wait()
            errors.seek(0)
            return subprocess.CompletedProcess(arguments, code, stderr=errors.read())

    def _manifest(self, build, account):
        """A build's manifest for that function; its zips are built once."""
        key = json.dumps(build)
        if key not in self.manifests:
            self.manifests[key] = build_in(self.folder / f"build{len(self.manifests)}", **build)
        manifest = self.manifests[key]
        folder = self.folder / f"{account.function}-{list(self.manifests).index(key)}"
        if not folder.exists():
            folder.mkdir()
            for artifact in manifest.artifacts:
                (folder / artifact.path).hardlink_to(manifest.folder / artifact.path)
            function = dataclasses.replace(manifest.functions[0], name=account.function, regions=(account.region,))
            mine = dataclasses.replace(manifest, functions=(function,), folder=folder)
            (folder / "manifest.json").write_text(mine.to_json())
        return Manifest.read(folder)


def points(calls):
    """Every point of a sequence of calls."""
    seen = [(operation, calls[: i + 1].count(operation)) for i, operation in enumerate(calls)]
    return [
        Point(operation=operation, nth=nth, happening=happening) for operation, nth in seen for happening in HAPPENINGS
    ]


@contextmanager
def theatre():
    """A theatre, whose embedded AWS ends with the block."""
    disturber = Disturber()
    with (
        tempfile.TemporaryDirectory(prefix="kill-points-") as folder,
        embedded_aws(ahead=disturber.ahead, follow=disturber.follow) as aws,
    ):
        yield Theatre(aws, disturber, Path(folder))
