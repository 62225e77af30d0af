"""Whatever lies in an environment: no crash, nothing written outside, nothing lost without a receipt."""

import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.build.archive import write_archive
from optimizer.config import load
from optimizer.content import LAYER, Payloads, Store
from optimizer.errors import OptimizerError
from optimizer.inventory import InstalledEnvironment, read_inventory
from optimizer.select import select_distribution, without_shared
from tests.support import make_project

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORDS = [
    "aws",
    "tests",
    "__init__.py",
    "é",
    "a b",
    "x.libs",
    "__pycache__",
    "c.pyc",
    "m.py",
    "n.so",
    ".hidden",
    "*",
    "A",
]
NAMES = st.one_of(
    st.sampled_from(WORDS),
    st.text(st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=9),
).filter(lambda name: name not in {".", ".."} and len(name.encode()) < 200)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
TREES = st.dictionaries(PATHS, st.tuples(st.binary(max_size=60), st.sampled_from([0o644, 0o755, 0o600, 0o711])))
LINES = st.one_of(
    st.sampled_from(
        [
            "../../../etc/passwd,,",
            "/etc/passwd,,",
            "aws/../../x,,",
            ",,",
            '"',
            "a,b,c,d",
            "\0,,",
            "aws,sha256=,",
            "x\\y,,",
        ]
    ),
    PATHS.map(lambda path: f'"{path.replace(chr(34), chr(34) * 2)}",sha256=AAAA,7'),
    st.text(max_size=20),
)


@FEW
@given(TREES, st.lists(LINES, max_size=6), st.booleans())
def test_odd_distributions_ship_whole_or_are_refused_in_words(tree, lines, recorded):
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "project")
        site = make_project(root)
        for path, (data, mode) in tree.items():
            with suppress(OSError):  # a name that is a folder already, or too long for this disk
                place = site / path
                place.parent.mkdir(parents=True, exist_ok=True)
                if not place.exists():
                    place.write_bytes(data)
                    place.chmod(mode)
        record = site / "aws-1.0.dist-info/RECORD"
        extra = [f'"{path.replace(chr(34), chr(34) * 2)}",,' for path in tree] if recorded else []
        record.write_text(record.read_text() + "\n".join([*extra, *lines]) + "\n", "utf-8")
        before = {path for path in Path(scratch).rglob("*") if "cache" not in path.parts}
        config = load(root / "config/layers.toml")
        try:
            inventory = read_inventory(config, InstalledEnvironment.of_folder(site))
        except OptimizerError as error:
            refusal = error
        else:
            refusal = None
        if refusal is not None:
            assert "aws" in refusal.message
            assert refusal.mend
            return
        selections = [select_distribution(d, config) for d in inventory.distributions]
        for distribution, selection in zip(inventory.distributions, selections, strict=True):
            dropped = sum(d.files for d in selection.dropped)
            assert len(selection.files) + dropped == len(distribution.files)
            assert {f.path for f in selection.files} <= {f.path for f in distribution.files}
        alone, _ = without_shared(selections)
        with Store(Path(scratch, "cache/content.sqlite")) as store:
            payloads = Payloads(store, None, lambda _: None)
            for selection, payload in zip(alone, payloads.compute([(s, LAYER) for s in alone]), strict=True):
                with Path(scratch, "cache/one.zip").open("wb") as file:
                    write_archive(file, payloads.entries(payload))
                with zipfile.ZipFile(Path(scratch, "cache/one.zip")) as archive:
                    assert archive.testzip() is None
                    names = set(archive.namelist())
                assert {f"python/{f.path}" for f in selection.files} <= names
                assert all(n.startswith("python/") and ".." not in n.split("/") for n in names)
        assert {path for path in Path(scratch).rglob("*") if "cache" not in path.parts} == before
