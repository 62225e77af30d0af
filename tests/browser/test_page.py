"""The page shows what the plan says, to everybody: by keyboard, by ear, in the dark, on a phone, with hostile names."""

import json
from pathlib import Path

import pytest

from optimizer.partition.document import parse_problem
from tests.browser.stacks import EVIL, LONG, document_of, make_stack, write_page

COUNTS = (3, 27, 300)
READ = """(selector) => [...document.querySelectorAll(selector)].map((node) => ({...node.dataset,
  box: (({x, y, width, height}) => ({x, y, width, height}))(node.getBoundingClientRect())}))"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """The document and the page of a stack of so many distributions, made once."""
    made = {}

    def found(count, *, history=True):
        if (count, history) not in made:
            root = tmp_path_factory.mktemp("stack")
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("XDG_CACHE_HOME", str(root / "cache"))
                document = document_of(make_stack(root / "project", count, history=history))
            made[count, history] = document, write_page(document, root / "plan.html")
        return made[count, history]

    return found


def bytes_of(page, selector):
    return [int(row["bytes"]) for row in page.evaluate(READ, selector)]


@pytest.mark.parametrize("count", COUNTS)
def test_treemap_has_each_layer_and_distribution_with_its_bytes(stack, open_page, count):
    document, path = stack(count)
    page = open_page(path)
    layers = {layer["name"]: layer for layer in document["plan"]["layers"] if layer["distributions"]}
    wanted = {d["name"]: d for layer in layers.values() for d in layer["distributions"]}
    boxes = page.evaluate(READ, ".layer-box")
    assert {row["layer"]: int(row["bytes"]) for row in boxes} == {n: x["unzipped_bytes"] for n, x in layers.items()}
    whole = sum(layer["unzipped_bytes"] for layer in layers.values())
    area = sum(row["box"]["width"] * row["box"]["height"] for row in boxes)
    for row in boxes:
        share = row["box"]["width"] * row["box"]["height"] / area
        assert share == pytest.approx(int(row["bytes"]) / whole, abs=0.01)
    shown = page.evaluate(READ, ".treemap [data-distribution]")
    assert {row["distribution"]: int(row["bytes"]) for row in shown} == {
        name: d["unzipped_bytes"] for name, d in wanted.items()
    }
    for row in shown:
        rate = document["distributions"][row["distribution"]]["releases_per_year"]
        steps = [rate is not None and rate > most for most in (0, 4, 12, 26)]
        assert row["heat"] == ("unknown" if rate is None else str(sum(steps)))
    page.get_by_role("radio", name="Zipped", exact=True).check()
    shown = page.evaluate(READ, ".treemap [data-distribution]")
    assert {row["distribution"]: int(row["bytes"]) for row in shown} == {
        name: d["zipped_bytes"] for name, d in wanted.items()
    }


@pytest.mark.parametrize("count", COUNTS)
def test_headline_frontier_and_timeline_are_those_of_the_plan(stack, open_page, count):
    document, path = stack(count)
    plan, page = document["plan"], open_page(path)
    objective = plan["objective"]
    assert bytes_of(page, "[data-tile=year] [data-bytes]") == [objective["republished_bytes_per_year"]]
    assert bytes_of(page, "[data-row=floor] [data-bytes]") == [objective["floor_bytes_per_year"]]
    assert bytes_of(page, "[data-part=layer] [data-bytes]") == [layer["unzipped_bytes"] for layer in plan["layers"]]
    assert bytes_of(page, "[data-part=code] [data-bytes]") == [plan["functions"][0]["unzipped_bytes"]]
    assert bytes_of(page, "[data-part=headroom] [data-bytes]") == [plan["headroom_bytes"]]
    rows = page.evaluate(READ, ".frontier tbody tr")
    assert [(int(row["layers"]), int(row["bytes"])) for row in rows] == [
        (row["layers"], row["republished_bytes_per_year"]) for row in plan["frontier"]
    ]
    (line, *_), (bar, *_) = page.evaluate(READ, ".floor-line"), page.evaluate(READ, ".frontier .bar")
    reach = (line["box"]["x"] - bar["box"]["x"]) / bar["box"]["width"]
    assert reach == pytest.approx(objective["floor_bytes_per_year"] / int(rows[0]["bytes"]), abs=0.01)
    problem = parse_problem(document["problem"])
    home = document["assignment"]
    sent = dict.fromkeys(home.values(), 0)
    for item in problem.items:
        sent[home[item.name]] += item.zipped_bytes
    wanted = [sum(sent[layer] for layer in {home[name] for name in names}) for names in problem.observed]
    assert bytes_of(page, ".week") == wanted[::-1]
    assert round(sum(wanted) / problem.observed_years) == objective["republished_bytes_per_year"]


def test_a_week_tells_which_releases_published_which_layers(stack, open_page):
    document, path = stack(27)
    page = open_page(path)
    number = next(n for n, window in enumerate(document["windows"]) if len(window["releases"]) > 1)
    page.locator(f'[data-window="{number}"]').hover()
    told = page.locator(".week-panel").inner_text()
    for release in document["windows"][number]["releases"]:
        assert release["name"] in told
        assert release["version"] in told
        assert document["distributions"][release["name"]]["layer"] in told
    page.locator("#timeline summary").click()
    assert page.locator("#timeline table tbody tr").count() == len(document["windows"])


def test_arrows_count_the_requirements_between_layers(stack, open_page):
    document, path = stack(27)
    page = open_page(path)
    home, order = document["assignment"], [layer["name"] for layer in document["layers"]]
    wanted = {}
    for item in document["problem"]["items"]:
        for other in item["requires"]:
            if home[item["name"]] != home[other]:
                pair = home[item["name"]], home[other]
                wanted[pair] = wanted.get(pair, 0) + 1
    shown = page.locator("#arrows summary").all_inner_texts()
    assert wanted
    assert len(shown) == len(wanted)
    for (start, end), count in wanted.items():
        (text,) = [x for x in shown if x.startswith(f"{start} → {end}")]
        assert f"{count} requirement" in text
        assert ("attached later" in text) == (order.index(end) > order.index(start))


def test_distributions_are_sorted_filtered_and_told(stack, open_page):
    document, path = stack(27)
    page = open_page(path)
    names = page.locator("#distribution-table tbody tr")
    sizes = {name: d["unzipped_bytes"] for name, d in document["distributions"].items()}
    assert [row["name"] for row in page.evaluate(READ, "#distribution-table tbody tr")] == sorted(
        sizes, key=lambda name: (-sizes[name], name)
    )
    page.get_by_role("button", name="Distribution", exact=False).first.click()
    assert page.locator("#distribution-table th[aria-sort=ascending]").inner_text().startswith("Distribution")
    assert names.first.get_attribute("data-name") == "aws"
    page.get_by_label("Filter").fill("D1")
    assert page.locator("#distribution-table tbody tr:visible").count() == sum("d1" in name for name in sizes)
    page.get_by_role("button", name="d10", exact=True).click()
    told = page.locator("#chosen").inner_text()
    assert document["distributions"]["d10"]["reason"] in told
    assert "does d10" in told


def test_the_treemap_is_walked_by_keys(stack, open_page):
    _, path = stack(27)
    page = open_page(path)
    stops = page.locator(".treemap [tabindex='0']")
    assert stops.count() == 1
    stops.focus()
    page.keyboard.press("ArrowDown")
    chosen = page.evaluate("document.activeElement.dataset.distribution")
    assert chosen
    assert stops.count() == 1
    page.keyboard.press("Enter")
    assert page.locator(".chosen-name bdi").first.inner_text() == chosen
    assert page.evaluate("document.activeElement.dataset.distribution") == chosen
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.role") == "treeitem"
    page.locator(".week[tabindex='0']").focus()
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.previousElementSibling") is None


@pytest.mark.parametrize(
    ("scheme", "history", "rules"), [("light", True, None), ("dark", True, ["color-contrast"]), ("light", False, None)]
)
def test_nothing_keeps_people_out(stack, open_page, scheme, history, rules):
    import axe_playwright_python

    _, path = stack(3, history=history)
    page = open_page(path, color_scheme=scheme)
    page.locator("#distribution-table button.link").first.click()
    page.evaluate("for (const node of document.querySelectorAll('details:not(#timeline *)')) node.open = true")
    page.evaluate(Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8"))
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    found = page.evaluate("(options) => axe.run(document, options)", options)
    assert found["testEngine"]["name"] == "axe-core"
    assert [
        (x["id"], x["impact"], [node["html"][:200] for node in x["nodes"][:3]])
        for x in found["violations"]
        if x["impact"] in {"serious", "critical"}
    ] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_boxes_can_be_read_whatever_their_colour(stack, open_page, scheme):
    _, path = stack(300)
    page = open_page(path, color_scheme=scheme)
    contrasts = page.evaluate(
        """() => {
        const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        const light = (colour) => {
          paint.fillStyle = colour;
          paint.fillRect(0, 0, 1, 1);
          const [r, g, b] = [...paint.getImageData(0, 0, 1, 1).data].map((x) => x / 255)
            .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        return ['0', '1', '2', '3', '4'].map((step) => {
          const style = getComputedStyle(document.querySelector(`.box[data-heat="${step}"]`));
          const [a, b] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
          return (a + 0.05) / (b + 0.05);
        });
      }"""
    )
    assert all(ratio >= 4.5 for ratio in contrasts), contrasts


@pytest.mark.parametrize("count", COUNTS)
def test_a_phone_needs_no_scrolling_aside(stack, open_page, count):
    _, path = stack(count)
    page = open_page(path, viewport={"width": 360, "height": 740})
    page.evaluate("for (const node of document.querySelectorAll('details')) node.open = true")
    page.evaluate(f"Page.actions.select({LONG!r})")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_text_of_others_stays_text_and_can_be_read_whole(stack, open_page, tmp_path):
    document, _ = stack(3)
    assert EVIL in json.dumps(document, ensure_ascii=False)
    evil = json.dumps(f"{EVIL} {'x' * 200}")[1:-1]
    text = json.dumps(document).replace('"aws-core"', f'"{evil}"').replace('"1.1"', f'"{evil}"')
    document = json.loads(text)
    document["warnings"] = [EVIL]
    page = open_page(write_page(document, tmp_path / "evil.html"), viewport={"width": 360, "height": 740})
    page.evaluate(f"Page.actions.select({LONG!r})")
    page.evaluate("for (const node of document.querySelectorAll('details')) node.open = true")
    assert page.evaluate("document.querySelectorAll('img, script:not([type])').length") == page.evaluate(
        "document.querySelectorAll('head ~ body > script:not([type])').length"
    )
    assert page.locator("#warnings bdi").first.inner_text() == EVIL
    assert EVIL in page.locator("#chosen").inner_text()
    assert page.locator(f'bdi.name[title="{LONG}"]').count() > 0
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    isolated = "[...document.querySelectorAll('bdi')].every((x) => getComputedStyle(x).unicodeBidi === 'isolate')"
    assert page.evaluate(isolated)


def test_without_a_history_the_page_says_what_to_run(stack, open_page):
    _, path = stack(3, history=False)
    page = open_page(path)
    for section in ("glance", "frontier", "timeline"):
        assert "python -m optimizer history update" in page.locator(f"#{section}").inner_text()


def test_the_theme_can_be_chosen_and_paper_is_light(stack, open_page):
    _, path = stack(3)
    page = open_page(path, color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Dark theme").click()
    assert page.evaluate(ground) != light
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("count", COUNTS)
def test_the_file_is_small(stack, count):
    _, path = stack(count)
    assert path.stat().st_size < 6_000_000
