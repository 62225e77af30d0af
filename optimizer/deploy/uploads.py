"""Zips on their way: checked against the manifest, sent directly or put into S3 for the time of the call."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from optimizer.deploy.port import Direct, Stored
from optimizer.errors import ArtifactError, AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from optimizer.build import Artifact, Manifest
    from optimizer.deploy.port import Aws, Zip

_CHUNK = 1 << 20


def check_zips(manifest: Manifest, artifacts: Iterable[Artifact]) -> None:
    """See that what will be sent is what was built, before anything is called that changes something.

    Raises:
        ArtifactError: a zip is missing or is not the manifest's; every one is told at once.
    """
    faults = []
    for artifact in sorted(set(artifacts), key=lambda a: a.path):
        path = manifest.zip_path(artifact)
        try:
            found = _sha256(path)
        except OSError as error:
            faults.append(f"{path}: {error.strerror or error}")
            continue
        if found != artifact.sha256:
            faults.append(f"{path}: its SHA-256 is {found[:12]}…, the manifest says {artifact.sha256[:12]}…")
    if faults:
        raise ArtifactError(
            "What was built is damaged:" + "".join(f"\n  {fault}" for fault in faults),
            mend="Build again: python -m optimizer build",
        )


@contextmanager
def on_its_way(
    aws: Aws, path: Path, artifact: Artifact, bucket: str | None, progress: Callable[[str], None]
) -> Iterator[Zip]:
    """The zip as a call takes it; what went through S3 is removed afterwards.

    Raises:
        AwsError: S3 refuses.
    """
    if bucket is None:
        yield Direct(data=path.read_bytes())
        return
    key = f"layer-optimizer/{artifact.sha256}.zip"
    aws.store(bucket, key, path)
    try:
        yield Stored(bucket=bucket, key=key)
    finally:
        try:
            aws.unstore(bucket, key)
        except AwsError as error:
            progress(f"s3://{bucket}/{key} could not be removed: {error.message}")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
