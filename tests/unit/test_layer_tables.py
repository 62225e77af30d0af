"""Other [[layer]] tables in a configuration's text: what a person wrote stays, what is not a layer does too."""

from pathlib import Path

import pytest

from optimizer.config import load, parse
from optimizer.layer_tables import LayerTable, with_layers
from tests.support import CONFIG, ROOT

EXAMPLE = (ROOT / "config/layers.toml").read_text("utf-8")
CORE = LayerTable(name="aws-core", was="aws-core", roots=("boto3",))
WEB = LayerTable(name="web-framework", was="web-framework", roots=("fastapi", "mangum", "pydantic"))
REST = LayerTable(name="utilities", was="utilities")


def lines(text):
    return [line for line in text.split("\n") if line]


def added(before, after):
    """Lines that the second has more than the first, and that it has no longer, both sorted."""
    old, new = lines(before), lines(after)
    return sorted(x for x in new if x not in old), sorted(x for x in old if x not in new)


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE,
        EXAMPLE.replace("\n", "\r\n"),
        EXAMPLE.rstrip("\n"),
        EXAMPLE.replace('\n\n[[layer]]\nname = "utilities"', '\n\n\n# odd\n[[layer]]\nname = "utilities"'),
    ],
    ids=["as it is", "from Windows", "no last newline", "odd gaps"],
)
def test_the_same_layers_are_the_same_text(text):
    assert with_layers(text, [CORE, WEB, REST]) == text


def test_what_moves_changes_its_lines_alone():
    text = with_layers(
        EXAMPLE,
        [
            CORE,
            LayerTable(name="web-framework", was="web-framework", roots=("fastapi", "mangum")),
            LayerTable(name="utilities", was="utilities", include=("pydantic",)),
        ],
    )
    assert added(EXAMPLE, text) == (
        ['include = ["pydantic"]', 'roots = ["fastapi", "mangum"]'],
        ['roots = ["fastapi", "mangum", "pydantic"]'],
    )
    assert (
        'name = "utilities"                       # no roots: takes the rest\ninclude = ["pydantic"]\n\n# [share]'
        in text
    )
    assert [(x.name, x.roots, x.include) for x in parse(text, Path("x.toml")).layer] == [
        ("aws-core", ("boto3",), ()),
        ("web-framework", ("fastapi", "mangum"), ()),
        ("utilities", (), ("pydantic",)),
    ]


def test_new_renamed_removed_and_reordered_layers_stand_where_layers_stood():
    new = LayerTable(name="steady", roots=("pydantic",))
    renamed = LayerTable(name="web", was="web-framework", roots=("fastapi", "mangum", "boto3"))
    text = with_layers(EXAMPLE, [new, REST, renamed])
    assert text.split("[[layer]]")[0] == EXAMPLE.split("[[layer]]")[0]
    assert text[text.index("# [share]") :] == EXAMPLE[EXAMPLE.index("# [share]") :]
    assert text[text.index("[[layer]]") : text.index("# [share]")] == (
        '[[layer]]\nname = "steady"\nroots = ["pydantic"]\n\n'
        '[[layer]]\nname = "utilities"                       # no roots: takes the rest\n\n'
        '[[layer]]\nname = "web"\nroots = ["fastapi", "mangum", "boto3"]\n\n'
    )


def test_names_stay_as_they_are_written_with_their_comments_and_long_arrays_get_lines():
    text = CONFIG.replace('roots = ["web"]', 'roots = [\n    "Web",  # what serves\n    "Py_Thing",\n]')
    names = tuple(f"a-distribution-with-a-long-name-{number}" for number in range(4))
    found = with_layers(
        text,
        [
            LayerTable(name="aws-core", was="aws-core", roots=("aws",), include=names),
            LayerTable(name="web-framework", was="web-framework", roots=("web", "py-thing", "more")),
            LayerTable(name="utilities", was="utilities"),
        ],
    )
    assert '    "Web",  # what serves\n    "Py_Thing",\n    "more",\n' in found
    assert 'include = [\n    "a-distribution-with-a-long-name-0",\n' in found
    assert parse(found, Path("x.toml")).layer[0].include == names


def test_a_part_of_a_distribution_and_self_contained_are_kept():
    text = '[[layer]]\nname = "a"\nroots = ["botocore/data/s3"] # it\nself_contained = true\n'
    kept = LayerTable(name="a", was="a", roots=("botocore/data/s3",), self_contained=True)
    assert with_layers(text, [kept]) == text
    loosened = LayerTable(name="a", was="a", roots=("botocore/data/s3",))
    assert "self_contained = false" in with_layers(text, [loosened])


def test_other_tables_between_layers_and_brackets_in_strings_stay():
    text = (
        '[[layer]]\nname = "a"\n\n# about the build\n[build]\nbytecode = true\n\n[[layer]]\nname = "b"\n'
        'roots = [\n  "x",\n]\n\n[slim.drop]\nx = ["""\n[[layer]]\n"""]\n# the end\n'
    )
    found = with_layers(text, [LayerTable(name="b", was="b", roots=("x",)), LayerTable(name="c")])
    assert found == (
        '[[layer]]\nname = "b"\nroots = [\n  "x",\n]\n\n[[layer]]\nname = "c"\n\n'
        '# about the build\n[build]\nbytecode = true\n\n[slim.drop]\nx = ["""\n[[layer]]\n"""]\n# the end\n'
    )


def test_layers_in_an_inline_array_become_tables_at_the_end(tmp_path):
    head, _, tail = CONFIG.partition("[[layer]]")
    text = f'layer = [{{name = "aws-core", roots = ["aws"]}}, {{name = "utilities"}}]\n{head}'
    assert tail
    (tmp_path / "layers.toml").write_text(with_layers(text, [LayerTable(name="one", roots=("aws", "web"))]))
    config = load(tmp_path / "layers.toml")
    assert [(layer.name, layer.roots) for layer in config.layer] == [("one", ("aws", "web"))]
    assert config.function[0].name == "app"
