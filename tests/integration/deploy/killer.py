"""Kills a command at a call of the embedded AWS, by the operation's name; `killing` does it at any call."""

import subprocess
import sys

from tests.integration.deploy.killing import ENVIRONMENT, ROOT


class Killer:
    """Kills the process at the next call of an operation: before it takes effect, or after, its answer unread.

    `silent` is an operation that is never answered.
    """

    def __init__(self):
        self.process, self.before, self.after, self.strikes, self.silent = None, None, None, 0, None

    def ahead(self, _service, operation, _agent):
        if operation == self.silent:
            raise ConnectionAbortedError
        self._strike(operation == self.before)

    def follow(self, line):
        self._strike(line.operation == self.after)

    def _strike(self, now):
        if now:
            self.before = self.after = None
            self.strikes += 1
            self.process.kill()
            raise ConnectionAbortedError


def killed(killer, aws, folder, *options, **point):
    """A deploy in a process of its own, up to that point."""
    killed_in(killer, aws, "deploy", "--artifacts", str(folder), *options, **point)


def killed_in(killer, aws, *command, **point):
    """A command in a process of its own, up to that point."""
    arguments = [sys.executable, "-m", "optimizer", *command, "--yes", "--endpoint-url", aws.endpoint_url]
    struck = killer.strikes
    with subprocess.Popen(
        arguments, cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    ) as p:
        killer.process = p
        for moment, operation in point.items():
            setattr(killer, moment, operation)
        assert p.wait(timeout=60) == -9
    assert killer.strikes == struck + 1
