"""Which docstrings of a function's own code go: those that no library, and no line of the code, can come to read."""

import ast
import textwrap

import pytest

from optimizer.inventory.docstrings import documented, unread_docstrings


def gone(source="", **more):
    """The names of what loses its docstring, of `app.py` and further modules by their dotted names with `__`."""
    texts = {"app.py": source, **{f"{name.replace('__', '/')}.py": text for name, text in more.items()}}
    trees = {path: ast.parse(textwrap.dedent(text)) for path, text in texts.items()}
    lines = unread_docstrings(trees)
    return {
        getattr(owner, "name", path)
        for path, tree in trees.items()
        for owner, first in documented(tree)
        if first.lineno in lines.get(path, ())
    }


def test_modules_functions_methods_and_plain_classes_lose_theirs():
    source = '''
    """Module."""
    class Plain:
        """Class."""
        def method(self):
            """Method."""
            def inner():
                """Inner."""
            return inner()
    class Refused(ValueError):
        """Class."""
    async def handler(event, context):
        """Function."""
        return await other(Plain().method())
    '''
    assert gone(source) == {"app.py", "Plain", "method", "inner", "Refused", "handler"}


@pytest.mark.parametrize(
    ("decorators", "goes"),
    [
        ("@app.get('/')", False),
        ("@tool", False),
        ("@field_validator('x')", False),
        ("@property", True),
        ("@staticmethod", True),
        ("@value.setter", True),
        ("@functools.cache", True),
        ("@lru_cache(maxsize=1)\n@classmethod", True),
        ("@cache\n@tool", False),
    ],
)
def test_what_a_librarys_decorator_touches_keeps_its_own(decorators, goes):
    source = f'import functools\nfrom functools import cache, lru_cache\n{decorators}\ndef f():\n    """Text."""\n'
    assert gone(source) == ({"f"} if goes else set())


@pytest.mark.parametrize(
    "use",
    [
        "app.add_api_route('/', f)",
        "agent = Agent(tools=[f])",
        "TOOLS = {'f': f}",
        "g = f",
        "def tools():\n    return f",
        "def build(f=f):\n    return Agent(f)",
        "Count = Annotated[int, Depends(f)]",
        "def g(x: Annotated[int, f]): ...",
        "from functools import wraps\nwraps(f)",
        "import types\ntypes.SimpleNamespace(f=f)",
        "[run(lambda: f) for _ in x]",
    ],
)
def test_what_is_handed_on_keeps_its_own(use):
    assert "f" not in gone(f'def f():\n    """Text."""\n{use}\n')


@pytest.mark.parametrize(
    "use",
    [
        "f()",
        "asyncio.to_thread(f, 1)",
        "sorted([], key=f)",
        "partial(f, 1)()",
        "from fastapi import Depends as D\nCount = Annotated[int, D(f)]",
        "import pydantic\nCount = Annotated[int, pydantic.BeforeValidator(f)]",
        "def g(f):\n    return h(f)",
        "[h(f) for f in x]",
        "x = h(request.f)",
        "def g(x: f, y: list[f]) -> dict[str, f]: ...",
        "x == f",
        "Count = Annotated[f, Depends(g)]",
    ],
)
def test_what_is_called_or_given_to_what_calls_it_loses_its_own(use):
    assert "f" in gone(f'import asyncio\nfrom functools import partial\ndef f():\n    """Text."""\n{use}\n')


def test_a_method_that_an_object_hands_on_keeps_its_own():
    source = 'class A:\n    def f(self):\n        """Text."""\nregister(A().f)\n'
    assert gone(source) == set()


def test_it_is_handed_on_in_whichever_module():
    tools = 'def search():\n    """Text."""\ndef other():\n    """Text."""\n'
    assert gone("from tools import search as s\nAgent(s)", tools=tools) == {"other"}
    assert gone("import tools\nAgent(tools.search)", tools=tools) == {"other"}
    assert gone("from pkg import tools\nAgent(tools)", pkg__tools=tools) == set()
    assert gone("import pkg.tools\nAgent(pkg.tools)", pkg__tools=tools) == set()
    assert gone("import_module('pkg.tools')", pkg__tools=tools) == set()
    assert gone("Agent(tools=['pkg.tools:search'])", pkg__tools=tools) == set()
    assert gone("import_module('pkg')", pkg__tools=tools) == {"search", "other"}
    assert gone("from pkg import tools\ntools.search()", pkg__tools=tools) == {"search", "other"}
    assert gone("from pkg import tools\nload(tools.search())", pkg__tools=tools) == {"search", "other"}


@pytest.mark.parametrize(
    ("head", "methods"),
    [
        ("class A(BaseModel):", False),
        ("class A(Resource):", False),
        ("class A(metaclass=Meta):", False),
        ("@dataclass\nclass A:", True),
        ("class A(Protocol):", True),
        ("class A(cmd.Cmd):", False),
        ("@register\nclass A:", False),
        ("Agent(A)\nclass A:", False),
    ],
)
def test_classes_for_others_keep_theirs(head, methods):
    imports = "import cmd\nfrom dataclasses import dataclass\nfrom typing import Protocol\n"
    source = f'{imports}{head}\n    """Text."""\n    def f(self):\n        """Text."""\n'
    assert gone(source) == ({"f"} if methods else set())


@pytest.mark.parametrize("bases", ["Base, Resource", "Base", "Base[int], cmd.Cmd", "app.Base, Resource"])
def test_what_a_class_inherits_stays_with_it(bases):
    base = 'class Base:\n    """Text."""\n    def get(self):\n        """Text."""\n'
    source = f"import app, cmd\n{base}class Sub({bases}): ...\n"
    assert gone(source) == set()


@pytest.mark.parametrize(
    "reader",
    [
        "print(__doc__)",
        "x = y.__doc__",
        "getattr(y, '__doc__')",
        "from inspect import getdoc",
        "import ply.yacc",
        "globals()",
        "'{0.__doc__}'.format(f)",
    ],
)
def test_where_code_asks_for_docstrings_all_stay(reader):
    assert gone('"""Text."""\ndef f():\n    """Text."""\n', other=reader) == set()
