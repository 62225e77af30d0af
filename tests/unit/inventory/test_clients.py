"""Which AWS clients a module makes, read from its source."""

import pytest

from optimizer.inventory.clients import client_calls


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import boto3\nboto3.client('s3')", {"s3"}),
        ("import boto3\nboto3.resource(service_name='dynamodb', region_name='x')", {"dynamodb"}),
        ("from boto3 import client\nclient('sqs')", {"sqs"}),
        ("def f(session):\n    return session.client('ssm')", {"ssm"}),
        ("import botocore.session as b\nb.get_session().create_client('logs')", {"logs"}),
        ("NAME = 'sns'\nimport boto3\nboto3.client(NAME)", {"sns"}),
        ("import boto3\nfor n in ('s3', 'sqs'):\n    boto3.client(n)", {"s3", "sqs"}),
        ("import boto3\nx = {n: boto3.client(n) for n in ['iam', 'sts']}", {"iam", "sts"}),
        ("import boto3\nboto3.client('s3' if a else 'sqs')", {"s3", "sqs"}),
        ("import boto3\nprint('client')", set()),
        ("import boto3\nclient = boto3.client('s3')\nclient.get_object(Key='x')", {"s3"}),
    ],
)
def test_names_are_found(source, names):
    found = client_calls(source.encode(), own=True)
    assert found.names == names
    assert found.unknown_lines == ()


@pytest.mark.parametrize(
    "source",
    [
        "import boto3\n\ndef f(name):\n    return boto3.client(name)",
        "import boto3\nimport os\nboto3.client(os.environ['SERVICE'])",
        "import boto3\nboto3.client(f'{x}')",
        "import boto3\nNAME = 's3'\nNAME += 'x'\nboto3.client(NAME)",
        "import boto3\nfor a, n in pairs:\n    boto3.client(n)",
    ],
)
def test_what_cant_be_followed_is_told_by_its_line(source):
    found = client_calls(source.encode(), own=True)
    assert len(found.unknown_lines) == 1


def test_in_distributions_only_modules_that_import_the_sdk_count():
    assert client_calls(b"# boto3 is fine\ndocker.client(anything)", own=False).unknown_lines == ()
    assert client_calls(b"import boto3\nboto3.client(anything)", own=False).unknown_lines == (2,)


def test_a_module_that_does_not_compile_makes_no_clients():
    assert client_calls(b"import boto3\nprint 'two'", own=True).names == frozenset()
