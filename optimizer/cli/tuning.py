"""What `tune` does when its page asks: it shows the plan, plans what was tried, and writes the configuration."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from optimizer.cli.common import note, write_text
from optimizer.cli.paging import document_of, with_frontier
from optimizer.cli.pipeline import planned
from optimizer.config import parse
from optimizer.errors import LimitError, UsageError
from optimizer.layer_tables import LayerTable, with_layers
from optimizer.tune import ChangedError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from optimizer.cli.pipeline import Planned, Source

_MOST_NAMES = 5_000
_Name = Annotated[str, Field(min_length=1, max_length=300)]
_Names = Annotated[list[_Name], Field(max_length=_MOST_NAMES)]


class _Layer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: _Name
    was: _Name | None
    roots: _Names
    include: _Names
    self_contained: bool

    def table(self) -> LayerTable:
        return LayerTable(
            name=self.name,
            was=self.was,
            roots=tuple(self.roots),
            include=tuple(self.include),
            self_contained=self.self_contained,
        )


class _Sent(BaseModel):
    """What the page sends: the layers as they are to be, and what it was made from."""

    model_config = ConfigDict(extra="forbid", strict=True)

    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    layers: Annotated[list[_Layer], Field(min_length=1, max_length=20)]


class Session:
    """One configuration file and the page of its plan, one request after the other.

    The page that was made last is kept until the file is another.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._revision = ""
        self._html = ""
        self._document: dict[str, Any] = {}

    def page(self) -> str:
        """The page of what the file says now.

        Raises:
            OptimizerError: the planner refuses it.
        """
        with self._lock:
            text = self._text()
            if _revision(text) != self._revision:
                with planned(self._source) as found:
                    self._show(found, text)
            return self._html

    def plan(self, sent: Any) -> dict[str, Any]:
        """What the planner makes of those layers: `{"plan", "layers", "assignment"}`, each as in the page's document.

        Raises:
            OptimizerError: the planner refuses it; ChangedError: the file is another than the page's.
        """
        with self._lock, self._tried(self._wanted(sent)) as found:
            from optimizer.report.plan_json import plan_document

            partition = found.plan.partition
            return {
                "plan": plan_document(found.plan),
                "layers": [{"name": name, "role": role} for name, role in partition.layers],
                "assignment": dict(partition.assignment),
            }

    def write(self, sent: Any) -> dict[str, Any]:
        """Write those layers to the file: `{"document"}`, that of the page of what is planned with it.

        Raises:
            OptimizerError: the planner refuses it; ChangedError: the file is another than the page's. Nothing is
                written then.
        """
        with self._lock:
            text = self._wanted(sent)
            with self._tried(text) as found:
                _check_fits(found)
                self._check_revision(sent["revision"])  # planning took a while
                write_text(self._source.config, text)
                note(f"wrote {self._source.config}; `python -m optimizer plan --write` brings the locks up to it")
                self._source = self._without_count()
                self._show(found, text)
            return {"document": self._document}

    def _text(self) -> str:
        path = self._source.config
        try:
            return path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} can't be read: {error}", mend="Put it back, and load the page again.") from error

    def _show(self, found: Planned, text: str) -> None:
        from optimizer.report.page import page

        revision = _revision(text)
        served = {"revision": revision}
        self._document = document_of(with_frontier(found, self._source.effort), served)
        self._html = page(self._document)
        self._revision = revision

    def _wanted(self, sent: Any) -> str:
        """The file's text with the layers that were sent."""
        try:
            wanted = _Sent.model_validate(sent)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, x['loc']))}: {x['msg']}" for x in error.errors(include_url=False))
            raise UsageError(f"What the page sent is not understood: {faults}", mend="Load the page again.") from error
        text = self._check_revision(wanted.revision)
        parse(text, self._source.config)
        return with_layers(text, [layer.table() for layer in wanted.layers])

    def _check_revision(self, revision: str) -> str:
        text = self._text()
        if _revision(text) != revision:
            raise ChangedError(
                f"{self._source.config} was changed since the page was loaded; nothing was written.",
                mend="Load the page again. What you moved stands in its address, so that it is shown on the new plan.",
            )
        return text

    def _tried(self, text: str) -> AbstractContextManager[Planned]:
        config = parse(text, self._source.config)
        return planned(replace(self._without_count(), change=lambda _: config))

    def _without_count(self) -> Source:
        """The page's layers are all that there are, and wheels that were resolved anew once are not again."""
        return replace(self._source, layers=None, upgrade=False)


def _check_fits(found: Planned) -> None:
    from optimizer.report.advice import overflow

    advice = overflow(found.plan)
    if advice is not None:
        ideas = "".join(f"\n  {idea}" for idea in advice.ideas)
        raise LimitError(f"{advice.headline}{ideas}", mend="Nothing was written.")


def _revision(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
