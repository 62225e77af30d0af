"""CycloneDX documents of what was built: one beside each zip, the same bytes for the same inputs.

A distribution is a component with its purl, its licence, and as a property the digest of its sources that a lock has
too. It has no `hashes`: those would speak of a wheel, of which less ships. What is required and lies in another layer
stands as external. Shared libraries that a wheel brought in a `.libs` folder stand inside its component, each with its
file's hash; SBOMs that a wheel brought itself (PEP 770) are referenced by path.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from optimizer.errors import UsageError

try:
    from cyclonedx.contrib.license.exceptions import InvalidSpdxLicenseException
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
    from cyclonedx.model import component as cdx
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.license import LicenseAcknowledgement, LicenseExpression
    from cyclonedx.output.json import JsonV1Dot7
    from packageurl import PackageURL
except ImportError as error:
    raise UsageError(
        f"An SBOM is made with cyclonedx-python-lib, which is not installed ({error})",
        mend="Install it: python -m pip install 'layer-optimizer[sbom]'",
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cyclonedx.model.license import License

    from optimizer.build.components import Component
    from optimizer.build.manifest import Artifact
    from optimizer.models import Inventory, Target

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "layer-optimizer")
"""Ours alone: serial numbers are made of it and of what the document says, so that equal documents have equal ones."""
_OURS = "layer-optimizer"
"""What names of our properties begin with."""
_LIBRARY_FOLDER = ".libs"


class Sboms:
    """Makes the documents of one build.

    Args:
        components: what each layer holds.
        inventory: which distributions the functions' own requirements name.
    """

    def __init__(self, components: Sequence[Component], inventory: Inventory) -> None:
        self._components = components
        self._homes: dict[str, list[str]] = {}
        for one in components:
            self._homes.setdefault(one.name, []).append(one.layer)
        self._versions = {one.name: one.version for one in components}
        self._target = inventory.target
        self._direct = {function.name: function.direct for function in inventory.functions}

    def document(self, artifact: Artifact) -> str:
        """The artifact's document, ending in a newline."""
        layer = artifact.kind == "layer"
        held = [one for one in self._components if layer and one.layer == artifact.name]
        inside = {one.name: _distribution(one) for one in held}
        direct = () if layer else self._direct[artifact.name]
        asked = {name for one in held for name in one.requires} | {str(name) for name in direct}
        outside = {name: self._external(name) for name in sorted(asked & self._versions.keys() - inside.keys())}
        known = inside | outside
        root = _root(artifact, self._target)
        bom = Bom(components=known.values())
        bom.metadata.component = root
        bom.register_dependency(root, (inside or outside).values())
        for one in held:
            bom.register_dependency(inside[one.name], [known[name] for name in one.requires if name in known])
        return _text(bom)

    def _external(self, name: str) -> cdx.Component:
        """A distribution that another layer has."""
        homes = [_property("layer", layer) for layer in self._homes[name]]
        return _python(name, self._versions[name], is_external=True, properties=homes)


def _root(artifact: Artifact, target: Target) -> cdx.Component:
    """The zip that the document is about."""
    layer = artifact.kind == "layer"
    facts = {
        "kind": artifact.kind,
        "fingerprint": artifact.fingerprint,
        "target": f"{target.runtime} {target.architecture}",
        "zip": artifact.path,
    }
    return cdx.Component(
        name=artifact.name,
        type=cdx.ComponentType.FILE if layer else cdx.ComponentType.APPLICATION,
        bom_ref=f"{artifact.kind}:{artifact.name}",
        hashes=[_sha256(artifact.sha256)],
        properties=_properties(facts),
    )


def _distribution(one: Component) -> cdx.Component:
    sboms = [file for file in one.files if file.path.startswith(f"{one.info}/sboms/")]
    return _python(
        one.name,
        one.version,
        licenses=_licenses(one),
        properties=[
            _property("sources-sha256", one.digest),
            *(_property("part", part) for part in one.parts),
            *(_property("licence-file", path) for path in one.licence_files),
        ],
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.BOM,
                url=XsUri(file.path),
                comment="came with the wheel; the path is that in the zip",
                hashes=[_sha256(file.content)],
            )
            for file in sboms
        ],
        components=[
            cdx.Component(
                name=file.path,
                type=cdx.ComponentType.FILE,
                bom_ref=f"file:{file.path}",
                hashes=[_sha256(file.content)],
            )
            for file in one.files
            if any(folder.endswith(_LIBRARY_FOLDER) for folder in file.path.split("/")[:-1])
        ],
    )


def _python(name: str, version: str, **values: Any) -> cdx.Component:
    purl = PackageURL(type="pypi", name=name, version=version)
    return cdx.Component(
        name=name,
        version=version,
        type=cdx.ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
        **values,
    )


def _licenses(one: Component) -> Iterable[License]:
    """What the metadata declares: an expression alone, or names; what is an SPDX identifier says so."""
    make, declared = LicenseFactory(), LicenseAcknowledgement.DECLARED
    expression = one.licence.expression
    licenses: list[License] = []
    for text in [expression] if expression else one.licence.names:
        try:
            licenses.append(make.make_with_id(text, acknowledgement=declared))
        except InvalidSpdxLicenseException:
            kept = LicenseExpression(text, acknowledgement=declared) if expression else None
            licenses.append(kept or make.make_with_name(text, acknowledgement=declared))
    return licenses


def _properties(facts: Mapping[str, str]) -> list[Property]:
    return [_property(name, value) for name, value in facts.items()]


def _property(name: str, value: str) -> Property:
    return Property(name=f"{_OURS}:{name}", value=value)


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


def _text(bom: Bom) -> str:
    """The document without its time, so that it is the same on any day; the rest makes its serial number."""
    document = json.loads(JsonV1Dot7(bom).output_as_string())
    del document["metadata"]["timestamp"], document["serialNumber"]
    serial = uuid.uuid5(_NAMESPACE, json.dumps(document, sort_keys=True))
    head = {key: document.pop(key) for key in ("$schema", "bomFormat", "specVersion")}
    return json.dumps({**head, "serialNumber": serial.urn, **document}, indent=2, ensure_ascii=False) + "\n"
