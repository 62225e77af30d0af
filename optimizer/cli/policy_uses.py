"""Which AWS clients each function's code makes, and that of the distributions that it requires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.cli.selecting import facts_of, select_code
from optimizer.cli.sources import open_source
from optimizer.content import Store, file_hashes
from optimizer.inventory import read_inventory
from optimizer.select import SDK

if TYPE_CHECKING:
    from pathlib import Path

    from optimizer.config import Config
    from optimizer.inventory.clients import ClientCalls


def client_calls_of(
    config: Config, *, path: Path | None, wheels: Path | None, requirements: Path | None
) -> dict[str, dict[str, ClientCalls]]:
    """By function, the clients that each module makes; the SDK's own, made for whoever calls it, are left out.

    Raises:
        OptimizerError: the source can't be read.
    """
    with Store() as store:
        opened = open_source(config, path=path, wheels=wheels, requirements=requirements, sha256=file_hashes(store))
        inventory = read_inventory(config, opened.environment, requirements=requirements)
        facts = facts_of(inventory, select_code(config, inventory), store)
    return {
        function.name: {
            place: made
            for name in (f"function {function.name}", *sorted(function.closure - SDK))
            if name in facts
            for place, made in facts[name].clients.items()
            if made.names or made.unknown_lines
        }
        for function in inventory.functions
    }
