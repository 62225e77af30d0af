"""`tune` in a real browser: what is written is what was shown, and nobody else than its page gets at the file."""

from __future__ import annotations

import json
import queue
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.support import CONFIG, environment_of, lay_out, make_project, run_optimizer

SNAPSHOT = {
    "schema": 1,
    "runtime": "python3.11",
    "architecture": "x86_64",
    "since": "2025-01-01",
    "through": "2025-12-31",
    "distributions": {
        "aws": {"origin": "index", "releases": [[f"2025-{month:02}-01", f"1.{month}", 0] for month in range(1, 13)]},
        "shared": {"origin": "index", "releases": [["2025-06-02", "1.0", 0]]},
        "extra": {"origin": "index", "releases": []},
        "tool": {"origin": "index", "releases": []},
        "web": {"origin": "index", "releases": [["2025-03-03", "1.0", 0], ["2025-09-01", "2.0", 0]]},
    },
}
COMMENTED = CONFIG.replace('roots = ["web"]', 'roots = ["web"]  # what serves').replace(
    '[[layer]]\nname = "utilities"', '# what is left\n[[layer]]\nname = "utilities"'
)
ROLES = ("aws-core", "web-framework", "utilities")
SECONDS = 20


class Tune:
    """The running command; its address is there when its page is."""

    def __init__(self, project, *options):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "optimizer", "tune", "--no-open", "--path", "site", *options],
            cwd=project,
            env=environment_of(project),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        lines = queue.SimpleQueue()
        threading.Thread(target=lambda: lines.put(self.process.stdout.readline()), daemon=True).start()
        self.address = lines.get(timeout=SECONDS).strip()
        self.config = project / "config/layers.toml"

    def ask(self, method, path=None, *, body=None, **headers):
        """Status and text of one request; headers that are None are left out."""
        parts = urlsplit(self.address)
        connection = HTTPConnection(parts.hostname, parts.port, timeout=SECONDS)
        body = json.dumps(body).encode() if body is not None and not isinstance(body, bytes) else body
        given = {"Host": parts.netloc}
        if method == "POST":
            given |= {"Origin": f"http://{parts.netloc}", "Content-Type": "application/json"}
            given |= {"Content-Length": str(len(body or b""))}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, parts.path if path is None else path, skip_host=True, skip_accept_encoding=True)
        for name, value in given.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        found = answer.status, answer.read().decode()
        connection.close()
        return found

    def post(self, action, body, **headers):
        """Status and document of what the page would send."""
        status, text = self.ask("POST", f"{urlsplit(self.address).path}{action}", body=body, **headers)
        return status, json.loads(text)

    def stop(self):
        """Status and messages after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, err


@contextmanager
def running(folder, config=COMMENTED):
    """The command in a small project, ended in any case."""
    lay_out(make_project(folder, config=config, requirements="aws\nweb\ntool\nextra\n"), "extra")
    (folder / "layers").mkdir(exist_ok=True)
    (folder / "layers/history.json").write_text(json.dumps(SNAPSHOT))
    found = Tune(folder)
    try:
        yield found
    finally:
        found.process.kill()
        found.process.communicate()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One that nothing is written with."""
    with running(tmp_path_factory.mktemp("shared")) as found:
        yield found


@pytest.fixture
def tune(tmp_path):
    with running(tmp_path) as found:
        yield found


