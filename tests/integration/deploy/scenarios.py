"""What is deployed when a deploy is disturbed: builds before and after, and whole states that callers may see."""

import dataclasses
import io
import random
import zipfile
from typing import Any

from tests.integration.deploy.conftest import HANDLER, built, zipped

BUCKET = "zips"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`before` are the builds that are deployed undisturbed first, `build` is the one that is disturbed.

    `fat` is a function that somebody made by hand from one zip; `arguments` are the command and its options. The whole
    states that callers may see are those of all these builds, as (version, core, web).
    """

    name: str
    build: dict[str, Any]
    before: tuple[dict[str, Any], ...] = ()
    arguments: tuple[str, ...] = ("deploy",)
    fat: bool = False

    @property
    def states(self):
        """What callers may see."""
        builds = (*self.before, self.build)
        seen = {tuple(build.get(key, "1") for key in ("version", "core", "web")) for build in builds}
        return seen | ({("fat", "fat", "fat")} if self.fat else set())


_SECOND = {"version": "2", "core": "1", "web": "1"}
_LAYER = {"web": "2"}
_SETTINGS = {"memory_mb": 512, "environment": {"MODE": "new"}, "policy": None}
SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(name="first deploy", build={}),
        Scenario(name="code change", before=({},), build=_SECOND),
        Scenario(name="layer change", before=({},), build=_LAYER),
        Scenario(name="both", before=({},), build={"version": "2", "core": "2", "web": "2"}),
        Scenario(name="all and settings", before=({"url": "iam"},), build={"version": "2", "web": "2", **_SETTINGS}),
        Scenario(name="fat to layers", fat=True, build={"megabytes": {"app": 30, "aws-core": 90, "web": 80}}),
        Scenario(
            name="through S3",
            before=({},),
            build={"web": "2", "random_megabytes": {"web": 53}},
            arguments=("deploy", "--bucket", BUCKET),
        ),
        Scenario(
            name="canary",
            before=({},),
            build={"version": "2", "web": "2"},
            arguments=("deploy", "--canary", "50%", "--for", "1s"),
        ),
        Scenario(
            name="rollback",
            before=({}, {"version": "2", "web": "2"}),
            build={},
            arguments=("rollback",),
        ),
    )
}


def _rest(megabytes, seed):
    """Text that deflate makes about a seventh of."""
    chance = random.Random(seed)
    return "".join(f"{chance.randbytes(32).hex()}{'-' * 200}" for _ in range(megabytes * 1_000_000 // 264))


def build_in(folder, *, megabytes=None, random_megabytes=None, **build):
    """A build, some of whose artifacts are made large, with text or with what does not compress."""
    more = {name: {"rest.txt": _rest(size, name)} for name, size in (megabytes or {}).items()}
    for name, size in (random_megabytes or {}).items():
        more[name] = {"rest.bin": random.Random(name).randbytes(size * 1_000_000)}
    return built(folder, region="eu-a-1", more=more, **build)


def fat_zip():
    """The same function with what its layers hold, in one zip of about 200 MB unzipped."""
    out = io.BytesIO(
        zipped(
            {
                "h.py": HANDLER.format(version="fat", status=200),
                "core.py": "NAME = 'fat'\n",
                "web.py": "NAME = 'fat'\n",
            }
        )
    )
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("rest.txt"), _rest(200, "fat"), compress_type=zipfile.ZIP_DEFLATED)
    return out.getvalue()
