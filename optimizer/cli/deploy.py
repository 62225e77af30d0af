"""`deploy`: publish what changed, attach it in order, check it, and only then let callers in."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.aws import ArtifactsOption, BucketOption, EndpointOption, LocalOption, endpoint
from optimizer.cli.common import (
    CONFIG,
    ConfigOption,
    Format,
    FormatOption,
    LayersOption,
    PathOption,
    RequirementsOption,
    emit_json,
    note,
)
from optimizer.errors import AwsError, DeployRefusedError, OptimizerError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from optimizer.build import Function, Manifest
    from optimizer.deploy import Aws, ChangeSet


def deploy(
    config: ConfigOption = CONFIG,
    path: PathOption = None,
    requirements: RequirementsOption = None,
    layers: LayersOption = None,
    artifacts: ArtifactsOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the change set and call nothing else.")] = False,
    code_only: Annotated[
        bool, typer.Option("--code-only", help="Send function.zip alone; refuse where layers or settings changed.")
    ] = False,
    local: LocalOption = False,
    endpoint_url: EndpointOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    accept_latest: Annotated[
        bool, typer.Option("--accept-latest", help="Go on although something calls $LATEST.")
    ] = False,
    bucket: BucketOption = None,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Publish each layer that changed, attach them in order, check the new version, then move the alias `live`.

    Callers of the alias are served by a whole, checked version at every instant. Running it again is always safe:
    what was done is found and not done twice.

    Example: python -m optimizer deploy --local --yes
    """
    manifest = _manifest(config, path, requirements, layers, artifacts, quiet=output_format is Format.JSON)
    from rich.console import Console

    console = Console(stderr=output_format is Format.JSON, highlight=False)
    calls: Counter[str] = Counter()
    sent = 0
    documents = []
    failures: list[OptimizerError] = []
    with endpoint(local=local, endpoint_url=endpoint_url) as (url, credentials):
        from optimizer.deploy import BotoAws

        for function in manifest.functions:
            for region in function.regions:
                aws = BotoAws(region, endpoint_url=url, credentials=credentials, bucket=bucket)
                run = _Run(manifest, function, aws, console, code_only=code_only, accept_latest=accept_latest)
                try:
                    run.go(dry_run=dry_run, yes=yes)
                except (AwsError, DeployRefusedError) as error:
                    failures.append(error)
                    run.fail(error)
                    note(f"error: {error}")
                finally:
                    calls += aws.calls
                    sent += aws.sent_bytes
                documents.append(run.document)
    if output_format is Format.JSON:
        from optimizer.report.change_set import deploy_document

        emit_json(deploy_document(documents, executed=not dry_run, sent_bytes=sent, calls=calls))
    return max((error.exit_status for error in failures), default=0)


class _Run:
    """One function in one region."""

    def __init__(
        self,
        manifest: Manifest,
        function: Function,
        aws: Aws,
        console: Console,
        *,
        code_only: bool,
        accept_latest: bool,
    ) -> None:
        self._manifest = manifest
        self._function = function
        self._aws = aws
        self._console = console
        self._code_only = code_only
        self._accept_latest = accept_latest
        self._changes: ChangeSet | None = None
        self.document: dict[str, Any] = {}

    def go(self, *, dry_run: bool, yes: bool) -> None:
        """Decide, print, ask, execute.

        Raises:
            AwsError: AWS refuses or can't be reached.
            DeployRefusedError: it would hurt somebody, or the check failed.
            UsageError: nobody is there to be asked.
        """
        from optimizer.deploy import Execution, make_change_set, read_state
        from optimizer.report.change_set import print_change_set

        state = read_state(self._aws, self._manifest, self._function)
        self._changes = changes = make_change_set(
            self._manifest, self._function, state, code_only=self._code_only, accept_latest=self._accept_latest
        )
        print_change_set(changes, self._console)
        self._describe("done")
        if dry_run or changes.empty:
            return
        if not yes and not _confirmed():
            raise DeployRefusedError("Not deployed: you said no", mend="Nothing was changed.")
        execution = Execution(
            aws=self._aws, manifest=self._manifest, changes=changes, progress=lambda line: note(f"  {line}")
        )
        try:
            result = execution.run()
        except KeyboardInterrupt:
            done = ", ".join(execution.done) or "nothing"
            note(f"interrupted; done so far: {done}. Deploy again: it goes on from there, nothing is done twice.")
            raise
        self._describe("done", result)
        self._console.print(f"  deployed version {result.version} to alias live in {self._aws.region}")
        if result.url:
            self._console.print(f"  {result.url}", soft_wrap=True)

    def fail(self, error: OptimizerError) -> None:
        """Describe a deploy that did not go through."""
        self._describe("refused" if isinstance(error, DeployRefusedError) else "failed", message=error.message)

    def _describe(self, outcome: str, result: Any = None, message: str | None = None) -> None:
        from optimizer.deploy import ALIAS
        from optimizer.report.change_set import deployment_document

        self.document = deployment_document(
            self._changes,
            function=self._function.name,
            region=self._aws.region,
            outcome=outcome,
            result=result,
            alias=ALIAS,
            message=message,
        )


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        raise UsageError("Nobody is there to confirm the deploy", mend="Give --yes, or --dry-run to only look.")
    return typer.confirm("Deploy?", err=True)


def _manifest(
    config: Any, path: Any, requirements: Any, layers: int | None, artifacts: Any, *, quiet: bool
) -> Manifest:
    """What was built, or what is built now."""
    from optimizer.build import Manifest
    from optimizer.cli.build import DEFAULT_OUTPUT, run_build
    from optimizer.cli.pipeline import Source
    from optimizer.config import load

    if artifacts is not None:
        return Manifest.read(artifacts)
    output = load(config).root / DEFAULT_OUTPUT
    return run_build(Source(config=config, path=path, requirements=requirements, layers=layers), output, quiet=quiet)