def opened(browser, tune):
    """A page of its own, which may log what was refused."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(SECONDS * 1000)
    page.goto(tune.address)
    return page


@pytest.fixture(scope="module")
def body(shared, browser):
    """What the page would send with nothing changed."""
    page = opened(browser, shared)
    yield page.evaluate(
        """() => { const base = Page.base;
        return {revision: base.document.served.revision, layers: Model.tables(base, Page.state())}; }"""
    )
    page.context.close()


def move(page, distribution, layer):
    page.locator(f'[data-distribution="{distribution}"]').click()
    page.locator("#what-if-to").select_option(layer)
    page.locator("#what-if-move").click()


def test_what_is_written_is_what_was_shown_and_comments_stay(tune, open_page, tmp_path):
    page = open_page(tune.address)
    move(page, "tool", "web-framework")
    page.locator("#what-if-new").fill("steady")
    page.locator("#what-if-add").click()
    move(page, "shared", "steady")
    now = page.evaluate("() => Model.evaluate(Page.base, Page.state())")
    page.locator('#what-if input[value="everything"]').check(force=True)
    with page.expect_event("load"):
        page.locator("#what-if-write").click()
    assert page.evaluate("() => Model.changes(Page.base, Page.state())") == []  # the plan is what was shown
    assert page.evaluate("() => Page.base.initial") == {
        **now,
        "layers": [{**layer, "role": layer["name"]} for layer in now["layers"]],
    }
    assert "#" not in page.url
    text = tune.config.read_text("utf-8")
    assert 'roots = ["web"]  # what serves\ninclude = ["tool"]\n' in text
    assert '# what is left\n[[layer]]\nname = "utilities"\ninclude = ["extra"]\n\n' in text
    assert text.endswith('\n\n[[layer]]\nname = "steady"\nroots = ["shared"]\n')
    plan = json.loads(run_optimizer(tmp_path, "plan", "--path", "site", "--format", "json").stdout)
    assert page.evaluate("() => Page.base.document.plan.layers") == plan["layers"]
    assert plan["objective"]["republished_bytes_per_year"] == now["republished_bytes_per_year"]
    assert not list(tune.config.parent.glob(".*"))


def test_the_planner_is_asked_what_it_makes_of_a_move(tune, open_page):
    page = open_page(tune.address)
    move(page, "tool", "aws-core")
    before = tune.config.read_bytes()
    page.locator("#what-if-ask").click()
    page.locator("#what-if-said", has_text="a year").wait_for()
    said = page.locator("#what-if-said").text_content()
    homes = page.evaluate("() => Page.state().homes")
    if page.locator("#what-if-take").count():
        assert "would put" in said
        page.locator("#what-if-take").click()
        assert page.evaluate("() => Page.state().homes") != homes
    else:
        assert "leaves the rest where it is" in said
    assert page.evaluate("() => Page.state().homes.tool") == "aws-core"
    assert tune.config.read_bytes() == before


def test_a_file_that_changed_meanwhile_is_not_written(tune, browser):
    page = opened(browser, tune)
    move(page, "tool", "web-framework")
    theirs = COMMENTED + "\n# theirs\n[plan]\nhorizon_weeks = 9\n"
    tune.config.write_text(theirs, "utf-8")
    page.locator("#what-if-write").click()
    page.locator("#what-if-said", has_text="was changed since the page was loaded").wait_for()
    assert "Load the page again" in page.locator("#what-if-said").text_content()
    assert tune.config.read_text("utf-8") == theirs
    page.reload()
    assert page.evaluate("() => Page.state().homes.tool") == "web-framework"  # it stands in the address
    page.wait_for_function("() => Page.base.document.configuration.tail.includes('# theirs')")
    with page.expect_event("load"):
        page.locator("#what-if-write").click()
    assert 'include = ["tool"]' in tune.config.read_text("utf-8")
    assert tune.config.read_text("utf-8").endswith("\n# theirs\n[plan]\nhorizon_weeks = 9\n")
    page.context.close()


def test_what_the_planner_refuses_is_not_written(tmp_path, browser):
    with running(tmp_path, COMMENTED + '\n[groups]\napart = [["tool", "web"]]\n') as tune:
        before = tune.config.read_bytes()
        page = opened(browser, tune)
        move(page, "tool", "web-framework")
        shown = page.locator("#what-if-broken").text_content()
        assert "are to be kept apart, but share web-framework" in shown
        page.locator("#what-if-write").click()
        page.locator("#what-if-said", has_text="groups.apart[0]: tool, web are all in layer 'web-framework'").wait_for()
        assert tune.config.read_bytes() == before
        page.context.close()


FIRST, *OTHERS = ({"name": name, "was": name, "roots": [], "include": [], "self_contained": False} for name in ROLES)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([{**FIRST, "roots": ["unheard-of"]}], "'unheard-of' is not among the distributions"),
        ([{**FIRST, "roots": ["aws"], "name": "two words"}], "'two words' is not a layer's name"),
        ([FIRST, *OTHERS], "have no roots; at most one layer can take the rest"),
        ([{**FIRST, "roots": ["aws"], "name": f"l{k}"} for k in range(6)], "Lambda attaches at most 5"),
        ([], "layers: List should have at least 1 item"),
        ([{**FIRST, "extra": 1}], "layers.0.extra: Extra inputs are not permitted"),
        ([{**FIRST, "roots": "aws"}], "layers.0.roots: Input should be a valid list"),
        (None, "layers: Input should be a valid list"),
    ],
    ids=str,
)
@pytest.mark.parametrize("action", ["write", "plan"])
def test_whatever_is_sent_is_checked_as_the_planner_does(shared, body, action, layers, words):
    before = shared.config.read_bytes()
    status, document = shared.post(action, {**body, "layers": layers})
    assert status == 422
    assert words in document["error"]["message"]
    assert document["error"]["mend"]
    assert shared.config.read_bytes() == before


def test_only_who_has_the_token_gets_the_page(shared):
    root = urlsplit(shared.address).path
    assert shared.ask("GET")[0] == 200
    for path in ("/", "//", "/x/", root[:-2] + "/", root.swapcase(), "/%00/", "/%C3%A9/"):
        status, words = shared.ask("GET", path)
        assert (status, words) == (
            403,
            "The address has not the token of this run.\nUse the address tune printed.\n",
        )
    assert shared.ask("GET", f"{root}other")[0] == 404
    assert shared.ask("POST", f"{root}other", body={})[0] == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),  # a name that resolves to 127.0.0.1
        ({"Host": None}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": None}, 403),
        ({"Content_Type": "text/plain"}, 415),  # what a form of another page can send
        ({"Content_Length": None}, 411),
        ({"Content_Length": "many"}, 411),
        ({"Content_Length": "1048577"}, 413),
        ({"Transfer_Encoding": "chunked"}, 411),
    ],
    ids=str,
)
@pytest.mark.parametrize("action", ["write", "plan"])
def test_other_pages_and_odd_requests_are_refused(shared, action, headers, status):
    before = shared.config.read_bytes()
    found, document = shared.post(action, {}, **headers)
    assert found == status
    assert document["error"]["message"]
    assert shared.config.read_bytes() == before


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b""], ids=["cut", "no text", "deep", "empty"])
def test_a_body_that_is_no_json_is_refused(shared, body):
    status, document = shared.post("write", body)
    assert (status, document["error"]["message"]) == (400, "The body is not JSON.")


def test_a_post_without_the_token_is_refused(shared, body):
    before = shared.config.read_bytes()
    body["layers"][0]["include"] = ["shared"]
    for path in ("/write", "/x/write", "//write"):
        assert shared.ask("POST", path, body=body)[0] == 403
    assert shared.config.read_bytes() == before
    status, document = shared.post("plan", body)  # with it, the same is answered
    assert (status, document["assignment"]["shared"]) == (200, "aws-core")


def test_ctrl_c_ends_it_and_the_address_is_gone(tune):
    assert tune.address.startswith("http://127.0.0.1:")
    code, err = tune.stop()
    assert code == 130  # as of every command
    assert "stopped\n" in err
    assert "Traceback" not in err
    parts = urlsplit(tune.address)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((parts.hostname, parts.port), timeout=SECONDS)


def test_a_port_in_use_is_wrong_usage(shared, tmp_path):
    make_project(tmp_path)
    port = str(urlsplit(shared.address).port)
    done = run_optimizer(tmp_path, "tune", "--no-open", "--path", "site", "--port", port, status=2)
    assert done.stdout == ""
    assert f"port {port} can't be listened on" in done.stderr
