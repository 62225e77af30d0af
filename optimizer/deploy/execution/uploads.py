"""Zips on their way: checked against the manifest, sent directly or put into S3 for the time of the call."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

from optimizer import limits
from optimizer.deploy.actions import DropUpload, sent_artifact
from optimizer.deploy.port import Direct, Stored
from optimizer.deploy.rejections import DENIED, CallRejectedError
from optimizer.errors import ArtifactError, AwsError, DeployRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from optimizer.build import Artifact, Manifest
    from optimizer.deploy.actions import Action
    from optimizer.deploy.port import Aws, Zip

T = TypeVar("T")
_CHUNK = 1 << 20
_FOLDER = "layer-optimizer/"
_TRIES = 4
"""Of sending a zip whose place in S3 others empty meanwhile: each of them does that once."""
_DAY_SECONDS = 86_400.0


def check_zips(manifest: Manifest, artifacts: Iterable[Artifact]) -> None:
    """See that what will be sent is what was built, before anything is called that changes something.

    Raises:
        ArtifactError: a zip is missing or is not the manifest's; every one is told at once.
        SecretError: one holds what looks secret, and was made by something that does not look.
    """
    faults = []
    sent = sorted(set(artifacts), key=lambda a: a.path)
    for artifact in sent:
        wrong = _damage(manifest.zip_path(artifact), artifact)
        if wrong:
            faults.append(wrong)
    if faults:
        raise ArtifactError(
            "What was built is damaged:" + "".join(f"\n  {fault}" for fault in faults),
            mend="Build again: python -m optimizer build",
        )
    if not manifest.searched:
        from optimizer.build.searched import refuse_secrets  # what build made is not looked at again

        refuse_secrets(manifest, sent)


def send(
    aws: Aws,
    path: Path,
    artifact: Artifact,
    bucket: str | None,
    use: Callable[[Zip], T],
    *,
    found: Callable[[], T | None] = lambda: None,
    progress: Callable[[str], None],
    stopping: Callable[[], bool] = lambda: False,
) -> T:
    """What `use` answers to the zip as a call takes it; what goes through S3 is removed afterwards.

    Its place there is that of its content: so a run finds what a killed one left. Another deploy of the same build that
    ends meanwhile removes it too; then it is sent again, unless `found` has what it was wanted for.

    Raises:
        AwsError: S3 refuses, or what `use` raises.
        DeployRefusedError: the zip was changed since the plan was made.
        KeyboardInterrupt: `stopping` said so while it was sent.
    """
    if bucket is None:
        _check_unchanged(path, artifact)
        return use(Direct(data=path.read_bytes()))
    key = key_of(artifact)
    try:
        for left in reversed(range(_TRIES)):
            try:
                _check_unchanged(path, artifact)
                aws.store(bucket, key, path, stopping=stopping)
                return use(Stored(bucket=bucket, key=key))
            except CallRejectedError as error:
                gone = error.aws_code == "NoSuchUpload" or "NoSuchKey" in error.aws_message
                if not (left and gone):
                    raise
            there = found()
            if there is not None:
                return there
            progress(f"another deploy removed s3://{bucket}/{key} meanwhile; sending it again")
        raise AssertionError("unreachable: the last try returns or raises")
    finally:
        try:
            aws.unstore(bucket, key)
            for part in aws.unfinished(bucket, key):  # of a killed run, or of a beginning whose answer was lost
                aws.unstore(bucket, part.key, upload=part.identifier)
        except AwsError as error:
            progress(f"something may be left of s3://{bucket}/{key}: {error.message}")


def key_of(artifact: Artifact) -> str:
    """Where an artifact is in a bucket while it is needed there."""
    return f"{_FOLDER}{artifact.sha256}.zip"


def left_behind(
    aws: Aws, manifest: Manifest, actions: Sequence[Action], bucket: str | None, progress: Callable[[str], None]
) -> tuple[DropUpload, ...]:
    """The removal of what killed runs left in the bucket, to be done before the actions.

    Of this build it is what is not sent again, of others what is older than a day. It is looked for where the build has
    zips that go through a bucket; whoever may not list that goes on without.

    Raises:
        AwsError: the bucket can't be listed for another reason.
    """
    if bucket is None or not any(map(is_large, manifest.artifacts)):
        return ()
    ours = {key_of(artifact) for artifact in manifest.artifacts}
    sent = {key_of(artifact) for action in actions if (artifact := sent_artifact(action)) is not None}
    try:
        there = (*aws.stored(bucket, _FOLDER), *aws.unfinished(bucket, _FOLDER))
    except CallRejectedError as error:
        if error.aws_code not in DENIED:
            raise
        progress(f"what killed runs left in s3://{bucket}/{_FOLDER} is not looked for: {error.message}")
        return ()
    return tuple(
        DropUpload(
            subject=f"s3://{bucket}/{one.key}",
            reason="an earlier run left it" if one.identifier is None else "an earlier run left it half sent",
            bucket=bucket,
            key=one.key,
            upload=one.identifier,
        )
        for one in there
        if one.key not in sent and (one.key in ours or one.age_seconds > _DAY_SECONDS)
    )


def is_large(artifact: Artifact) -> bool:
    """Whether a zip is too large to be sent in a call."""
    return artifact.zipped_bytes >= limits.DIRECT_ZIP_BYTES


def _check_unchanged(path: Path, artifact: Artifact) -> None:
    """See that a zip is what was planned: other content would be found by its fingerprint ever after.

    Raises:
        DeployRefusedError: it is not.
    """
    wrong = _damage(path, artifact)
    if wrong:
        raise DeployRefusedError(
            f"What was built was changed since the plan was made: {wrong}. It was not sent",
            mend="Let no build write there meanwhile, and run the same command again.",
        )


def _damage(path: Path, artifact: Artifact) -> str:
    """What is wrong with a zip, if anything."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        return f"{path}: {error.strerror or error}"
    found = digest.hexdigest()
    if found == artifact.sha256:
        return ""
    return f"{path}: its SHA-256 is {found[:12]}…, the manifest says {artifact.sha256[:12]}…"
