"""Artifacts → findings: the zips themselves first, then what can be seen of them, then what runs."""

from __future__ import annotations

import platform
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.collisions import Listing, find_collisions
from optimizer.errors import check_known
from optimizer.runtime import FunctionImage, RuntimeMissingError
from optimizer.runtime.folders import prepare, shared_objects
from optimizer.runtime.interpreter import find_interpreter
from optimizer.runtime.unpack import unpack
from optimizer.verify.elf import check_libraries
from optimizer.verify.findings import Finding, Report, joined
from optimizer.verify.handler import call_handler
from optimizer.verify.imports import check_imports
from optimizer.verify.measure import has_bare_bytecode, measure_start
from optimizer.verify.modules import find_modules
from optimizer.verify.refusal import refusing_aws
from optimizer.verify.zips import check_records, check_size, check_zip, read_metadata, read_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from optimizer.build import Function, Manifest
    from optimizer.models import Target
    from optimizer.verify.refusal import Refusal
    from optimizer.verify.zips import Metadata, ReadZip

_ACCOUNT = "123456789012"
_RUNTIME_MODULES = {
    "boto3": "boto3",
    "botocore": "botocore",
    "s3transfer": "s3transfer",
    "jmespath": "jmespath",
    "dateutil": "python-dateutil",
    "six": "six",
    "urllib3": "urllib3",
}
"""The distribution of each top-level module that the runtime itself carries (limits.RUNTIME_DISTRIBUTIONS)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to verify: `functions` by name (none: all), further modules to import, and how many starts to measure."""

    functions: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    measure: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One function of a build, and what is shared while all of them are verified."""

    manifest: Manifest
    function: Function
    zips: Mapping[str, ReadZip]
    metadata: tuple[Metadata, ...]
    options: Options
    cache: Path
    progress: Callable[[str], None]

    @property
    def target(self) -> Target:
        return self.manifest.target

    @property
    def code(self) -> ReadZip:
        return self.zips[f"function {self.function.artifact}"]

    @property
    def layers(self) -> tuple[ReadZip, ...]:
        return tuple(self.zips[f"layer {name}"] for name in self.function.layers)

    def runtime_serves(self, missing: str | None) -> str | None:
        """A note where a module that was not found is the runtime's own, which this machine has not."""
        distribution = _RUNTIME_MODULES.get(missing or "")
        if distribution is None or any(each.name == distribution for each in self.metadata):
            return None
        return f"the runtime's own {distribution} is used, and is not here: what imports it was not checked"


def verify(manifest: Manifest, options: Options, cache: Path, progress: Callable[[str], None]) -> Report:
    """Everything that is wrong with a build's artifacts.

    Args:
        manifest: of the build, with its folder.
        options: what to verify.
        cache: a folder for unpacked zips, which several verifications may share.
        progress: called with a line before what takes long.

    Raises:
        UsageError: there is no function of a name asked for.
        RuntimeMissingError: the runtime's client is not installed.
        DiskError: the cache can't be written, or no process started.
    """
    functions = _functions(manifest, options)
    faults = [finding for artifact in manifest.artifacts for finding in check_zip(manifest, artifact)]
    if faults:
        return Report(findings=tuple(faults), notes=("nothing else was checked: the zips are not what was built",))
    zips = {f"{a.kind} {a.name}": read_zip(manifest, a) for a in manifest.artifacts}
    metadata = read_metadata([one for key, one in zips.items() if key.startswith("layer ")])
    with refusing_aws() as refusal:
        return joined(
            _verify(
                _Job(
                    manifest=manifest,
                    function=function,
                    zips=zips,
                    metadata=metadata,
                    options=options,
                    cache=cache,
                    progress=progress,
                ),
                refusal,
            )
            for function in functions
        )


def _functions(manifest: Manifest, options: Options) -> Sequence[Function]:
    known = {function.name: function for function in manifest.functions}
    check_known("function", options.functions, known, where="what was built")
    return [known[name] for name in options.functions] or list(known.values())


