"""What if, in the page of the embedded example: the panel's numbers are what `plan` says of the same pins."""

from __future__ import annotations

import re
from pathlib import Path

import axe_playwright_python
import pytest

from tests.browser.example import document_of, example_page, plan_with

STAND_IN = 'Object.defineProperty(navigator, "clipboard", {configurable: true, value: %s})'
CLIPBOARD = STAND_IN % "{writeText: async (text) => { window.copied = text; }}"
NO_CLIPBOARD = STAND_IN % "undefined"


@pytest.fixture(scope="session")
def example(tmp_path_factory):
    return example_page(tmp_path_factory)


@pytest.fixture
def page(example, open_page):
    found = open_page(example)
    found.evaluate(CLIPBOARD)
    return found


def move(page, distribution, layer):
    page.locator(f'[data-distribution="{distribution}"]').click()
    page.locator("#what-if-to").select_option(layer)
    page.locator("#what-if-move").click()


def shown(page):
    return page.evaluate("() => Model.evaluate(Page.base, Page.state())")


def layers_of(page):
    return page.evaluate("() => Page.state().layers.map((layer) => layer.name)")


def copied(page, pins):
    page.locator(f'#what-if input[value="{pins}"]').check(force=True)
    page.locator("#what-if-copy").click()
    page.wait_for_function("() => window.copied !== undefined")
    return page.evaluate("() => { const text = window.copied; window.copied = undefined; return text; }")


def test_moving_pydantic_core_shows_what_plan_says_of_the_same_pins(page, tmp_path, tmp_path_factory):
    before = int(page.locator("#what-if-year").get_attribute("data-bytes"))
    assert before == document_of_page(page)["plan"]["objective"]["republished_bytes_per_year"]
    move(page, "pydantic-core", "utilities")
    plan = plan_with(copied(page, "everything"), tmp_path, tmp_path_factory)
    now = shown(page)
    assert plan["objective"]["republished_bytes_per_year"] == now["republished_bytes_per_year"] != before
    assert plan["objective"]["floor_bytes_per_year"] == now["floor_bytes_per_year"]
    assert plan["objective"]["cost"] == pytest.approx(now["cost"], rel=1e-12)
    for key in ("total_unzipped_bytes", "headroom_bytes", "fits"):
        assert plan[key] == now[key]
    for planned, layer in zip(plan["layers"], now["layers"], strict=True):
        for key in ("name", "zipped_bytes", "unzipped_bytes"):
            assert planned[key] == layer[key]
    utilities = {d["name"] for d in plan["layers"][2]["distributions"]}
    assert {"pydantic", "pydantic-core"} <= utilities  # the configuration keeps them together
    assert int(page.locator("#what-if-year").get_attribute("data-bytes")) == now["republished_bytes_per_year"]
    assert int(page.locator("#what-if-total").get_attribute("data-bytes")) == plan["total_unzipped_bytes"]
    only = plan_with(copied(page, "moved"), tmp_path, tmp_path_factory)
    assert {"pydantic", "pydantic-core"} <= {d["name"] for d in only["layers"][2]["distributions"]}
    assert only["objective"]["cost"] <= plan["objective"]["cost"] * (1 + 1e-9)  # the planner may place the rest anew


def document_of_page(page):
    return page.evaluate("() => Page.base.document")


def test_a_move_is_announced_and_told_against_the_plan_and_the_best(page):
    move(page, "boto3", "web-framework")
    words = page.locator("#status").text_content()
    assert words.startswith("moved boto3 from aws-core to web-framework. ")
    assert re.search(r"MiB a year, [\d.]+ \w+ more than the plan\. .* below Lambda's limit", words)
    assert re.search(r"more than the best known with 3 layers", page.locator("#what-if-best").text_content())
    assert page.evaluate("() => document.activeElement.id") == "what-if-move"  # the focus stays with the keyboard
    page.locator("#what-if-undo").click()
    assert page.locator("#status").text_content().startswith("not moved boto3")
    assert shown(page) == page.evaluate("() => Page.base.initial")


def test_undo_redo_and_back_to_the_plan(page):
    start = page.evaluate("() => Page.state()")
    move(page, "boto3", "utilities")
    first = page.evaluate("() => Page.state()")
    move(page, "pillow", "aws-core")
    second = page.evaluate("() => Page.state()")
    page.locator("#what-if-undo").click()
    assert page.evaluate("() => Page.state()") == first
    page.locator("#what-if-redo").click()
    assert page.evaluate("() => Page.state()") == second
    assert page.locator("#what-if-redo").get_attribute("aria-disabled") == "true"
    page.locator("#what-if-reset").click()
    assert page.evaluate("() => Page.state()") == start
    assert page.url.endswith(".html")
    page.locator("#what-if-undo").click()
    assert page.evaluate("() => Page.state()") == second


