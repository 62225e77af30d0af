"""The pipeline up to the layer plan, as plan, explain, build and deploy run it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer import graph, partition, plan, select
from optimizer.cli.common import note
from optimizer.cli.exposed import Exposed, judged
from optimizer.cli.selecting import choose
from optimizer.cli.solving import Effort, split
from optimizer.cli.sources import open_source
from optimizer.collisions import plan_collisions
from optimizer.config import Config, load
from optimizer.content import CODE, LAYER, Payloads, Store, file_hashes, find_compiler, find_exposures
from optimizer.errors import ConfigError, UsageError
from optimizer.history import SNAPSHOT, History, make_scenarios, read_history
from optimizer.inventory import read_inventory
from optimizer.inventory.wheels import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from optimizer.cli.sources import Opened
    from optimizer.history import Scenarios
    from optimizer.models import Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the shared source options say; `change` is made to the configuration that was read."""

    config: Path
    path: Path | None = None
    wheels: Path | None = None
    requirements: Path | None = None
    upgrade: bool = False
    layers: int | None = None
    snapshot: Path | None = None
    fresh: bool = False
    best_so_far: bool = False
    effort: Effort = field(default_factory=Effort)
    change: Callable[[Config], Config] = lambda config: config


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A layer plan, and what building it needs.

    `services` are the service models that ship, None for all; `evidence` is what the selection's rules rested on;
    `exposed` is what of it is secret.
    """

    config: Config
    plan: plan.LayerPlan
    inventory: Inventory
    payloads: Payloads
    services: frozenset[str] | None
    evidence: Mapping[str, select.Evidence]
    problem: partition.Problem
    history: History | None
    store: Store
    opened: Opened
    exposed: Exposed
    interrupted: bool = False


@contextmanager
def planned(source: Source, *, trust_stat: bool = True) -> Iterator[Planned]:
    """The layer plan for those options; the content cache stays open meanwhile.

    Args:
        source: the command's source options.
        trust_stat: see Payloads.compute.

    Raises:
        OptimizerError: whichever stage refuses.
    """
    config = source.change(load(source.config))
    faults = select.unknown_rules(config)
    if faults:
        raise ConfigError(tuple(faults), where=str(config.path))
    with Store() as store:
        opened = open_source(
            config,
            path=source.path,
            wheels=source.wheels,
            requirements=source.requirements,
            upgrade=source.upgrade,
            sha256=file_hashes(store) if trust_stat else sha256_of,
        )
        inventory = read_inventory(config, opened.environment, requirements=source.requirements)
        chosen = choose(config, inventory, store)
        inventory, code = chosen.inventory, chosen.code
        compiler = find_compiler(inventory.target.lambda_runtime) if config.build.bytecode else None
        code_place = replace(CODE, bytecode=config.build.code_bytecode)
        groups = graph.make_groups(inventory.distributions, config.groups.together)
        payloads = Payloads(store, compiler, note)
        computed = payloads.compute(
            [*((s, LAYER) for s in chosen.selections), *((s, code_place) for s in code)], trust_stat=trust_stat
        )
        exposed = judged(
            config,
            find_exposures(
                store,
                zip(chosen.selections, computed[: len(chosen.selections)], strict=True),
                zip(code, computed[len(chosen.selections) :], strict=True),
            ),
        )
        by_name = {payload.name: payload for payload in computed[: len(chosen.selections)]}
        locks = read_locks(config)
        history = _history(config, source)
        scenarios = make_scenarios(history, by_name, config.plan) if history else None
        problem = partition.make_problem(
            config,
            groups,
            requires={str(d.name): d.requires for d in inventory.distributions},
            weights={name: (p.zipped_bytes, p.unzipped_bytes) for name, p in by_name.items()},
            layers=source.layers,
            scenarios=scenarios,
            locked={} if source.fresh else plan.locked_homes(locks),
            locked_layers=() if source.fresh else locks,
        )
        answer, interrupted = split(problem, store, source.effort)
        if interrupted and not source.best_so_far:
            raise KeyboardInterrupt  # nothing is built or sent from a split that somebody broke off
        notes = [*chosen.notes, *exposed.warnings]
        notes += _history_notes(history, scenarios, inventory)
        if interrupted:
            notes.append("interrupted: this is the best split found until then")
        if store.note:
            notes.append(store.note)
        layer_plan = plan.make_plan(
            config,
            inventory,
            groups=groups,
            partition=answer,
            payloads=by_name,
            code=computed[len(chosen.selections) :],
            locks=locks,
            magic=compiler.magic if compiler else None,
            code_magic=compiler.magic if compiler and code_place.bytecode else None,
            notes=notes,
            never_imported=chosen.idle,
        )
        yield Planned(
            config=config,
            inventory=inventory,
            plan=replace(layer_plan, warnings=(*layer_plan.warnings, *map(str, plan_collisions(layer_plan)))),
            payloads=payloads,
            services=chosen.services,
            evidence=chosen.evidence,
            problem=problem,
            history=history,
            store=store,
            opened=opened,
            exposed=exposed,
            interrupted=interrupted,
        )


def _history(config: Config, source: Source) -> History | None:
    """The release history; one that is named has to be there.

    Raises:
        UsageError: it is not, or it can't be read.
    """
    history = read_history(source.snapshot or config.root / SNAPSHOT)
    if history is None and source.snapshot is not None:
        raise UsageError(f"there is no release history at {source.snapshot}", mend="Name another with --snapshot.")
    return history


def _history_notes(history: History | None, scenarios: Scenarios | None, inventory: Inventory) -> list[str]:
    """What the plan can't know of the releases, and what follows from that."""
    if history is None or scenarios is None:
        return []
    update = "run `python -m optimizer history update`"
    notes = []
    names = [str(d.name) for d in inventory.distributions]
    if names and len(scenarios.unknown) == len(names):
        notes.append(f"{SNAPSHOT} knows none of the distributions, which all get the prior; {update}")
    elif scenarios.unknown:
        notes.append(f"no release history of {', '.join(scenarios.unknown)}: each gets the prior; {update}")
    target = inventory.target
    if (history.runtime, history.architecture) != (target.runtime, target.architecture):
        notes.append(f"{SNAPSHOT} is of {history.runtime} on {history.architecture}; {update}")
    return notes


def lock_path(config: Config, layer: str) -> Path:
    """Where a layer's lock is committed."""
    return config.root / "layers" / layer / "layer.lock"


def read_locks(config: Config) -> dict[str, str]:
    """The text of every committed lock, by its layer.

    Raises:
        UsageError: one can't be read.
    """
    locks = {}
    for path in sorted((config.root / "layers").glob("*/layer.lock")):
        try:
            text = path.read_text("utf-8")
            if plan.is_lock(text):  # a file of somebody else's is nobody's business here
                locks[path.parent.name] = text
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} can't be read: {error}", mend="Take it from version control again.") from error
    return locks
