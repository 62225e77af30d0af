"""A requirements file becomes wheels for the target, by hash; uv and pip are real, the index is a folder."""

import base64
import hashlib
import importlib.util
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from optimizer import limits
from optimizer.errors import HashError, NetworkError, UsageError
from optimizer.inventory.resolve import Resolver, uv, wheel_cache
from optimizer.inventory.resolve.uv import Offer, nearest_platforms
from optimizer.inventory.resolve.wheel_cache import WheelCache
from optimizer.models import Target
from tests.support import make_wheel
from tests.unit.inventory.resolving import ARM, X86, Place, isolated, names

ROOT = Path(__file__).parents[3]
MANYLINUX = "cp311-cp311-manylinux_2_17_{0}.manylinux2014_{0}"


@pytest.fixture
def place(tmp_path, monkeypatch):
    for name, value in isolated(tmp_path).items():
        monkeypatch.setenv(name, value)
    return Place(tmp_path)


@pytest.fixture
def no_uv(monkeypatch):
    """Whoever runs uv fails."""

    def refuse():
        raise AssertionError("uv was run")

    return lambda: monkeypatch.setattr(uv, "_find_uv", refuse)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_each_architecture_gets_its_own_wheel(place):
    made = {m: make_wheel(place.index, "fast", tag=MANYLINUX.format(m)) for m in ("x86_64", "aarch64")}
    make_wheel(place.index, "app", requires=("fast>=1",))
    x86, arm = place.resolve("app\n"), place.resolve(target=ARM)
    assert names(x86) == ["app-1.0-py3-none-any.whl", made["x86_64"].name]
    assert names(arm) == ["app-1.0-py3-none-any.whl", made["aarch64"].name]
    assert [(p.name, p.version) for p in arm.resolution.pins] == [("app", "1.0"), ("fast", "1.0")]
    assert [p.sha256 for p in arm.resolution.pins] == [sha256(path) for path in arm.wheels]


def test_a_version_that_needs_a_newer_glibc_is_passed_over(place):
    """python3.11 has glibc 2.26, python3.12 has 2.34."""
    for version, minor in (("1.0", 17), ("2.0", 28), ("3.0", 27)):
        for python in ("cp311-cp311", "cp312-cp312"):
            make_wheel(place.index, "fast", version, tag=f"{python}-manylinux_2_{minor}_x86_64")
    assert names(place.resolve("fast\n")) == ["fast-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"]
    newer = place.resolve(target=Target(runtime="python3.12", architecture="x86_64"))
    assert names(newer) == ["fast-3.0-cp312-cp312-manylinux_2_27_x86_64.whl"]


def test_a_glibc_that_uv_does_not_know_is_used_in_full(place):
    """2.24 loads on 2.26, though uv has no platform between 2.17 and 2.28; what else does not load is held back."""
    make_wheel(place.index, "frame", "1.0", tag=MANYLINUX.format("x86_64"))
    make_wheel(place.index, "frame", "3.0", tag="cp311-cp311-manylinux_2_24_x86_64", requires=("array",))
    make_wheel(place.index, "array", "1.0", tag=MANYLINUX.format("x86_64"))
    make_wheel(place.index, "array", "2.0", tag="cp311-cp311-manylinux_2_27_x86_64")
    make_wheel(place.index, "array", "2.1", tag="cp311-cp311-manylinux_2_28_x86_64")
    found = place.resolve("frame\n")
    assert [(p.name, p.version) for p in found.resolution.pins] == [("array", "1.0"), ("frame", "3.0")]


def test_what_uv_is_configured_with_holds_beside_what_is_held_back(place, monkeypatch):
    for version in ("1.0", "2.0"):
        make_wheel(place.index, "app", version, requires=("fast",))
    make_wheel(place.index, "fast", "1.0", tag=MANYLINUX.format("x86_64"))
    make_wheel(place.index, "fast", "2.0", tag="cp311-cp311-manylinux_2_28_x86_64")
    (place.root / "constraints.txt").write_text("app<2\n")
    monkeypatch.setenv("UV_CONSTRAINT", str(place.root / "constraints.txt"))
    assert [p.version for p in place.resolve("app\n").resolution.pins] == ["1.0", "1.0"]


