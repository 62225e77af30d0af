"""The configuration as the page needs it to write another one: its layers, and the text around them as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer.errors import UsageError
from optimizer.layer_tables import parted

if TYPE_CHECKING:
    from optimizer.config import Config


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
    """What stands before the first [[layer]] and after the last, see `parted`; lines end as on Unix."""
    head, _, tail = parted(text.replace("\r\n", "\n"))
    return head, tail
