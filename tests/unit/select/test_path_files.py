"""What ships of .pth files, which Lambda's Python processes too, and what two distributions share."""

import pytest

from optimizer.cli.pipeline import Source, planned
from optimizer.errors import InventoryError
from tests.support import lay_out, make_project


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    make_project(tmp_path)
    return tmp_path


def plan(project):
    with planned(Source(config=project / "config/layers.toml", path=project / "site")) as result:
        return result.plan


def sources(found):
    lines = [line for layer in found.layers for d in layer.distributions for line in d.payload.sources]
    return [line.split("\0")[0] for line in lines]


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("# nothing\n\n./web\nweb/inner\n", None),
        ("import web; web.start()\n", "web: web.pth runs at every start: import web; web.start()"),
        ("/opt/venv/web\n", "web: web.pth leads to /opt/venv/web, which is not in the layer"),
        ("../web\n", "web: web.pth leads to ../web, which is not in the layer"),
    ],
)
def test_a_path_file_ships_and_what_is_odd_about_it_is_told(project, text, warning):
    lay_out(project / "site", "web", files={"web/__init__.py": "", "web.pth": text})
    found = plan(project)
    assert "python/web.pth" in sources(found)
    told = [w for w in found.warnings if "web.pth" in w]
    assert len(told) == (warning is not None)
    assert all(w.startswith(warning) for w in told)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("__editable__.web-1.0.pth", "/home/me/web\n"),
        ("web.pth", "import __editable___web_1_0_finder; __editable___web_1_0_finder.install()\n"),
    ],
)
def test_a_path_file_of_an_editable_install_is_refused(project, name, text):
    lay_out(project / "site", "web", files={"web/__init__.py": "", name: text})
    with pytest.raises(InventoryError, match=f"web: {name} is of an editable install"):
        plan(project)


def test_a_path_file_elsewhere_is_data(project):
    lay_out(project / "site", "web", files={"web/__init__.py": "", "web/__editable__.pth": "x"})
    assert not plan(project).warnings[1:]


def twins(project, other):
    """Two distributions as opencv-python and its headless twin: 39 paths that both own."""
    paths = [f"cv2/m{i:02}.py" for i in range(38)] + ["cv2/__init__.py"]
    (project / "requirements.txt").write_text("aws\nweb\ntool\nopencv-python\nopencv-python-headless\n")
    lay_out(project / "site", "opencv-python", files=dict.fromkeys(paths, "X = 1\n"))
    own = {"opencv_python_headless.libs/libx.so": b"\x7fELF"}
    lay_out(project / "site", "opencv-python-headless", files={**dict.fromkeys(paths, "X = 1\n"), **other, **own})
    return paths


def test_paths_that_two_distributions_share_ship_once_and_both_are_named(project):
    paths = twins(project, {})
    found = plan(project)
    shipped = sources(found)
    assert [shipped.count(f"python/{path}") for path in paths] == [1] * 39
    assert "python/opencv_python_headless.libs/libx.so" in shipped
    (told,) = (w for w in found.warnings if "both own" in w)
    assert told == (
        "opencv-python and opencv-python-headless both own cv2/__init__.py and 38 more paths; "
        "what they share ships once, with opencv-python"
    )
    assert any({"opencv-python", "opencv-python-headless"} <= set(group.members) for group in found.groups)


def test_where_the_shared_paths_differ_the_way_out_is_to_install_one(project):
    twins(project, {"cv2/m01.py": "X = 2\n", "cv2/m02.py": "X = 3\n"})
    (told,) = (w for w in plan(project).warnings if "both own" in w)
    assert told.endswith("2 of 39 differ and only opencv-python's can ship: install one of the two")
