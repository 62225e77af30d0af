"""The configuration as the page needs it to write another one: its layers, and the text around them as it stands."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from optimizer.errors import UsageError

if TYPE_CHECKING:
    from optimizer.config import Config

_HEADER = re.compile(r"\s*\[.*\]\s*(#.*)?$")


def configuration(config: Config) -> dict[str, Any]:
    """The layers, groups and surrounding text of the file that the configuration was read from.

    Raises:
        UsageError: the file can't be read any more.
    """
    try:
        text = config.path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{config.path} can't be read: {error}", mend="Run the command again.") from error
    head, tail = around_layers(text)
    return {
        "path": config.path.resolve().relative_to(config.root).as_posix(),
        "head": head,
        "tail": tail,
        "layers": [layer.model_dump(mode="json") for layer in config.layer],
        "together": [list(names) for names in config.groups.together],
        "apart": [list(names) for names in config.groups.apart],
    }


def around_layers(text: str) -> tuple[str, str]:
    """What stands before the first [[layer]] and after the last; what stands between them comes to the latter.

    Comments right above a header belong to it. Where the layers are written as an inline array, all else is the head.
    """
    lines = text.splitlines(keepends=True)
    headers = [n for n, line in enumerate(lines) if _HEADER.match(line) and _is_whole("".join(lines[:n]))]
    of_layer = [n for n in headers if "layer" in tomllib.loads(lines[n])]
    if not of_layer:
        return _without_layers(text), ""
    starts = [_start(lines, n) for n in headers] + [len(lines)]
    tail = [
        "".join(lines[starts[place] : starts[place + 1]])
        for place, n in enumerate(headers)
        if n > of_layer[0] and n not in of_layer
    ]
    return "".join(lines[: of_layer[0]]), "".join(tail)


def _is_whole(text: str) -> bool:
    """Whether what follows the text begins a statement, and is not inside of a string or an array."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _start(lines: list[str], header: int) -> int:
    """Where the comments begin that stand above a header, blank lines between them too."""
    start = place = header
    while place > 0 and (not lines[place - 1].strip() or lines[place - 1].lstrip().startswith("#")):
        place -= 1
        if lines[place].strip():
            start = place
    return start


def _without_layers(text: str) -> str:
    import tomlkit

    document = tomlkit.parse(text)
    document.remove("layer")
    return tomlkit.dumps(document)