def test_markers_are_those_of_the_target(place):
    make_wheel(
        place.index, "app", requires=("arm-only; platform_machine == 'aarch64'", "mac; sys_platform == 'darwin'")
    )
    make_wheel(place.index, "arm-only")
    make_wheel(place.index, "mac")
    assert [p.name for p in place.resolve("app\n").resolution.pins] == ["app"]
    assert [p.name for p in place.resolve(target=ARM).resolution.pins] == ["app", "arm-only"]


def test_a_patch_release_that_is_asked_for_is_there(place):
    """As everywhere here: AWS keeps its runtimes at the newest."""
    make_wheel(place.index, "app", requires=("late; python_full_version >= '3.11.9'",))
    make_wheel(place.index, "late")
    assert [p.name for p in place.resolve("app\n").resolution.pins] == ["app", "late"]


def test_every_runtime_has_platforms_that_uv_knows():
    for runtime in limits.RUNTIMES:
        for architecture in limits.ARCHITECTURES:
            target = Target(runtime=runtime, architecture=architecture)
            below, above = (int(p.rpartition("_")[2]) for p in nearest_platforms(target))
            assert below <= target.lambda_runtime.glibc[1] <= above
    assert nearest_platforms(ARM) == ("aarch64-manylinux_2_17", "aarch64-manylinux_2_28")
    assert nearest_platforms(Target(runtime="python3.13", architecture="x86_64"))[0] == "x86_64-manylinux_2_34"


def test_what_was_resolved_is_remembered_until_it_is_asked_for_anew(place, no_uv):
    make_wheel(place.index, "app", "1.0")
    assert place.resolve("app\n").resolution.origin == "index"
    make_wheel(place.index, "app", "2.0")
    upgraded = place.resolve(upgrade=True)
    assert [(p.version, upgraded.resolution.origin) for p in upgraded.resolution.pins] == [("2.0", "index")]
    no_uv()
    again = place.resolve("app  # the same\n\n")
    assert (again.resolution.origin, again.resolution.pins) == ("cache", upgraded.resolution.pins)


def test_the_committed_lock_decides_and_nobody_is_asked(place, no_uv):
    make_wheel(place.index, "app", "1.0")
    place.commit(place.resolve("app\n"))
    make_wheel(place.index, "app", "2.0")
    place.resolve(upgrade=True)
    no_uv()
    found = place.resolve("# a comment\n  app\n")
    assert found.resolution.origin == "lock"
    assert [p.version for p in found.resolution.pins] == ["1.0"]


def test_a_lock_whose_wheels_are_not_there_brings_the_same_ones(place):
    """As for a colleague who has just cloned the project."""
    make_wheel(place.index, "app", "1.0", requires=("fast",))
    make_wheel(place.index, "fast", "1.0", tag="cp311-cp311-manylinux_2_24_x86_64")
    first = place.resolve("app\n")
    place.commit(first)
    make_wheel(place.index, "app", "2.0")
    (place.root / "cache").rename(place.root / "elsewhere")
    second = place.resolve()
    assert second.resolution.pins == first.resolution.pins
    assert names(second) == names(first)


@pytest.mark.parametrize(
    "stale",
    [
        lambda text: text.replace("digest sha256:", "digest sha256:0"),
        lambda text: text.replace("1.0", "1.*"),
        lambda text: text + "<<<<<<< mine\n",
        lambda text: text.replace("--hash", "--hsah"),
        lambda _: "app==1.0\n",
    ],
)
def test_a_lock_that_is_stale_or_damaged_does_not_count(place, stale):
    make_wheel(place.index, "app", "1.0")
    place.commit(place.resolve("app\n"))
    place.committed.write_text(stale(place.committed.read_text()))
    make_wheel(place.index, "app", "2.0")
    assert place.resolve("app\n").resolution.origin == "cache"
    assert [p.version for p in place.resolve("app<3\n").resolution.pins] == ["2.0"]


def test_included_files_and_constraints_count(place):
    for version in ("1.0", "2.0"):
        make_wheel(place.index, "app", version)
    (place.root / "more.in").write_text("app\n")
    (place.root / "limits.txt").write_text("app<2\n")
    assert [p.version for p in place.resolve("-r more.in\n-c limits.txt\n").resolution.pins] == ["1.0"]
    (place.root / "limits.txt").write_text("app\n")
    assert [p.version for p in place.resolve().resolution.pins] == ["2.0"]


