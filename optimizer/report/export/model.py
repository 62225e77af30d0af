"""What is exported: the manifest's layers and functions with readable ids, and where each layer comes from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.errors import ArtifactError, UsageError
from optimizer.report.export.names import Ids

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from optimizer.build import Artifact, Function, Manifest, Share
    from optimizer.report.export.published import PublishedLayer

ALIAS = "live"
"""What callers call, as `deploy` has it."""
SHORT = 12
"""Hex digits of a fingerprint where people read it."""
_VERSION_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer of ours: its zip, or where it was `published`.

    `path` leads to the zip from the written file, `file` from the build's folder. `id` is in PascalCase, `snake` the
    same with underscores.
    """

    name: str
    id: str
    snake: str
    fingerprint: str
    path: str
    file: str
    zipped_bytes: int
    published: PublishedLayer | None

    @property
    def said(self) -> str:
        """Its description, which tells what it holds, and which no command takes for its own."""
        return f"{self.name}, fingerprint {self.fingerprint[:SHORT]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A function as it is exported: its zip as a layer's, `layers` of ours in attach order; external ones follow.

    `digest` changes whenever code, layers or settings do.
    """

    given: Function
    id: str
    snake: str
    path: str
    file: str
    fingerprint: str
    layers: tuple[Layer, ...]

    @property
    def digest(self) -> str:
        """Ten hex digits over all that makes a new version of the function."""
        held = [self.fingerprint, *(f"{layer.name} {layer.fingerprint}" for layer in self.layers)]
        given = self.given
        settings = [given.handler, given.runtime, given.architecture, given.memory_mb, given.timeout_seconds]
        more = [[layer.arn for layer in given.external_layers], sorted(given.environment.items()), given.role_arn]
        return hashlib.sha256(json.dumps([held, settings, more]).encode()).hexdigest()[:_VERSION_DIGITS]

    @property
    def said(self) -> str:
        """What it runs, by fingerprints."""
        layers = " ".join(layer.fingerprint[:SHORT] for layer in self.layers)
        return f"Code {self.fingerprint[:SHORT]}" + (f", layers {layers}" if layers else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """All of it.

    `folder` is the build's, from the `file` that is written; `command` is what writes that file again, `before` what
    is called before that; `place` is the file's folder where these are not called in it, else empty.
    """

    runtime: str
    architecture: str
    layers: tuple[Layer, ...]
    functions: tuple[Exported, ...]
    share: Share | None
    folder: str
    file: str
    command: str
    before: tuple[str, ...]
    place: str = ""

    @property
    def made(self) -> tuple[Layer, ...]:
        """The layers that the tool publishes."""
        return tuple(layer for layer in self.layers if layer.published is None)

    @property
    def regions(self) -> tuple[str, ...]:
        """Where the functions are to run."""
        return tuple(dict.fromkeys(region for one in self.functions for region in one.given.regions))

    @property
    def title(self) -> str:
        """The functions' names."""
        return ", ".join(one.given.name for one in self.functions)

    def texts(self) -> list[str]:
        """Every text that a person chose freely: variables, tags, policies."""
        found: list[str] = []
        for one in self.functions:
            for values in (one.given.environment, one.given.tags):
                found += [*values, *values.values()]
            found += _strings(one.given.policy)
        return found

    def refuse(self, marker: str, who: str) -> None:
        """Refuse texts that a tool would replace, where it has no way to write them as they are.

        Raises:
            UsageError: one holds the marker.
        """
        wrong = [text for text in self.texts() if marker in text]
        if wrong:
            raise UsageError(
                f"{who} replaces what begins with {marker!r}, and can't be told not to: it stands in an environment "
                f"variable, a tag or a policy of {self.title}",
                mend="Change that value in config/layers.toml and build again, or deploy with `deploy`.",
            )


def export_of(
    manifest: Manifest,
    *,
    folder: str,
    file: str,
    command: str,
    before: Sequence[str] = (),
    place: str = "",
    published: Mapping[str, PublishedLayer] | None = None,
) -> Export:
    """What a manifest says, ready to be written.

    Args:
        manifest: what was built.
        folder: its folder as a POSIX path, relative to that of the file which is written.
        file: the name of that file.
        command: what writes it again.
        before: what is called before that: build, say.
        place: the folder of that file, where these are not called in it.
        published: layers by name that are attached as they were published, instead of their zips.

    Raises:
        ArtifactError: a function or layer is not among the artifacts.
        UsageError: a layer was not published, or with other content.
    """
    ids = Ids()

    def layer_of(name: str) -> Layer | None:
        artifact = manifest.artifact(name, "layer")
        if not artifact.files:  # Lambda takes no empty zip
            return None
        there = None if published is None else _checked(published, artifact)
        return Layer(
            name=name,
            id=ids.pascal(name, "Layer"),
            snake=ids.snake(name, "Layer"),
            fingerprint=artifact.fingerprint,
            path=f"{folder}/{artifact.path}",
            file=artifact.path,
            zipped_bytes=artifact.zipped_bytes,
            published=there,
        )

    used = dict.fromkeys(name for function in manifest.functions for name in function.layers)
    layers = {name: layer for name in used if (layer := layer_of(name)) is not None}
    return Export(
        runtime=manifest.target.runtime,
        architecture=manifest.target.architecture,
        layers=tuple(layers.values()),
        functions=tuple(_function(manifest, one, layers, folder, ids) for one in manifest.functions),
        share=manifest.share,
        folder=folder,
        file=file,
        command=command,
        before=tuple(before),
        place=place,
    )


def _function(manifest: Manifest, given: Function, layers: Mapping[str, Layer], folder: str, ids: Ids) -> Exported:
    code = manifest.artifact(given.artifact, "function")
    return Exported(
        given=given,
        id=ids.pascal(given.name, "Function"),
        snake=ids.snake(given.name, "Function"),
        path=f"{folder}/{code.path}",
        file=code.path,
        fingerprint=code.fingerprint,
        layers=tuple(layers[name] for name in given.layers if name in layers),
    )


def _checked(published: Mapping[str, PublishedLayer], artifact: Artifact) -> PublishedLayer:
    again = "Publish what was built: python -m optimizer publish --artifacts DIR --format json > FILE"
    found = published.get(artifact.name)
    if found is None:
        raise UsageError(f"--published has no layer {artifact.name!r}, which a function attaches", mend=again)
    if found.fingerprint != artifact.fingerprint:
        raise UsageError(
            f"--published has layer {artifact.name!r} with fingerprint {found.fingerprint[:SHORT]}, "
            f"built was {artifact.fingerprint[:SHORT]}",
            mend=again,
        )
    return found


def _strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in _strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in _strings(one)]
    return [value] if isinstance(value, str) else []


def each(render: Callable[[Export], str], export: Export) -> str:
    """The text, in UTF-8.

    Raises:
        ArtifactError: it holds half a character, as only a damaged manifest does.
    """
    text = render(export)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ArtifactError(
            f"The manifest holds text that is no Unicode: {error.reason}", mend="Build again: python -m optimizer build"
        ) from error
    return text
