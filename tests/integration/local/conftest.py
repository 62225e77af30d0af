"""One embedded AWS for the tests of this folder, with real environments, and small functions to put into it."""

import io
import itertools
import json
import urllib.error
import urllib.request
import zipfile

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from optimizer.local import embedded_aws
from optimizer.local.service import Settings

REGION = "eu-central-1"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_NUMBERS = itertools.count()


def zipped(files):
    """A zip with those files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


class Account:
    """Clients of the embedded AWS, and shortcuts for what most tests begin with."""

    def __init__(self, endpoint_url, role):
        self.endpoint_url = endpoint_url
        self.role = role
        self.aws_lambda = client(endpoint_url, "lambda")

    def client(self, service, region=REGION):
        return client(self.endpoint_url, service, region)

    def function(self, source, *, layers=(), **given):
        """An active function with that source; its name."""
        name = f"f{next(_NUMBERS)}"
        self.aws_lambda.create_function(
            FunctionName=name,
            Runtime="python3.11",
            Handler="h.handler",
            Role=self.role,
            Code={"ZipFile": zipped({"h.py": source})},
            Layers=list(layers),
            **{"Timeout": 10, **given},
        )
        self.aws_lambda.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        return name

    def layer(self, files):
        """A layer with those files under python/; its ARN."""
        content = zipped({f"python/{name}": text for name, text in files.items()})
        made = self.aws_lambda.publish_layer_version(LayerName=f"l{next(_NUMBERS)}", Content={"ZipFile": content})
        return made["LayerVersionArn"]

    def settle(self, name):
        """Wait for an update."""
        self.aws_lambda.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})

    def invoke(self, name, event=None, **given):
        """Error and answer of a call."""
        made = self.aws_lambda.invoke(FunctionName=name, Payload=json.dumps(event or {}), **given)
        return made.get("FunctionError"), json.loads(made["Payload"].read())

    def open_url(self, name, source_alias="live"):
        """The URL of a function's alias that anybody may call."""
        version = self.aws_lambda.publish_version(FunctionName=name)["Version"]
        self.aws_lambda.create_alias(FunctionName=name, Name=source_alias, FunctionVersion=version)
        made = self.aws_lambda.create_function_url_config(FunctionName=name, Qualifier=source_alias, AuthType="NONE")
        for sid, action in (("url", "lambda:InvokeFunctionUrl"), ("call", "lambda:InvokeFunction")):
            self.aws_lambda.add_permission(
                FunctionName=name, Qualifier=source_alias, StatementId=sid, Action=action, Principal="*"
            )
        return made["FunctionUrl"]


def ask(url, **given):
    """Status, headers and body of an answer."""
    request = urllib.request.Request(url, **given)  # noqa: S310  the embedded AWS's own addresses
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def ask_signed(url, key="x", **given):
    """The same for a request with a signature of Lambda's."""
    request = AWSRequest(given.get("method", "GET"), url)
    SigV4Auth(Credentials(key, "x"), "lambda", REGION).add_auth(request)
    return ask(url, headers=dict(request.headers), **given)


def client(endpoint_url, service, region=REGION):
    """A client that tries once and reads no configuration of this machine."""
    return boto3.client(
        service,
        endpoint_url=endpoint_url,
        region_name=region,
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
    )


@pytest.fixture(scope="session")
def aws():
    """The running embedded AWS."""
    with embedded_aws(Settings(update_seconds=0.1, function_concurrency=3)) as running:
        yield running


@pytest.fixture(scope="session")
def account(aws):
    """Its account, with a role for functions."""
    iam = client(aws.endpoint_url, "iam")
    role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    return Account(aws.endpoint_url, role)
