"""Which AWS clients the code makes, read from its source: a table of the forms that are followed, and that are not."""

import ast
import textwrap

import pytest

from optimizer.inventory.clients import client_calls, own_client_calls

FOLLOWED = [
    ("boto3.client('s3')", {"s3"}),
    ("boto3.client(service_name='s3')", {"s3"}),
    ("boto3.resource(service_name='dynamodb', region_name='x')", {"dynamodb"}),
    ("from boto3 import client\nclient('sqs')", {"sqs"}),
    ("from boto3 import client as make\nmake('sqs')", {"sqs"}),
    ("make = boto3.client\nmake('sqs')", {"sqs"}),
    ("import boto3 as aws\nmake = aws.resource\nmake('sqs')", {"sqs"}),
    ("getattr(boto3, 'client')('sqs')", {"sqs"}),
    ("getattr(boto3, kind)('sqs')", {"sqs"}),
    ("from functools import partial\nmake = partial(boto3.client, 's3', region_name='x')", {"s3"}),
    ("boto3.Session().client('s3')", {"s3"}),
    ("boto3.Session().resource('s3')", {"s3"}),
    ("boto3.session.Session(region_name='x').client(service_name='s3')", {"s3"}),
    ("def f(session):\n    return session.client('ssm')", {"ssm"}),
    ("import botocore.session as b\nb.get_session().create_client('logs')", {"logs"}),
    ("import aioboto3\nasync def f():\n    async with aioboto3.Session().client('s3') as c: pass", {"s3"}),
    (
        "import aiobotocore.session as a\nasync def f():\n    async with a.f().create_client('s3'): pass",
        {"s3"},
    ),
    ("NAME = 'sns'\nboto3.client(NAME)", {"sns"}),
    ("NAME: str = 'sns'\nboto3.client(NAME)", {"sns"}),
    ("A = 'sns'\nB = A\nboto3.client(B)", {"sns"}),
    ("if x:\n    NAME = 's3'\nelse:\n    NAME = 'sqs'\nboto3.client(NAME)", {"s3", "sqs"}),
    ("if (n := 's3'):\n    boto3.client(n)", {"s3"}),
    ("for n in ('s3', 'sqs'):\n    boto3.client(n)", {"s3", "sqs"}),
    ("NAMES = ['s3', 'sqs']\nfor n in NAMES:\n    boto3.client(n)", {"s3", "sqs"}),
    ("x = {n: boto3.client(n) for n in ['iam', 'sts']}", {"iam", "sts"}),
    ("boto3.client('s3' if a else 'sqs')", {"s3", "sqs"}),
    ("NAME = None\nboto3.client(NAME or 's3')", {"s3"}),
    ("class Settings:\n    SERVICE = 's3'\nboto3.client(Settings.SERVICE)", {"s3"}),
    ("import enum\nclass S(enum.StrEnum):\n    A = 's3'\n    B = 'sqs'\nboto3.client(S.A)", {"s3"}),
    ("from enum import Enum\nclass S(Enum):\n    A = 's3'\nboto3.client(S.A.value)", {"s3"}),
    ("BY = {'a': 's3', 'b': 'sqs'}\nboto3.client(BY['a'])", {"s3", "sqs"}),
    ("BY = {'a': 's3'}\nboto3.client(BY.get(x, 'sqs'))", {"s3", "sqs"}),
    ("BY = ('s3', 'sqs')\nboto3.client(BY[0])", {"s3", "sqs"}),
    ("def f(name='s3'):\n    return boto3.client(name)", {"s3"}),
    ("def f(name='s3'):\n    return boto3.client(name)\nf()\nf('sqs')\nf(name='sns')", {"s3", "sqs", "sns"}),
    ("def f(name):\n    return boto3.client(name)\nX = f('sqs')", {"sqs"}),
    ("def f(*, name):\n    return boto3.client(name)\nX = f(name='sqs')", {"sqs"}),
    ("def f(region, name='s3'):\n    return boto3.client(name)\nX = f('eu', 'sqs')", {"s3", "sqs"}),
    ("import functools\n@functools.lru_cache\ndef f(name):\n    return boto3.client(name)\nf('s3')", {"s3"}),
    ("@cache\ndef f(name):\n    return boto3.client(name)\ndef g(n):\n    return f(n)\ng('s3')", {"s3"}),
    ("class A:\n    def f(self, name='s3'):\n        return boto3.client(name)\nA().f('sqs')", {"s3", "sqs"}),
    ("class A:\n    def __init__(self, name):\n        self.c = boto3.client(name)\nA('sqs')", {"sqs"}),
    ("print('client')", set()),
    ("client = boto3.client('s3')\nclient.get_object(Key='x')", {"s3"}),
    ("class A:\n    def f(self):\n        return self.client.get_object(Key='x')", set()),
]


def own(**modules):
    """The names and the lines of a function's modules."""
    trees = {f"{name}.py": ast.parse(textwrap.dedent(text)) for name, text in modules.items()}
    found = own_client_calls(trees)
    names = {name for calls in found.values() for name in calls.names}
    return names, [(path, line) for path, calls in found.items() for line in calls.unknown_lines]


@pytest.mark.parametrize(("text", "names"), FOLLOWED)
def test_what_is_followed(text, names):
    assert own(handler=f"import boto3\n{text}") == (names, [])


