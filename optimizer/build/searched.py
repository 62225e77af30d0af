"""What looks secret in zips that something else than `build` made, which searches what it packs before it does."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from functools import partial
from typing import TYPE_CHECKING

from optimizer import limits
from optimizer.content import find_secrets
from optimizer.errors import ArtifactError, SecretError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from optimizer.build.manifest import Artifact, Manifest


def refuse_secrets(manifest: Manifest, artifacts: Iterable[Artifact]) -> None:
    """See that no zip holds what looks secret.

    What a RECORD in the zip names, and all of a layer, is taken for published distributions', and is searched for files
    that are secret by name and for private keys; the rest for tokens too.

    Raises:
        ArtifactError: a zip can't be read.
        SecretError: some do; with every place.
    """
    found: list[str] = []
    for artifact in artifacts:
        try:
            with zipfile.ZipFile(manifest.zip_path(artifact)) as archive:
                found += [f"{artifact.path}: {place}" for place in _secrets(archive, layer=artifact.kind == "layer")]
        except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError) as error:
            raise ArtifactError(
                f"{manifest.zip_path(artifact)} can't be read: {error}", mend="Make it again."
            ) from error
    if found:
        raise SecretError(
            "A zip holds what looks secret:" + "".join(f"\n  {line}" for line in found),
            mend="Take it out, make the zip and its manifest again, and renew what was ever sent or committed: a "
            "function reads secrets at run time, from Secrets Manager or SSM. If it is none, say in manifest.json "
            '"searched": true.',
        )


def _secrets(archive: zipfile.ZipFile, *, layer: bool) -> list[str]:
    """Each place, as `path:line: what`."""
    files = [info for info in archive.infolist() if not info.is_dir()]
    if sum(info.file_size for info in files) > limits.UNZIPPED_BYTES:
        return []  # which Lambda takes from nobody
    published = {
        row[0]
        for info in files
        if info.filename.endswith(".dist-info/RECORD")
        for row in csv.reader(io.StringIO(archive.read(info).decode("utf-8", "replace"), newline=""))
        if row
    }
    return [
        f"{info.filename}:{hit.line}: {hit.what}" if hit.line else f"{info.filename}: {hit.what}"
        for info in files
        for hit in find_secrets(
            info.filename, partial(archive.read, info), own=not layer and info.filename not in published
        )
    ]