def test_a_hash_of_the_lock_that_the_index_does_not_have_stops_everything(place):
    wheel = make_wheel(place.index, "app", "1.0")
    place.commit(place.resolve("app\n"))
    right = sha256(wheel)
    place.committed.write_text(place.committed.read_text().replace(right, "0" * 64))
    with pytest.raises(HashError) as caught:
        place.resolve()
    assert f"app 1.0: expected sha256 {'0' * 64}; the index has {right} ({wheel.name})" in caught.value.message


def test_a_hash_of_the_file_counts_even_where_not_all_is_pinned(place):
    make_wheel(place.index, "app", "1.0", requires=("tool",))
    make_wheel(place.index, "tool")
    with pytest.raises(HashError, match=r"app 1\.0: expected sha256 1111"):
        place.resolve(f"app==1.0 --hash=sha256:{'1' * 64}\n")


def test_bytes_that_are_not_what_the_index_promised_stop_everything(place):
    wheel = make_wheel(place.index, "app", "1.0")
    cache = WheelCache(place.root / "cache")
    offer = Offer(filename=wheel.name, url=wheel.as_uri(), sha256="2" * 64)
    with pytest.raises(HashError) as caught:
        cache.fetch({"app": offer}, X86)
    assert "2" * 64 in caught.value.message
    assert sha256(wheel) in caught.value.message
    assert cache.find("2" * 64) is None


def test_a_damaged_wheel_in_the_cache_is_downloaded_again(place):
    make_wheel(place.index, "app", "1.0")
    (path,) = place.resolve("app\n").wheels
    before = path.read_bytes()
    path.write_bytes(before[:-7] + b"garbage")
    (again,) = place.resolve().wheels
    assert again.read_bytes() == before


def test_a_file_that_pins_all_by_one_hash_each_is_the_lock(place, no_uv):
    wheels = [make_wheel(place.index, name, requires=needs) for name, needs in (("app", ("tool",)), ("tool", ()))]
    text = "".join(f"{w.name.split('-')[0]}==1.0 --hash=sha256:{sha256(w)}\n" for w in wheels)
    make_wheel(place.index, "tool", "2.0")
    first = place.resolve(text + "mac==1.0 ; sys_platform == 'darwin' --hash=sha256:00\n")
    assert (first.resolution.origin, names(first)) == ("file", [w.name for w in wheels])
    no_uv()
    assert place.resolve().wheels == first.wheels


def test_of_several_hashes_the_best_wheel_of_the_target_is_taken(place, no_uv):
    machines = ("x86_64", "aarch64")
    made = [make_wheel(place.index, "fast", tag=MANYLINUX.format(m)) for m in machines]
    best = make_wheel(place.index, "fast", tag="cp311-cp311-manylinux_2_24_x86_64")
    unknown = make_wheel(place.index, "fast", tag="cp311-cp311-manylinux_2_26_x86_64")
    hashes = " ".join(f"--hash=sha256:{sha256(wheel)}" for wheel in (*made, best))
    assert names(place.resolve(f"fast==1.0 {hashes}\n")) == [best.name]
    unknown.unlink()
    no_uv()
    assert names(place.resolve()) == [best.name]


def test_an_option_of_the_file_says_where_a_locks_wheels_are(place):
    make_wheel(place.root / "own", "app", "1.0")
    place.commit(place.resolve("--find-links own\napp\n"))
    assert "own" not in place.committed.read_text()
    (place.root / "cache").rename(place.root / "elsewhere")
    assert names(place.resolve()) == ["app-1.0-py3-none-any.whl"]


def test_somebodys_constraints_of_pip_do_not_keep_a_wheel_from_coming(place, monkeypatch):
    make_wheel(place.index, "app", "2.0")
    (place.root / "constraints.txt").write_text("app<2\n")
    monkeypatch.setenv("PIP_CONSTRAINT", str(place.root / "constraints.txt"))
    assert names(place.resolve("app\n")) == ["app-2.0-py3-none-any.whl"]


