"""What ships of an inventory, as every command that plans decides it: facts, services, rules and notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer import select
from optimizer.content import endpoint_prefixes, find_facts, shipped
from optimizer.errors import ConfigError, InventoryError
from optimizer.inventory.uses import importable_roots, own_roots

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from optimizer.config import Config
    from optimizer.content import Facts, Store
    from optimizer.models import Inventory, Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What ships: `selections` of the `inventory`'s distributions, each path once, and of the functions' `code`.

    `services` are the service models that ship, None for all; `evidence` is what the rules rested on, `idle` the names
    of distributions that nothing leads to, and `notes` what a person should know of all that.
    """

    inventory: Inventory
    selections: list[Selection]
    code: list[Selection]
    services: frozenset[str] | None
    evidence: Mapping[str, select.Evidence]
    idle: tuple[str, ...]
    notes: tuple[str, ...]


def choose(config: Config, inventory: Inventory, store: Store) -> Chosen:
    """Select what ships; with `split_services` the inventory has botocore's parts too.

    Raises:
        ConfigError: `[slim]` names what nothing needs, or a service can't be told.
        InventoryError: a .pth file points at what does not ship.
        DiskError: a file can't be read.
    """
    faults = select.unknown_names(config, inventory)
    if faults:
        raise ConfigError(tuple(faults), where=str(config.path))
    code = select_code(config, inventory)
    notes = _path_files(inventory)
    facts = facts_of(inventory, code, store)
    services = choose_services(config, inventory, facts)
    uses = {name: found.uses for name, found in facts.items()}
    own = {name: found for name, found in uses.items() if name in map(_function, code)}
    evidence = select.gather(uses)
    selected = [select.select_distribution(d, config, services.kept, evidence[d.name]) for d in inventory.distributions]
    risks = [
        warning
        for distribution, selection in zip(inventory.distributions, selected, strict=True)
        for warning in select.pattern_warnings(distribution, config, selection)
    ]
    prefixes = _endpoint_prefixes(selected, services.kept, store)
    selections, shared = select.without_shared(
        [select.without_sources(select.rewrite(s, config, prefixes), config) for s in selected]
    )
    idle = select.never_imported(inventory, own, uses, frozenset(name for name, f in facts.items() if f.plugs_in))
    told = select.exclusion_warnings(inventory, own)
    if config.aws.split_services and services.kept is not None:
        selections = select.split_selections(selections, services.kept)
        inventory = select.split_inventory(inventory, selections)
    return Chosen(
        inventory=inventory,
        selections=selections,
        code=[
            select.without_comments(selection, config, function.keep, facts[_function(selection)].unread)
            for function, selection in zip(config.function, code, strict=True)
        ],
        services=services.kept,
        evidence=evidence,
        idle=idle,
        notes=(*map(str, shared), *notes, *told, *risks, *services.warnings),
    )


def _endpoint_prefixes(
    selected: Iterable[Selection], services: frozenset[str] | None, store: Store
) -> frozenset[str] | None:
    """The endpoint prefixes of the services that ship; None where all do, or where they can't be told.

    Raises:
        DiskError: a service's model can't be read.
    """
    owner = next((s for s in selected if s.name == select.SERVICES_OWNER), None)
    models = select.service_models(owner.files) if owner and services is not None else {}
    return endpoint_prefixes(store, models.values()) if models else None


def select_code(config: Config, inventory: Inventory) -> list[Selection]:
    """What goes into each function's own zip."""
    return [
        select.select_source(function, source.files, config)
        for function, source in zip(config.function, inventory.functions, strict=True)
    ]


def facts_of(inventory: Inventory, code: list[Selection], store: Store) -> dict[str, Facts]:
    """What the modules of each distribution and of each function do.

    Raises:
        DiskError: a file can't be read.
    """
    sources = {str(d.name): (d.files, False) for d in inventory.distributions}
    sources |= {_function(selection): (selection.files, True) for selection in code}
    roots = [root for d in inventory.distributions for root in own_roots(d)]
    roots += [root for excluded in inventory.excluded for root in excluded.roots]
    return find_facts(store, sources, importable_roots(roots))


def _function(selection: Selection) -> str:
    """Under which name the facts about a function stand: none that a distribution can have."""
    return f"function {selection.name}"


def choose_services(config: Config, inventory: Inventory, facts: Mapping[str, Facts]) -> select.Services:
    """Which of botocore's services ship.

    Raises:
        ConfigError: see select.choose_services.
    """
    available = select.available_services(inventory.distributions)
    calls = {path: made for found in facts.values() for path, made in found.clients.items()}
    return select.choose_services(config, available, calls)


def _path_files(inventory: Inventory) -> list[str]:
    """What a person should know of the .pth files that ship.

    Raises:
        InventoryError: one points at files that do not ship.
    """
    found = [
        (str(d.name), problem)
        for d in inventory.distributions
        for file in d.files
        if select.is_path_file(file.path)
        for problem in select.path_file_problems(file.path, shipped(file).decode("utf-8", "replace"))
    ]
    refused = tuple(f"{name}: {problem.text}" for name, problem in found if problem.refused)
    if refused:
        where = "The running environment" if inventory.source == "installed" else inventory.source
        raise InventoryError(refused, where=where, mend="Install those distributions as wheels: pip install FOLDER")
    return [f"{name}: {problem.text}" for name, problem in found]
