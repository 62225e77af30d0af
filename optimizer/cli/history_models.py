"""Beside `history update`: when the service models that are items of their own really changed."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.cli.selecting import choose_services, facts_of, select_code
from optimizer.content import Store
from optimizer.history.index import SimpleIndex
from optimizer.history.models import model_changes, newest_of_each_week
from optimizer.history.refresh import join_parts
from optimizer.history.snapshot import Releases
from optimizer.history.wheel_models import Looked, look
from optimizer.select import SERVICES_OWNER, part_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from optimizer.config import Config
    from optimizer.history.index import IndexFile
    from optimizer.history.refresh import Refreshed
    from optimizer.models import Inventory


def split_services(settings: Config, inventory: Inventory) -> frozenset[str]:
    """The services whose models are items of their own; none where the configuration does not ask for it.

    Raises:
        ConfigError: it can't be told which services ship.
    """
    if not settings.aws.split_services:
        return frozenset()
    with Store() as store:
        facts = facts_of(inventory, select_code(settings, inventory), store)
        return choose_services(settings, inventory, facts).kept or frozenset()


def with_models(
    refreshed: Refreshed,
    services: frozenset[str],
    files: Sequence[IndexFile],
    *,
    index_url: str | None,
    progress: Callable[[int], AbstractContextManager[Callable[[int, int], None]]] | None = None,
) -> Refreshed:
    """The snapshot with an entry for each service: the weeks in which its model has other content than the week before.

    Args:
        refreshed: the snapshot of whole distributions; botocore's releases in it are the ones that are compared.
        services: whose models.
        files: botocore's wheels, as the index tells of them.
        index_url: of the index that told.
        progress: tells how many of so many releases are here.

    Raises:
        NetworkError: the file host failed; what was read is kept.
    """
    known = refreshed.history.distributions.get(SERVICES_OWNER)
    weeks = newest_of_each_week(known.releases if known else ())
    looked = Looked()
    with (
        Store() as store,
        SimpleIndex(index_url) as index,
        progress(len(weeks)) if progress else nullcontext(lambda _done, _total: None) as tell,
    ):
        looked = look(index, store, weeks, files, services, tell=tell)
    found = {
        part_name(service): Releases(
            origin="index",
            releases=model_changes((release, models[service]) for release, models in looked.releases),
        )
        for service in (services if looked.releases else ())
    }
    joined = join_parts(refreshed, found, map(part_name, services))
    return replace(joined, notes=(*joined.notes, *looked.notes))
