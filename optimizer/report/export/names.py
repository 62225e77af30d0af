"""Names of resources that people can read, made from names of layers and functions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(slots=True)
class Ids:
    """Gives each name one id of letters and digits, and no id to two names of a kind."""

    _taken: dict[tuple[str, str], str] = field(default_factory=dict)

    def pascal(self, name: str, kind: str) -> str:
        """The name in PascalCase, AwsCore say; a name without letters gets that of its kind."""
        words = "".join(word[:1].upper() + word[1:] for word in _words(name))
        return self._unique(words if words[:1].isalpha() else f"{kind}{words}", name, kind, "")

    def snake(self, name: str, kind: str) -> str:
        """The same in lower case with underscores: aws_core."""
        words = "_".join(word.lower() for word in _words(name))
        stem = words if words[:1].isalpha() else f"{kind.lower()}{words and '_'}{words}"
        return self._unique(stem, name, f"{kind} snake", "_")

    def _unique(self, stem: str, name: str, kind: str, joint: str) -> str:
        found, number = stem, 1
        while self._taken.setdefault((kind, found.lower()), name) != name:
            number += 1
            found = f"{stem}{joint}{number}"
        return found


def _words(name: str) -> list[str]:
    return re.findall(r"[A-Za-z0-9]+", name)