NOT_FOLLOWED = [
    ("def f(name):\n    return boto3.client(name)", 3),
    ("boto3.client(os.environ['SERVICE'])", 2),
    ("boto3.client(f'{x}')", 2),
    ("boto3.client('s' + '3')", 2),
    ("boto3.client(*args)", 2),
    ("boto3.client(**options)", 2),
    ("boto3.client(region_name='x', **options)", 2),
    ("NAME = 's3'\nNAME += 'x'\nboto3.client(NAME)", 4),
    ("for a, n in pairs:\n    boto3.client(n)", 3),
    ("for n in names():\n    boto3.client(n)", 3),
    ("NAMES = ['s3']\nNAMES.append(x)\nfor n in NAMES:\n    boto3.client(n)", 5),
    ("NAME = 's3'\nwith f() as NAME:\n    boto3.client(NAME)", 4),
    ("BY = {'a': 's3'}\nBY['b'] = x\nboto3.client(BY['a'])", 4),
    ("BY = {'a': 's3', **others}\nboto3.client(BY['a'])", 3),
    ("def f(name='s3'):\n    return boto3.client(name)\nf(x)", 3),
    ("def f(name='s3'):\n    return boto3.client(name)\nf(*x)", 3),
    ("def f(name='s3'):\n    return boto3.client(name)\nf(**x)", 3),
    ("def f(name='s3'):\n    return boto3.client(name)\nDepends(f)", 3),
    ("def f(name='s3'):\n    return boto3.client(name)\ngetattr(m, 'f')(x)", 3),
    ("@app.get('/')\ndef f(name='s3'):\n    return boto3.client(name)", 4),
    ("class A:\n    def __init__(self, name='s3'):\n        boto3.client(name)\nclass B(A):\n    pass\nB(x)", 4),
    ("f = lambda name: boto3.client(name)\nf('s3')", 2),
    ("class S(BaseSettings):\n    SERVICE: str = 's3'\nboto3.client(S.SERVICE)", 4),
    ("@dataclass\nclass S:\n    SERVICE: str = 's3'\nboto3.client(S.SERVICE)", 5),
    ("class S:\n    SERVICE = 's3'\nS.SERVICE = x\nboto3.client(S.SERVICE)", 5),
    ("class S:\n    SERVICE = 's3'\nsetattr(S, 'SERVICE', x)\nboto3.client(S.SERVICE)", 5),
    ("class S:\n    def f(self):\n        return boto3.client(self.service)", 4),
    ("boto3.client(settings.SERVICE)", 2),
    ("X = map(boto3.client, names)", 2),
    ("from functools import partial\nX = partial(boto3.client, region_name='x')", 3),
    ("X = partial(boto3.client, name)", 2),
    ("run(getattr(boto3, 'client'))", 2),
]


@pytest.mark.parametrize(("text", "line"), NOT_FOLLOWED)
def test_what_cant_be_followed_is_told_by_its_line(text, line):
    assert own(handler=f"import boto3\n{text}")[1] == [("handler.py", line)]


ACROSS = [
    ("from settings import SERVICE\nboto3.client(SERVICE)", {"settings": "SERVICE = 's3'"}),
    ("from app.settings import SERVICE as S\nboto3.client(S)", {"app/settings": "SERVICE = 's3'"}),
    ("import settings\nboto3.client(settings.SERVICE)", {"settings": "SERVICE = 's3'"}),
    ("import app.settings\nboto3.client(app.settings.SERVICE)", {"app/settings": "SERVICE = 's3'"}),
    ("import app.settings as s\nboto3.client(s.SERVICE)", {"app/settings": "SERVICE = 's3'"}),
    ("from app import settings\nboto3.client(settings.SERVICE)", {"app/settings": "SERVICE = 's3'"}),
    ("from app.settings import S\nboto3.client(S.A)", {"app/settings": "class S:\n    A = 's3'"}),
    ("from app.settings import BY\nboto3.client(BY['a'])", {"app/settings": "BY = {'a': 's3'}"}),
    (
        "from app import SERVICE\nboto3.client(SERVICE)",
        {"app/__init__": "from .settings import SERVICE", "app/settings": "SERVICE = 's3'"},
    ),
    (
        "from app.aws import make\nmake('s3')",
        {"app/aws": "import boto3\ndef make(name):\n    return boto3.client(name)"},
    ),
]


@pytest.mark.parametrize(("text", "others"), ACROSS)
def test_constants_and_arguments_are_followed_from_module_to_module(text, others):
    assert own(handler=f"import boto3\n{text}", **others) == ({"s3"}, [])


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("from settings import SERVICE\nboto3.client(SERVICE)", {"settings": "SERVICE = os.environ['X']"}),
        ("from elsewhere import SERVICE\nboto3.client(SERVICE)", {"settings": "SERVICE = 's3'"}),
        ("from settings import *\nboto3.client(SERVICE)", {"settings": "SERVICE = 's3'"}),
        (
            "from settings import BY\nboto3.client(BY[x])",
            {"settings": "BY = {}\n", "z": "from settings import BY\nBY[1] = y"},
        ),
        ("import settings\nboto3.client(settings.S)", {"settings": "S = 's3'", "z": "import settings\nsettings.S = x"}),
        ("from settings import S\nboto3.client(S)", {"settings": "S = 's3'", "z": "import settings\nsettings.S = x"}),
    ],
)
def test_what_another_module_may_change_cant_be_followed(text, others):
    assert own(handler=f"import boto3\n{text}", **others)[1] == [("handler.py", 3)]


def distribution(text):
    found = client_calls(text.encode(), ast.parse(text))
    return found.names, found.unknown_lines


def test_in_distributions_only_modules_that_import_the_sdk_count():
    assert distribution("# boto3 is fine\ndocker.client(anything)") == (set(), ())
    assert distribution("import boto3\nboto3.client(anything)") == (set(), (2,))


def test_in_distributions_anybody_may_call_a_function():
    assert distribution("import boto3\ndef f(name='s3'):\n    return boto3.client(name)\nf()") == (set(), (3,))
