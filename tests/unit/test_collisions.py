"""What hides what, as literal tables: paths and contents of a function's code and layers."""

import pytest

from optimizer.collisions import Listing, find_collisions


def find(code=None, *layers, environment=None):
    listings = [Listing(place=f"layer {n}", files=_files(files)) for n, files in zip("abc", layers, strict=False)]
    return find_collisions(
        Listing(place="code of f", files=_files(code or {})), listings, environment=environment or {}, python="3.11"
    )


def _files(files):
    return files if isinstance(files, dict) else dict.fromkeys(files, "same")


def kinds(found):
    return [(c.kind, c.subject) for c in found]


@pytest.mark.parametrize(
    ("code", "layers"),
    [
        ({}, ()),
        (["h.py"], (["python/x/__init__.py"], ["python/y/__init__.py"])),
        (["x/__init__.py", "x/a.py"], (["python/x/__init__.py"],)),  # the same bytes, and nothing is lost
        ({}, (["python/x/a.py"], ["python/x/a.py"])),
        ({}, ({"python/x/__pycache__/a.pyc": "1"}, {"python/x/__pycache__/a.pyc": "2"})),
        (["google/a/__init__.py"], (["python/google/b/__init__.py"],)),  # portions of a namespace
        ({}, (["python/google/a/__init__.py"], ["python/google/__init__.py"])),  # they merge in /opt/python
        (["data/x.json", "email.json", "templates/email/a.html"], (["python/data/__init__.py"],)),
        ({}, (["python/numpy.libs/a.so", "python/numpy/__init__.py"], ["python/numpy.libs/b.so"])),
        ({}, (["python/a-1.dist-info/METADATA"], ["python/A-1.dist-info/METADATA"])),
        ({}, (["python/test/__init__.py"],)),
        ({}, (["python/a/_vendor/b-1.dist-info/METADATA"], ["python/b-2.dist-info/METADATA"])),
        ({}, (["python/urllib3-2.dist-info/METADATA", "python/boto3-1.dist-info/METADATA"],)),
    ],
)
def test_what_hides_nothing_is_no_collision(code, layers):
    assert find(code, *layers) == ()


def test_a_later_layers_file_replaces_an_earlier_ones_and_is_told_once_for_all():
    (one,) = find(
        {}, {"python/cv2/a.py": "1", "python/cv2/b.py": "1"}, {"python/cv2/a.py": "2", "python/cv2/b.py": "2"}
    )
    assert (one.kind, one.subject) == ("replaced-file", "python/cv2/a.py")
    assert "and 1 more in layer b replaces another of the same path in layer a" in one.detail


def test_one_distribution_in_two_versions_is_told_with_their_places():
    (one,) = find(["Foo_Bar-2.0.dist-info/METADATA"], ["python/foo.bar-1.0.dist-info/METADATA"])
    assert (one.kind, one.subject) == ("two-versions", "foo-bar")
    assert "1.0 in layer a, 2.0 in code of f" in one.detail


@pytest.mark.parametrize("prefix", ["python/", "python/lib/python3.11/site-packages/"])
def test_a_package_in_the_code_hides_a_layers_whole(prefix):
    (one,) = find({"x/__init__.py": "1"}, {f"{prefix}x/__init__.py": "2", f"{prefix}x/more.py": "3"})
    assert (one.kind, one.subject) == ("hidden-package", "x")
    assert "the package in code of f hides the package in layer a whole" in one.detail


def test_two_prefixes_of_layers_hide_each_other_too():
    found = find({}, ["python/lib/python3.11/site-packages/x/__init__.py"], ["python/x/__init__.py", "python/x/y.py"])
    assert kinds(found) == [("hidden-package", "x")]


def test_a_module_of_the_code_hides_a_layers_package():
    assert kinds(find(["yaml.py"], ["python/yaml/__init__.py"])) == [("hidden-package", "yaml")]


@pytest.mark.parametrize(
    ("code", "layer"),
    [
        (["google/__init__.py"], ["python/google/cloud/a/__init__.py"]),
        (["google/cloud/b.py"], ["python/google/__init__.py"]),
    ],
)
def test_a_regular_package_hides_a_portion_of_its_namespace_wherever_either_is(code, layer):
    assert kinds(find(code, layer)) == [("hidden-namespace", "google")]


def test_a_namespace_is_looked_into():
    found = find(["google/cloud/a/__init__.py"], ["python/google/cloud/a/__init__.py", "python/google/cloud/a/b.py"])
    assert kinds(found) == [("hidden-package", "google.cloud.a")]


def test_a_module_with_the_name_of_one_of_the_standard_library_is_told():
    (one,) = find(["email.py"])
    assert (one.kind, one.subject) == ("hidden-stdlib", "email")
    assert "it hides that one" in one.detail
    assert "never imported" in find(["time.py"])[0].detail
    assert kinds(find({}, ["python/enum/__init__.py"])) == [("hidden-stdlib", "enum")]


def test_pythonpath_is_told():
    assert kinds(find({}, environment={"PYTHONPATH": "/opt/x"})) == [("pythonpath", "PYTHONPATH")]


def test_what_the_runtimes_boto3_then_uses_is_advice():
    (one,) = find({}, ["python/urllib3-2.0.dist-info/METADATA", "python/six-1.dist-info/METADATA"])
    assert (one.kind, one.subject, one.severity) == ("runtime", "six, urllib3", "advice")


def test_the_order_of_paths_changes_nothing():
    code = {"email.py": "1", "x/__init__.py": "1", "yaml.py": "1"}
    layer = {"python/x/__init__.py": "2", "python/yaml.py": "2"}
    backwards = dict(reversed(layer.items()))
    assert find(code, layer) == find(dict(reversed(code.items())), backwards)
    assert len(find(code, layer)) == 3
