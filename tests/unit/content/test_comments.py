"""A module without what only people read is the same module, line for line."""

import ast
import io
import subprocess
import sys
import sysconfig
import textwrap
import tokenize
from pathlib import Path

import pytest

from optimizer.content.comments import uncommented
from optimizer.inventory.docstrings import documented

ROOT = Path(__file__).parents[3]


def short(source, *lines):
    return uncommented(textwrap.dedent(source).encode(), lines).decode()


def test_comments_and_the_docstrings_of_those_lines_go_and_lines_keep_their_numbers():
    source = '''\
    """Module."""
    import os  # noqa

    # About f.
    def f(a):  # why
        """Text.

        More.
        """
        # inside
        text = """
    # stays
        """
        return [
            a,  # first
            "# stays",
        ]
    class A:
        """Stays."""
        def g(self):
            """Goes."""
    '''
    assert short(source, 1, 6, 21) == (
        "\nimport os\n\n\ndef f(a):\n\n\n\n\n\n"
        ' text = """\n# stays\n    """\n return [\na,\n"# stays",\n]\n'
        'class A:\n """Stays."""\n def g(self):\n  pass\n'
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "#!/usr/bin/python\n# -*- coding: utf-8 -*-\n# c\nx = 1\n",
            "#!/usr/bin/python\n# -*- coding: utf-8 -*-\n\nx = 1\n",
        ),
        ("\n\n# coding: latin-1\n", "\n\n\n"),
        ("x = 1 # c\r\n# d\r\nif x:\r\n    y = 2\r\n", "x = 1\r\n\r\nif x:\r\n y = 2\r\n"),
        ("if x: # c\n\ty = 'a\\\n    b'\n\tz = 1 + \\\n\t\t2\n", "if x:\n y = 'a\\\n    b'\n z = 1 + \\\n2\n"),
        ("def f(): 'Text.'\n", "def f(): pass\n"),
        ("def f():\n    'é' 'Text.' # é\n    return 1", "def f():\n\n return 1"),
        ("x = 1  \n", "x = 1  \n"),
        ("", ""),
    ],
)
def test_what_has_a_meaning_stays(source, expected):
    lines = [first.lineno for _, first in documented(ast.parse(source))]
    assert uncommented(source.encode(), lines).decode() == expected


@pytest.mark.parametrize(
    "data",
    [
        b"def (: # c\n",
        b"\0# c",
        b"x = 1 # c\ry = 2\n",
        b"# coding: nonsense\n# c\n",
        b"\xff # c\n",
        b"def f():\n    'Text.'; return 1 # c\n",
        b"(" * 9999,
    ],
)
def test_what_can_not_be_told_ships_as_it_is(data):
    assert uncommented(data, [2]) == data


def test_another_encoding_and_a_byte_order_mark_stay():
    source = "# -*- coding: latin-1 -*-\nx = 'é'  # é\n"
    assert uncommented(source.encode("latin-1"), ()) == "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1")
    assert uncommented("x = 'é'  # é\n".encode("utf-8-sig"), ()) == "x = 'é'\n".encode("utf-8-sig")


LIBRARY = Path(sysconfig.get_path("stdlib"))
REAL = [
    *(ROOT / "function").rglob("*.py"),
    *(ROOT / "optimizer/content").glob("*.py"),
    *(LIBRARY / name for name in ("typing.py", "textwrap.py", "tokenize.py", "inspect.py", "dis.py", "this.py")),
]


def test_real_modules_lose_all_of_both_and_nothing_else():
    for path in REAL:
        data = path.read_bytes()
        tree = ast.parse(data)
        found = uncommented(data, [first.lineno for _, first in documented(tree)])
        assert found.count(b"\n") == data.count(b"\n")
        tokens = list(tokenize.tokenize(io.BytesIO(found).readline))
        comments = [t.string for t in tokens if t.type == tokenize.COMMENT]
        assert all(comment.startswith("#!") or "coding" in comment for comment in comments), path
        left = ast.parse(found)
        assert not list(documented(left)), path
        for owner, first in list(documented(tree)):
            lone = len(owner.body) == 1 and not isinstance(owner, ast.Module)
            owner.body[:1] = [ast.copy_location(ast.Pass(), first)] if lone else []
        assert ast.dump(left) == ast.dump(tree)


def test_a_traceback_names_the_line(tmp_path):
    source = (
        '"""Text."""\n# c\ndef fail():\n    """Text.\n\n    More.\n    """\n    raise KeyError  # why\n\n\nfail()\n'
    )
    (tmp_path / "app.py").write_bytes(uncommented(source.encode(), [1, 4]))
    done = subprocess.run([sys.executable, tmp_path / "app.py"], capture_output=True, text=True, check=False)
    assert 'app.py", line 8, in fail\n    raise KeyError\n' in done.stderr