class Guarded(BaseHTTPRequestHandler):
    """An index of one wheel for whoever knows the password."""

    wheel: Path

    def do_GET(self):
        known = "Basic " + base64.b64encode(b"user:secret").decode()
        link = f'<a href="/files/{self.wheel.name}">{self.wheel.name}</a>'.encode()
        bodies = {"/simple/app/": link, f"/files/{self.wheel.name}": self.wheel.read_bytes()}
        body = bodies.get(self.path, b"")
        self.send_response(401 if self.headers.get("Authorization") != known else 200 if body else 404)
        self.send_header("WWW-Authenticate", "Basic realm=index")
        self.send_header("Content-Type", "text/html" if body is link else "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


def test_the_password_in_the_address_of_uvs_index_is_pips_too(place, monkeypatch):
    Guarded.wheel = make_wheel(place.index, "app")
    (place.root / "uv.toml").write_text("")
    monkeypatch.delenv("UV_OFFLINE")
    with ThreadingHTTPServer(("127.0.0.1", 0), Guarded) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://user:secret@127.0.0.1:{server.server_port}/simple")
        found = place.resolve("app\n")
        server.shutdown()
    assert names(found) == ["app-1.0-py3-none-any.whl"]
    assert "secret" not in found.resolution.text


def test_two_processes_at_once_both_have_their_wheels(place):
    for number in range(5):
        make_wheel(place.index, f"app{number}", "1.0")
    place.file.write_text("".join(f"app{number}\n" for number in range(5)))
    script = (
        "import sys; from pathlib import Path; from tests.unit.inventory.resolving import Place, names;"
        "print(*names(Place(Path(sys.argv[1])).resolve()))"
    )
    command = [sys.executable, "-c", script, str(place.root)]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    results = [process.communicate() for process in running]
    assert [out.split() for out, _ in results] == [[f"app{n}-1.0-py3-none-any.whl" for n in range(5)]] * 3, results
    assert not list((place.root / "cache/wheels").glob(".part-*"))


def test_the_longest_unused_wheels_go_when_there_are_too_many(place, monkeypatch):
    cache = WheelCache(place.root / "cache", limit_bytes=1)
    old, new = (make_wheel(place.index, name) for name in ("old", "new"))
    for wheel in (old, new):
        offer = Offer(filename=wheel.name, url=wheel.as_uri(), sha256=sha256(wheel))
        cache.fetch({wheel.name.split("-")[0]: offer}, X86)
    assert cache.find(sha256(old)), "it was used a moment ago"
    monkeypatch.setattr(wheel_cache, "_RECENT", -1)
    again = Offer(filename=new.name, url=new.as_uri(), sha256=sha256(new))
    cache.fetch({"new": again}, X86)
    assert cache.find(sha256(old)) is None


def test_without_network_the_way_on_is_told(place, monkeypatch):
    (place.root / "uv.toml").write_text("")
    with pytest.raises(NetworkError) as caught:
        place.resolve("app\n")
    assert caught.value.exit_status == 3
    assert "--wheels DIR" in caught.value.mend
    (place.root / "uv.toml").write_text("[[index]]\nurl = 'http://127.0.0.1:9/simple'\ndefault = true\n")
    monkeypatch.delenv("UV_OFFLINE")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(NetworkError, match="could not be reached"):
        place.resolve("app\n")


def test_what_is_missing_is_named_with_how_to_get_it(place, monkeypatch):
    make_wheel(place.index, "app")
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pip" else find_spec(name))
    with pytest.raises(UsageError, match="ensurepip"):
        place.resolve("app\n")
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match=r"layer-optimizer\[wheels\]"):
        place.resolve(upgrade=True)


@pytest.mark.parametrize(
    "line", ["app @ https://example.invalid/app-1.0-py3-none-any.whl", f"app==1.0 --hash=sha512:{'0' * 128}"]
)
def test_what_can_not_be_locked_is_refused_with_its_line(place, line):
    with pytest.raises(UsageError, match=r"requirements\.in:2: "):
        place.resolve(f"# here\n{line}\n")


@pytest.mark.network
@pytest.mark.parametrize("architecture", limits.ARCHITECTURES)
@pytest.mark.parametrize("runtime", limits.RUNTIMES)
def test_the_example_resolves_for_every_runtime(tmp_path, runtime, architecture):
    target = Target(runtime=runtime, architecture=architecture)
    found = Resolver(
        file=ROOT / "function/requirements.in",
        target=target,
        source="function/requirements.in",
        committed=tmp_path / "none",
        cache=tmp_path,
    ).resolve()
    assert {"boto3", "pillow", "pydantic-core"} <= {pin.name for pin in found.resolution.pins}
    assert [sha256(path) for path in found.wheels] == [pin.sha256 for pin in found.resolution.pins]
