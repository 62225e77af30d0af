"""What a distribution's METADATA says of its licence, read when asked for, and which of its files are licences.

Only what is unambiguous becomes an SPDX expression. The classifier `BSD License` may be any of several and stays as
it stands (PEP 639, appendix on mapping classifiers); so does a text that is no expression.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.metadata import parse_email

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from optimizer.models import Distribution, InstalledFile

SaidBy = Literal["License-Expression", "License", "classifiers", "nothing"]

_LONGEST = 100
"""So many characters of a licence's text are still a name, not the licence itself."""
_NONE = frozenset({"", "unknown", "none", "n/a", "-"})
_CLASSIFIERS = {
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "European Union Public Licence 1.1 (EUPL 1.1)": "EUPL-1.1",
    "European Union Public Licence 1.2 (EUPL 1.2)": "EUPL-1.2",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PostgreSQL License": "PostgreSQL",
    "Universal Permissive License (UPL)": "UPL-1.0",
    "University of Illinois/NCSA Open Source License": "NCSA",
    "zlib/libpng License": "Zlib",
}
"""The classifiers that mean one licence and do not end in its SPDX identifier in parentheses, as others do."""
_FIELDS = {
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "2-clause bsd license": "BSD-2-Clause",
    "simplified bsd": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "isc license": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0": "MPL-2.0",
    "mpl 2.0": "MPL-2.0",
}
"""What authors write into the free text of `License` and means one licence; lower case, without `the` and commas."""
_LICENCE_FILE = re.compile(r"(^|/)(LICEN[CS]ES?|COPYING|NOTICE|COPYRIGHT)([._-][^/]*)?$", re.IGNORECASE)
_CODE = (".py", ".pyc", ".pyi", ".so", ".json", ".gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """What the metadata says.

    `expression` is an SPDX expression, or None; `names` then hold what is said otherwise: SPDX identifiers where one is
    meant, else the words as they stand; several where the metadata does not say whether all hold or any. Neither:
    unknown. `files` are those that METADATA names.
    """

    expression: str | None
    names: tuple[str, ...]
    said_by: SaidBy
    files: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether the metadata says anything."""
        return self.expression is not None or bool(self.names)

    def __str__(self) -> str:
        return self.expression or ", ".join(self.names) or "unknown"


def read_licence(distribution: Distribution, read: Callable[[InstalledFile], bytes]) -> Licence:
    """The licence as the distribution's own metadata tells it.

    Args:
        distribution: whose files have METADATA, or an egg's PKG-INFO.
        read: gives a file's bytes.

    Raises:
        DiskError: the file can't be read.
    """
    places = {f"{distribution.info}/METADATA", f"{distribution.info}/PKG-INFO", distribution.info}
    found = next((file for file in distribution.files if file.path in places), None)
    return parse_licence(read(found)) if found else Licence(expression=None, names=(), said_by="nothing")


def parse_licence(metadata: bytes) -> Licence:
    """The licence that the text of METADATA tells: its expression, else its `License`, else its classifiers.

    A `License` that is a text and no name counts after the classifiers, with its first line.
    """
    fields, _ = parse_email(metadata)
    files = tuple(sorted(fields.get("license_files", ())))
    declared = fields.get("license_expression", "").strip()
    if declared.lower() not in _NONE:
        expression = _expression(declared)
        names = () if expression else (declared,)
        return Licence(expression=expression, names=names, said_by="License-Expression", files=files)
    text = fields.get("license", "").strip()
    plain = re.sub(r"^the | ?,", "", " ".join(text.lower().split()))
    expression = _expression(text) or _FIELDS.get(plain)
    if expression:
        return Licence(expression=expression, names=(), said_by="License", files=files)
    found = _classified(fields.get("classifiers", ()))
    if found:
        one = _expression(found[0]) if len(found) == 1 else None
        return Licence(expression=one, names=() if one else found, said_by="classifiers", files=files)
    name = "" if text.lower() in _NONE else text.splitlines()[0].strip()[:_LONGEST]
    if name:
        return Licence(expression=None, names=(name,), said_by="License", files=files)
    return Licence(expression=None, names=(), said_by="nothing", files=files)


def licence_files(paths: Iterable[str], info: str, licence: Licence) -> tuple[str, ...]:
    """Those of the paths that hold licences: declared, in the metadata's `licenses` folder, or named like one."""
    declared = {f"{info}/{folder}{name}" for name in licence.files for folder in ("", "licenses/")}
    return tuple(
        sorted(
            path
            for path in paths
            if path in declared
            or path.startswith(f"{info}/licenses/")
            or (_LICENCE_FILE.search(path) and not path.endswith(_CODE))
        )
    )


def _expression(text: str) -> str | None:
    """The text as an SPDX expression in its canonical form, or None where it is none."""
    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return None


def _classified(classifiers: Iterable[str]) -> tuple[str, ...]:
    """What the licence classifiers say, as SPDX identifiers where they mean one; `OSI Approved` alone says nothing."""
    found = set()
    for classifier in classifiers:
        head, _, rest = classifier.partition(" :: ")
        name = rest.removeprefix("OSI Approved").removeprefix(" :: ").strip()
        if head != "License" or not name:
            continue
        inner = re.search(r"\(([^()]+)\)$", name)
        found.add(_CLASSIFIERS.get(name) or (inner and _expression(inner[1])) or name)
    return tuple(sorted(found))