def test_a_link_shows_the_same_and_back_works(page, open_page, example):
    start = page.evaluate("() => Page.state()")
    move(page, "boto3", "utilities")
    page.locator("#what-if-new").fill("cold")
    page.locator("#what-if-new").press("Enter")
    page.locator('nav a[href="#timeline"]').click()  # a section's link leaves the split in the address
    page.locator("#what-if-link").click()
    page.wait_for_function("() => window.copied")
    link = page.evaluate("() => window.copied")
    other = open_page(example, fragment="#" + link.partition("#")[2])
    assert other.evaluate("() => Page.state()") == page.evaluate("() => Page.state()")
    assert layers_of(other)[-1] == "cold"
    page.go_back()
    assert layers_of(page) == ["aws-core", "web-framework", "utilities"]
    page.go_back()
    assert page.evaluate("() => Page.state()") == start
    page.go_forward()
    assert page.evaluate("() => Page.state().homes.boto3") == "utilities"
    damaged = open_page(example, fragment="#" + link.partition("#")[2][:-2])
    assert "damaged" in damaged.locator("#refused").text_content()
    assert damaged.evaluate("() => Page.state()") == start


def test_layers_are_added_renamed_reordered_and_removed(page):
    page.locator("#what-if-new").fill("two words")
    page.locator("#what-if-add").click()
    assert "is not a layer's name" in page.locator("#what-if-fault").text_content()
    assert page.locator("#what-if-new").input_value() == "two words"
    page.locator("#what-if-new").fill("steady")
    page.locator("#what-if-add").click()
    assert page.locator("#what-if-broken").text_content() == (
        "What stands in the waysteady is empty: move something into it, or remove it."
    )
    move(page, "pillow", "steady")
    assert page.locator("#what-if-broken").count() == 0
    page.locator(".what-if-layers summary", has_text="steady").click()
    page.locator("#what-if-name-steady").fill("pictures")
    page.locator("#what-if-rename-steady").click()
    page.locator(".what-if-layers summary", has_text="pictures").click()
    page.locator("#what-if-earlier-pictures").click()
    assert layers_of(page) == ["aws-core", "web-framework", "pictures", "utilities"]
    page.locator("#what-if-into-pictures").select_option("aws-core")
    page.locator("#what-if-remove-pictures").click()
    assert layers_of(page) == ["aws-core", "web-framework", "utilities"]
    assert page.evaluate("() => Page.state().homes.pillow") == "aws-core"
    page.locator("#what-if summary", has_text="1 change").click()
    assert page.locator("#what-if-changes li").all_text_contents() == ["Moved pillow from utilities to aws-core"]


def test_a_box_is_dragged_to_a_layer(page):
    page.drag_and_drop('[data-distribution="pillow"] .box-head', '[data-layer="aws-core"] .layer-head')
    assert page.evaluate("() => Page.state().homes.pillow") == "aws-core"
    assert page.locator(".drop").count() == 0


def test_without_a_clipboard_the_text_is_there_selected(open_page, example):
    page = open_page(example)
    page.evaluate(NO_CLIPBOARD)
    page.locator("#what-if-copy").click()
    area = page.locator("#what-if-text")
    assert area.input_value().count("[[layer]]") == 3
    assert "copy it with Ctrl-C" in page.locator("#what-if-said").text_content()
    assert area.evaluate("(a) => [a === document.activeElement, a.selectionStart, a.selectionEnd]") == [
        True,
        0,
        len(area.input_value()),
    ]


def test_the_panel_keeps_nobody_out(page):
    page.evaluate(NO_CLIPBOARD)
    page.locator("#what-if-new").fill("steady")
    page.locator("#what-if-add").click()
    page.locator('[data-distribution="boto3"]').click()
    page.locator("#what-if-new").fill("two words")
    page.locator("#what-if-add").click()
    page.locator("#what-if-copy").click()
    page.locator(".what-if-layers summary", has_text="steady").click()
    assert page.locator("#what-if-broken, #what-if-fault:not(:empty), #what-if-text").count() == 3
    page.evaluate(Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8"))
    found = page.evaluate("() => axe.run('#what-if', {resultTypes: ['violations']})")
    assert [(x["id"], [node["html"][:200] for node in x["nodes"]]) for x in found["violations"]] == []


def test_with_nothing_changed_the_file_that_pins_what_moved_is_the_configuration(page, example):
    text = copied(page, "moved")
    configuration = document_of(example)["configuration"]
    assert text.startswith(configuration["head"])
    assert text.endswith(configuration["tail"])
    assert 'roots = ["fastapi", "mangum", "pydantic"]' in text
    assert "include" not in text.replace(configuration["head"], "")
