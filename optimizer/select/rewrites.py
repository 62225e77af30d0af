"""[pure] Which files ship rewritten: what a cold start parses and no call reads is not sent, nor what only people read.

A service model's `documentation` is what docstrings of clients are made from; botocore's endpoints.json is read for the
services that ship alone. Nothing is read here: the content is changed where it is read (content/rewrites.py, and
content/comments.py for the function's own modules).
"""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from optimizer.models import whole
from optimizer.select.parts import SERVICES_OWNER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from optimizer.config import Config
    from optimizer.models import InstalledFile, Selection

DOCUMENTATION_RULE = "botocore-documentation"
ENDPOINTS_RULE = "botocore-endpoints"
SOURCES_RULE = "sources"
COMMENTS_RULE = "comments"
REWRITES = {
    DOCUMENTATION_RULE: "texts for people, from which docstrings of clients are made; each cold start parses them",
    ENDPOINTS_RULE: "endpoints of services that do not ship; each cold start parses them",
    SOURCES_RULE: "sources of modules that ship as bytecode: only tracebacks and `inspect` read them",
    COMMENTS_RULE: "comments and docstrings of the function's own modules that only people read, in the sources",
}
"""Rules that rewrite files instead of leaving them out, and why."""
ON_REQUEST = frozenset({COMMENTS_RULE, SOURCES_RULE})
"""Rules that are off unless the configuration switches them on."""
ENDPOINTS = "botocore/data/endpoints.json"
_MODEL = re.compile(r"botocore/data/([^/]+)/[^/]+/service-\d+\.json(?:\.gz)?")


def is_on(config: Config, rule: str) -> bool:
    """Whether a rule is on: as `[slim]` says, or else as it is by itself."""
    return config.slim.rules.get(rule, rule not in ON_REQUEST)


def without_sources(selection: Selection, config: Config) -> Selection:
    """The selection with those of its modules marked that ship as bytecode alone, where that is asked for.

    Python imports `x.pyc` in the place of `x.py`, and says the same line numbers. What no import statement could name
    is data, whatever its suffix, and stays; `keep` patterns win.
    """
    if not is_on(config, SOURCES_RULE):
        return selection
    keep = config.slim.keep.get(whole(selection.name), ())

    def marked(file: InstalledFile) -> InstalledFile:
        *folders, name = file.path.split("/")
        module = name.removesuffix(".py")
        importable = module != name and all(part.isidentifier() for part in (*folders, module))
        return replace(file, unsourced=True) if importable and not _matches(file, keep) else file

    return replace(selection, files=tuple(map(marked, selection.files)))


def without_comments(
    selection: Selection, config: Config, keep: Iterable[str], unread: Mapping[str, tuple[int, ...]]
) -> Selection:
    """A function's own selection with its modules marked to ship without comments, where that is asked for.

    Args:
        selection: of the function's own source.
        config: `[slim]`.
        keep: the function's patterns of files that ship as they are.
        unread: the lines on which docstrings begin that nothing reads, by the module's path.
    """
    if not is_on(config, COMMENTS_RULE):
        return selection

    def marked(file: InstalledFile) -> InstalledFile:
        if not file.path.endswith(".py") or _matches(file, keep):
            return file
        return replace(file, uncommented=True, unread=unread.get(file.path, ()))

    return replace(selection, files=tuple(map(marked, selection.files)))


def rewriting_rule(file: InstalledFile) -> str:
    """The rule by which a file ships with less text, or empty."""
    if file.undocumented:
        return DOCUMENTATION_RULE
    if file.endpoints:
        return ENDPOINTS_RULE
    return COMMENTS_RULE if file.uncommented else ""


def _matches(file: InstalledFile, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(file.path, pattern) for pattern in patterns)


def rewrite(selection: Selection, config: Config, prefixes: frozenset[str] | None) -> Selection:
    """The selection with those of its files marked that ship rewritten; `keep` patterns win.

    A model that is gzip'd ships as plain JSON, which botocore's loader takes as well: the zip compresses it, and gzip's
    own bytes would differ from one compressor to the next.

    Args:
        selection: of any distribution; others than botocore stay as they are.
        config: `[slim]`.
        prefixes: the endpoint prefixes of the services that ship, None for all.
    """
    if selection.name != SERVICES_OWNER:
        return selection
    keep = config.slim.keep.get(SERVICES_OWNER, ())
    documentation, endpoints = is_on(config, DOCUMENTATION_RULE), is_on(config, ENDPOINTS_RULE)
    paths = {file.path for file in selection.files}

    def changed(file: InstalledFile) -> InstalledFile:
        if _matches(file, keep):
            return file
        if documentation and _MODEL.fullmatch(file.path):
            path = file.path.removesuffix(".gz")
            return file if path != file.path and path in paths else replace(file, path=path, undocumented=True)
        if endpoints and prefixes and file.path == ENDPOINTS:
            return replace(file, endpoints=tuple(sorted(prefixes)))
        return file

    return replace(selection, files=tuple(sorted(map(changed, selection.files), key=lambda file: file.path)))


def service_models(files: Iterable[InstalledFile]) -> dict[str, InstalledFile]:
    """The newest model of each service among the files, by the service."""
    found = {}
    for file in sorted(files, key=lambda one: one.path):
        match = _MODEL.fullmatch(file.path)
        if match:
            found[match[1]] = file
    return found