def _verify(job: _Job, refusal: Refusal) -> Report:
    """One function: its files, then its shared objects, then it runs, where that can be here."""
    findings: list[Finding] = []
    notes = [f"{x.arn} is not here: what it adds or hides was not checked" for x in job.function.external_layers]
    findings += check_size(job.manifest, job.function)
    findings += check_records(job.metadata, job.layers)
    _hidden(job, findings, notes)
    image = _image(job, refusal)
    with ThreadPoolExecutor() as pool:
        code, *layers = pool.map(lambda path: unpack(path, job.cache), (image.code, *image.layers))
    findings += check_libraries(shared_objects(code, layers), job.target)
    reason = _cannot_run(job.target)
    if reason:
        note = f"nothing was imported or called: {reason}; archives, metadata's files and shared objects were checked"
        return Report(findings=tuple(findings), notes=(*notes, note))
    return joined([Report(findings=tuple(findings), notes=tuple(notes)), _run(job, image, refusal)])


def _run(job: _Job, image: FunctionImage, refusal: Refusal) -> Report:
    name = job.function.name
    folders = prepare(image, job.cache)
    job.progress(f"{name}: starting {image.handler}")
    called = call_handler(image, folders, path=job.function.check_path, refusal=refusal)
    served = job.runtime_serves(called.missing)
    notes = [note for note in (called.note, served) if note]
    findings = [called.finding] if called.finding and not served else []
    wrong, odd, imported = check_imports(
        image,
        folders,
        modules=_modules(job),
        metadata=job.metadata,
        serves=job.runtime_serves,
        progress=lambda line: job.progress(f"{name}: {line}"),
    )
    measured = []
    if job.options.measure and has_bare_bytecode(image):
        notes.append(f"{name}: nothing to measure: modules ship as bytecode alone, by the rule `sources` under [slim]")
    elif job.options.measure and not findings:
        job.progress(f"{name}: measuring {job.options.measure} starts with bytecode and without")
        measured.append(measure_start(image, folders, runs=job.options.measure, scratch=job.cache))
    return Report(
        findings=(*findings, *wrong),
        notes=(*notes, *odd),
        starts=(called.start,) if called.start else (),
        modules_imported=imported,
        measured=tuple(measured),
    )


def _modules(job: _Job) -> tuple[str, ...]:
    """What to import: all that the layers offer, then what was asked for."""
    found = find_modules((path for one in job.layers for path in one.contents), job.target)
    return tuple(dict.fromkeys((*found, *job.options.imports)))


def _hidden(job: _Job, findings: list[Finding], notes: list[str]) -> None:
    """Collisions are findings, but for those that may well be wanted."""
    found = find_collisions(
        Listing(place=f"code of {job.function.name}", files=job.code.contents),
        [Listing(place=f"layer {one.artifact.name}", files=one.contents) for one in job.layers],
        environment=job.function.environment,
        python=job.target.lambda_runtime.version,
    )
    for one in found:
        if one.severity == "advice":
            notes.append(str(one))
        else:
            actual = f"{one.detail}; {one.mend}"
            findings.append(
                Finding(check="collision", subject=one.subject, expected="nothing hides anything", actual=actual)
            )


def _image(job: _Job, refusal: Refusal) -> FunctionImage:
    function, manifest = job.function, job.manifest
    region = function.regions[0]
    return FunctionImage(
        name=function.name,
        version="$LATEST",
        arn=f"arn:aws:lambda:{region}:{_ACCOUNT}:function:{function.name}",
        handler=function.handler,
        runtime=function.runtime,
        architecture=function.architecture,
        memory_mb=function.memory_mb,
        timeout_seconds=function.timeout_seconds,
        environment=refusal.variables(function.environment, region),
        code=manifest.zip_path(job.code.artifact),
        layers=tuple(manifest.zip_path(one.artifact) for one in job.layers),
        offline=True,
    )


def _cannot_run(target: Target) -> str | None:
    """Why nothing of the target's can run here; None where it can."""
    if platform.system() != "Linux":
        return "functions run on Linux only"
    if platform.machine() != target.machine:
        return f"this machine is {platform.machine()}, the target {target.machine}"
    try:
        find_interpreter(target.lambda_runtime)
    except RuntimeMissingError as error:
        return error.message
    return None
