"""The page's arithmetic is the planner's, to the byte, whatever is moved; its files plan to what is shown."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from optimizer.cli.pipeline import Source, planned
from optimizer.config import Config, load, parse
from optimizer.errors import ConfigError
from optimizer.graph import Group
from optimizer.partition import make_problem, solve
from optimizer.partition.document import parse_problem
from optimizer.partition.instance import cost, floor, respects
from optimizer.partition.solve import instance_of
from optimizer.plan import LayerPlan
from optimizer.report.plan_json import plan_document
from tests.browser.problems import HEAD, SMALL_TABLES, TAIL, document_of, random_case, small_problem
from tests.browser.stacks import document_of as document_of_stack
from tests.browser.stacks import make_stack

if TYPE_CHECKING:
    from optimizer.partition.problem import Problem

PAGE = Path(__file__).parents[2] / "optimizer/report/page"
SINCE = date(2025, 1, 1)


def test_numbers_and_files_agree_with_the_planner_after_random_changes(model, tmp_path):
    cases, made = [random_case(random.Random(seed)) for seed in range(60)], 0
    for number, (case, shown) in enumerate(zip(cases, model(RUN, cases), strict=True)):
        problem = parse_problem(case["document"]["problem"])
        for step in shown:
            assert_same(problem, case["document"], step)
            assert_planned(problem, step, tmp_path / f"{number}.toml")
        made += sum(step["fault"] is None for step in shown[1:])
    assert made > 150  # chance names layers that are not there too


@pytest.mark.parametrize("history", [True, False], ids=["history", "no history"])
def test_the_file_of_what_is_shown_is_planned_to_the_same_bytes(model, tmp_path, monkeypatch, history):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = make_stack(tmp_path / "project", 27, history=history)
    shown = model(
        """([document, homes]) => { const base = Model.open(document);
        let state = Model.addLayer(base, Model.initial(base), "steady");
        for (const [item, layer] of homes) state = Model.move(base, state, item, layer);
        state = Model.reorder(base, state, "steady", 1);
        state = Model.rename(base, state, "utilities", "rest");
        const text = Model.toml(base, state, {everything: true});
        return {state, evaluation: Model.evaluate(base, state), text}; }""",
        [
            document_of_stack(path),
            [*([f"d{k}", "steady"] for k in range(0, 20, 5)), ["d3", "aws-core"]],
        ],
    )
    text, evaluation = shown["text"], shown["evaluation"]
    source = Source(config=path, path=path.parents[1] / "site", change=lambda _: parse(text, path))
    with planned(source) as found:
        plan = plan_document(found.plan)
    assert found.plan.partition.assignment == shown["state"]["homes"]
    for planned_layer, layer in zip(plan["layers"], evaluation["layers"], strict=True):
        for key in ("name", "zipped_bytes", "unzipped_bytes"):
            assert planned_layer[key] == layer[key]
    for key in ("total_unzipped_bytes", "headroom_bytes", "fits"):
        assert plan[key] == evaluation[key]
    for key in ("republished_bytes_per_year", "floor_bytes_per_year"):
        assert plan["objective"][key] == evaluation[key]
    if history:
        assert plan["objective"]["cost"] == pytest.approx(evaluation["cost"], rel=1e-12)
    else:
        assert plan["objective"]["cost"] is evaluation["cost"] is None


def test_a_link_is_the_state_and_a_damaged_one_is_refused(model):
    cases = [random_case(random.Random(seed)) for seed in range(60, 90)]
    for steps in model(LINKS, cases):
        assert steps["first"] == ""
        for step in steps["links"]:
            assert step["back"] == step["state"]
            assert all("damaged" in words for words in step["cut"])
            assert step["other"] is None or "another plan" in step["other"]
    (found,) = model(
        """([document]) => { const base = Model.open(document);
        return [["layers=0,9&moved=", "moved=a:1", "#%zz", "layers=0,1&moved=&sum=zzz"].map((text) => {
          try { Model.decode(base, text); return null; } catch (error) { return error.message; } })]; }""",
        [cases[0]["document"]],
    )
    assert all("damaged" in words for words in found)


@pytest.mark.parametrize(
    ("number", "whole"), [(0.5, 0), (1.5, 2), (2.5, 2), (2.4999, 2), (7.0, 7), (123456789.5, 123456790)]
)
def test_halves_are_rounded_as_python_does(model, number, whole):
    assert model("(number) => Model.round(number)", number) == whole == round(number)


def test_a_file_of_what_was_moved_pins_nothing_else(model, tmp_path):
    document = document_of(small_problem(), tables=SMALL_TABLES)
    text = model(
        """(document) => { const base = Model.open(document); let state = Model.initial(base);
        state = Model.addLayer(base, state, "steady");
        state = Model.move(base, state, ["d", "e-core"], "steady");
        state = Model.reorder(base, state, "steady", 0);
        return Model.toml(base, state, {everything: false}); }""",
        document,
    )
    assert text.startswith(HEAD)
    assert TAIL in text
    assert text[len(HEAD) :].startswith(
        '[[layer]]\nname = "steady"\nroots = ["d", "e"]\n\n[[layer]]\nname = "first"\nroots = ["a"]\ninclude = ["c"]\n'
    )
    config = read(text, tmp_path / "layers.toml")
    assert [(layer.roots, layer.include) for layer in config.layer] == [(("d", "e"), ()), (("a",), ("c",)), ((), ())]


def test_a_root_that_moves_is_pinned_where_it_went_and_a_removed_layers_roots_stay_roots(model, tmp_path):
    document = document_of(small_problem(), tables=SMALL_TABLES)
    moved, removed, renamed = model(
        """(document) => { const base = Model.open(document); const start = Model.initial(base);
        const make = (state) => Model.toml(base, state, {everything: false});
        return [make(Model.move(base, start, "c", "second")), make(Model.removeLayer(base, start, "first", "second")),
                make(Model.rename(base, Model.move(base, start, ["a"], "second"), "first", "other"))]; }""",
        document,
    )
    first, second = read(moved, tmp_path / "moved.toml").layer
    assert (first.roots, first.include, second.roots, second.include) == (("a",), (), (), ("c",))
    (only,) = read(removed, tmp_path / "removed.toml").layer
    assert (only.roots, only.include) == (("a",), ("c",))
    other, second = read(renamed, tmp_path / "renamed.toml").layer
    assert (other.name, other.roots, other.include) == ("other", ("c",), ())
    assert second.include == ("a",)  # the rest may have no roots, other layers may not


@pytest.mark.parametrize("everything", [True, False])
def test_a_layer_that_the_command_line_asked_for_becomes_a_table(model, tmp_path, everything):
    document = document_of(small_problem(), tables=SMALL_TABLES)
    document["layers"].append({"name": "second-2", "role": "second"})
    document["assignment"]["d"] = "second-2"
    text = model(
        """([document, everything]) => { const base = Model.open(document);
        return Model.toml(base, Model.initial(base), {everything}); }""",
        [document, everything],
    )
    layers = read(text, tmp_path / "layers.toml").layer
    assert [layer.name for layer in layers] == ["first", "second", "second-2"]
    assert layers[1].roots == ()  # it is still what takes the rest
    assert (layers[2].roots, layers[2].include) == (("d",), ())
    assert layers[1].include == (("b", "e") if everything else ())


def test_changes_that_cannot_be_are_refused_in_words(model):
    document = document_of(small_problem(), tables=SMALL_TABLES)
    document["limits"]["layers"] = 3
    found = model(
        """(document) => { const base = Model.open(document); const start = Model.initial(base);
        const three = Model.addLayer(base, start, "third");
        const tries = [() => Model.move(base, start, "a", "nowhere"),
          () => Model.move(base, start, "unheard-of", "first"),
          () => Model.addLayer(base, start, "first"), () => Model.addLayer(base, start, "two words"),
          () => Model.addLayer(base, start, "function-app"), () => Model.addLayer(base, three, "fourth"),
          () => Model.removeLayer(base, start, "first"), () => Model.rename(base, start, "first", "second"),
          () => Model.reorder(base, start, "first", 2)];
        return tries.map((run) => { try { run(); return null; } catch (error) { return error.message; } }); }""",
        document,
    )
    for words, expected in zip(
        found,
        (
            "no layer",
            "unheard-of",
            "already",
            "not a layer's name",
            "function's zip",
            "at most 5, and 2 are external",
            "Say which layer",
            "already",
            "no place 3",
        ),
        strict=True,
    ):
        assert words is not None
        assert expected in words


RUN = """(cases) => cases.map(({document, changes}) => {
  const base = Model.open(document);
  let state = Model.initial(base);
  return [null, ...changes].map((change) => {
    let fault = null;
    if (change) {
      try { state = Model[change[0]](base, state, ...change.slice(1)); } catch (error) { fault = error.message; }
    }
    return {fault, state, evaluation: Model.evaluate(base, state), moved: Model.movedItems(base, state),
            everything: Model.toml(base, state, {everything: true}),
            only: Model.toml(base, state, {everything: false})};
  });
})"""

LINKS = """(cases) => cases.map(({document, changes}) => {
  const base = Model.open(document);
  let state = Model.initial(base);
  const refusal = (given, text) => {
    try { Model.decode(given, text); return null; } catch (error) { return error.message; }
  };
  const fewer = Model.open({...document, problem: {...document.problem, items: document.problem.items.slice(1)}});
  const gone = document.problem.items[0].name;
  const links = changes.map((change) => {
    try { state = Model[change[0]](base, state, ...change.slice(1)); } catch { /* told by another test */ }
    const link = Model.encode(base, state);
    return {state, back: Model.decode(base, "#" + link), other: Model.movedItems(base, state).includes(gone) ?
              refusal(fewer, link) ?? "taken" : null,
            cut: link ? [link.slice(0, -1), link.slice(1), link.replace(/[0-9]/, (x) => (Number(x) + 1) % 10)].map(
              (text) => refusal(base, text) ?? "taken") : []};
  });
  return {first: Model.encode(base, Model.initial(base)), links};
})"""


@pytest.fixture(scope="module")
def model(browser):
    context = browser.new_context()
    page = context.new_page()
    for name in ("arithmetic.js", "model.js"):
        page.add_script_tag(content=(PAGE / name).read_text("utf-8"))
    yield page.evaluate
    context.close()


def assert_same(problem, document, step):
    """Every number of the page is what Python makes of the same assignment."""
    shown, state = step["evaluation"], step["state"]
    names = [layer["name"] for layer in state["layers"]]
    homes = [names.index(state["homes"][item.name]) for item in problem.items]
    instance = replace(instance_of(problem), layers=len(names), nonempty=False)
    weeks = tuple((1.0, changed) for _, changed in instance_of(replace(problem, scenarios=observed(problem))).scenarios)
    seen = replace(instance, scenarios=weeks, publish_bytes=0.0)
    known = bool(problem.scenarios)
    assert shown["cost"] == (cost(instance, homes) if known else None)
    for key, expected in (("republished", cost(seen, homes)), ("floor", floor(seen))):
        assert shown[f"{key}_bytes_per_year"] == (round(expected / problem.observed_years) if known else None)
    assert [window["bytes"] for window in shown["windows"]] == [
        cost(replace(seen, scenarios=(week,)), homes) for week in weeks
    ]
    layers = []
    for k, row in enumerate(shown["layers"]):
        held = [item for item, home in zip(problem.items, homes, strict=True) if home == k]
        assert row["items"] == [item.name for item in held]
        assert row["zipped_bytes"] == sum(item.zipped_bytes for item in held) + 22
        assert row["publishes"] == sum(any(homes[i] == k for i in changed) for _, changed in weeks)
        assert row["republished_bytes"] == row["publishes"] * (row["zipped_bytes"] - 22)
        layers.append(SimpleNamespace(unzipped_bytes=sum(item.unzipped_bytes for item in held)))
        assert row["unzipped_bytes"] == layers[-1].unzipped_bytes
    functions = [
        SimpleNamespace(
            unzipped_bytes=f["unzipped_bytes"],
            config=SimpleNamespace(external_layers=[SimpleNamespace(unzipped_bytes=f["external_unzipped_bytes"])]),
        )
        for f in document["functions"]
    ]
    plan = SimpleNamespace(layers=layers, functions=functions)
    plan.total_unzipped_bytes = LayerPlan.total_unzipped_bytes.fget(plan)
    plan.headroom_bytes = LayerPlan.headroom_bytes.fget(plan)
    assert shown["total_unzipped_bytes"] == plan.total_unzipped_bytes
    assert shown["headroom_bytes"] == plan.headroom_bytes
    assert shown["fits"] is LayerPlan.fits.fget(plan)
    kinds = {row["kind"] for row in shown["broken"]}
    assert ("limit" in kinds) is not shown["fits"]
    place = {layer["name"]: k for k, layer in enumerate(state["layers"])}
    own = {layer["origin"]: layer["name"] for layer in state["layers"]}
    needs = tuple(
        (place[own[layer]], i, j)
        for layer in problem.self_contained
        if layer in own
        for i, item in enumerate(problem.items)
        for j, other in enumerate(problem.items)
        if other.name in item.requires
    )
    everywhere = tuple(frozenset(range(len(names))) for _ in homes)
    assert respects(replace(instance, needs=needs, allowed=everywhere), homes) is not bool(
        kinds & {"apart", "self_contained"}
    )
    pairs = {(a, b) for arrow in shown["arrows"] for a, b in arrow["pairs"]}
    assert pairs == {
        (i.name, r) for i in problem.items for r in i.requires if state["homes"][i.name] != state["homes"][r]
    }
    assert all(arrow["backward"] is (place[arrow["to"]] > place[arrow["from"]]) for arrow in shown["arrows"])


def observed(problem):
    return tuple((1.0, names) for names in problem.observed)


def assert_planned(problem, step, path):
    """What is shown without a fault is what the planner makes of the file; what it refuses shows one."""
    shown, homes = step["evaluation"], step["state"]["homes"]
    kinds = {row["kind"] for row in shown["broken"]}
    try:
        config = read(step["everything"], path)
        posed = posed_by(config, problem)
        answer = solve(posed, time_limit=0.2)
    except ConfigError:
        answer = None
    if answer is None:
        assert kinds - {"limit"}
        return
    assert kinds <= {"limit", "empty"}
    assert answer.assignment == homes
    assert [name for name, _ in answer.layers] == [layer["name"] for layer in step["state"]["layers"]]
    certificate = answer.certificate
    assert certificate.republished_bytes_per_year == shown["republished_bytes_per_year"]
    assert certificate.floor_bytes_per_year == shown["floor_bytes_per_year"]
    if problem.scenarios:
        assert certificate.cost == pytest.approx(shown["cost"], rel=1e-12)  # a document sorts its scenarios
    pinned = {item.name: item.role for item in posed_by(read(step["only"], path), problem).items}
    assert all(pinned[name] == homes[name] for name in step["moved"])
    assert all(role in {None, homes[name]} for name, role in pinned.items())


def read(text: str, path: Path) -> Config:
    path.write_text(text, "utf-8")
    return load(path)


def posed_by(config: Config, problem: Problem) -> Problem:
    groups = [Group(members=item.members, reasons=("as the test says",)) for item in problem.items]
    members = {item.name: item.members for item in problem.items}
    first = {item.name: item for item in problem.items}
    scenarios = SimpleNamespace(
        weighted=problem.scenarios, observed=problem.observed, since=SINCE, through=SINCE.replace(year=2026)
    )
    posed = make_problem(
        config,
        groups,
        requires={m: [members[r][0] for r in item.requires] for item in problem.items for m in item.members},
        weights={
            m: (first[i.name].zipped_bytes, first[i.name].unzipped_bytes) if m == i.members[0] else (0, 0)
            for i in problem.items
            for m in i.members
        },
        layers=None,
        scenarios=scenarios if problem.scenarios else None,
    )
    return replace(posed, observed_years=problem.observed_years, publish_bytes=problem.publish_bytes)
