"""A function in a region of its own, what there is of it, and callers of its alias all along."""

import json
import os
import threading
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import urlopen

import boto3
from botocore.config import Config

from optimizer.deploy import BotoAws, Clients, Connection, Deployer, Journal, Options, RealClock
from tests.integration.deploy.conftest import ask

KEYS = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
READING = ("Get", "List", "Head")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
os.environ.setdefault("MOTO_ALLOW_NONEXISTENT_REGION", "true")  # every point has a region of its own


def deployer_of(endpoint_url, manifest, *, kind=BotoAws, **options):
    """A deployer with clients of its own, and the count of its calls; `kind` is its port to AWS."""
    clients = Clients(connection=Connection(endpoint_url=endpoint_url, local=True))
    clock = RealClock()
    deployer = Deployer(
        manifest=manifest,
        options=Options(**options),
        connect=lambda region: kind(region=region, clients=clients, clock=clock),
        clock=clock,
        journal=Journal(),
        progress=lambda _: None,
    )
    return deployer, clients.calls


def deployed(endpoint_url, manifest, **options):
    """The deployments of a run in this process, and its calls."""
    deployer, calls = deployer_of(endpoint_url, manifest, **options)
    planned = deployer.plan()
    return (planned if any(one.error for one in planned) else deployer.execute(planned)), calls


class Account:
    """One function in a region of its own, and what there is of it."""

    def __init__(self, endpoint_url, *, region, function):
        self.endpoint_url, self.region, self.function = endpoint_url, region, function
        self.lam, self.iam, self.s3 = (self.client(service) for service in ("lambda", "iam", "s3"))

    def client(self, service):
        """A client which asks once, as somebody else than a deploy."""
        once = Config(retries={"total_max_attempts": 1}, read_timeout=60)
        where = {"endpoint_url": self.endpoint_url, "region_name": self.region}
        return boto3.client(service, config=once, **where, **KEYS)

    def deployed(self, manifest):
        """Deploy undisturbed, in this process; how many calls changed something."""
        done, calls = deployed(self.endpoint_url, manifest)
        for one in done:
            assert one.error is None, one.error
        return sum(n for name, n in calls.items() if not name.startswith(READING))

    def made_by_hand(self, code):
        """One fat zip with an alias, as a script of somebody's makes it."""
        role = self.iam.create_role(
            RoleName=self.function,
            AssumeRolePolicyDocument=json.dumps(TRUST),
        )
        self.lam.create_function(
            FunctionName=self.function,
            Runtime="python3.11",
            Handler="h.handler",
            Role=role["Role"]["Arn"],
            MemorySize=256,
            Timeout=10,
            Code={"ZipFile": code},
            Publish=True,
        )
        self.lam.get_waiter("function_active_v2").wait(FunctionName=self.function, WaiterConfig={"Delay": 0.2})
        self.lam.create_alias(FunctionName=self.function, Name="live", FunctionVersion="1")

    def state(self):
        """What matters of it, without the names and numbers that differ from run to run."""
        alias = self.lam.get_alias(FunctionName=self.function, Name="live")
        url = self._or_none(self.lam.get_function_url_config, Qualifier="live")
        policy = self._or_none(self.lam.get_policy, Qualifier="live")
        state = {
            "live": self._configuration("live"),
            "latest": self._configuration("$LATEST"),
            "routing": alias.get("RoutingConfig", {}),
            "url": None if url is None else (url["AuthType"], url["InvokeMode"], url.get("Cors")),
            "permissions": [] if policy is None else sorted(json.loads(policy["Policy"])["Statement"], key=str),
            "role": self._role(),
            "in S3": self._in_s3(),
        }
        return json.loads(json.dumps(state).replace(self.function, "FUNCTION").replace(self.region, "REGION"))

    def fingerprints(self, version):
        """Of a version's layers in attach order and of its code, the first digits, as layers and version tell them."""
        there = self.lam.get_function(FunctionName=self.function, Qualifier=version)["Configuration"]
        told = [self.lam.get_layer_version_by_arn(Arn=one["Arn"])["Description"] for one in there["Layers"]]
        layers = [one.split()[1][:32] for one in told]
        assert there["Description"].split()[2:] == layers
        return [*layers, there["Description"].split()[1]]

    def layer_versions(self):
        """How many versions of layers there are."""
        layers = self.lam.list_layers()["Layers"]
        return sum(len(self.lam.list_layer_versions(LayerName=one["LayerName"])["LayerVersions"]) for one in layers)

    def forget(self):
        """End the environments of the function."""
        self._or_none(self.lam.delete_function)

    def _configuration(self, qualifier):
        there = self.lam.get_function(FunctionName=self.function, Qualifier=qualifier)["Configuration"]
        kept = ("CodeSha256", "Handler", "Runtime", "MemorySize", "Timeout", "Environment", "Role", "Architectures")
        layers = [
            (
                layer["Arn"].split(":")[6],
                self.lam.get_layer_version_by_arn(Arn=layer["Arn"])["Description"],
                self.lam.get_layer_version_by_arn(Arn=layer["Arn"])["Content"]["CodeSha256"],
            )
            for layer in there.get("Layers", ())
        ]
        described = None if qualifier == "$LATEST" else there["Description"]
        return {**{key: there.get(key) for key in kept}, "layers": layers, "description": described}

    def _role(self):
        name = self.lam.get_function(FunctionName=self.function)["Configuration"]["Role"].rpartition("/")[2]
        inline = self.iam.list_role_policies(RoleName=name)["PolicyNames"]
        attached = self.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        return (
            name,
            {one: self.iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"] for one in inline},
            sorted(one["PolicyArn"] for one in attached),
        )

    def _in_s3(self):
        there = [bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]]
        return [
            *(one["Key"] for name in there for one in self.s3.list_objects_v2(Bucket=name).get("Contents", ())),
            *(one["Key"] for name in there for one in self.s3.list_multipart_uploads(Bucket=name).get("Uploads", ())),
        ]

    def _or_none(self, call, **named):
        try:
            return call(FunctionName=self.function, **named)
        except self.lam.exceptions.ResourceNotFoundException:
            return None


class Callers:
    """Calls the alias all along, through Lambda and through its URL where there is one, and notes what comes back."""

    def __init__(self, account, *, exists):
        self.account, self.exists = account, exists
        self.over, self.seen, self.errors, self.count = threading.Event(), set(), [], 0

    @contextmanager
    def calling(self):
        """Callers for the time of the block."""
        threads = [threading.Thread(target=self._call, args=(way,)) for way in (self._by_alias, self._by_url)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join()

    def _call(self, way):
        served = self.exists and way == self._by_alias
        while not self.over.wait(0.05):
            error, body = way()
            if error is None:
                served = True
                self.seen.add((body["version"], body["core"], body["web"]))
                self.count += 1
            elif served:  # before it answers for the first time there is nothing that callers could call
                self.errors.append(f"{way.__name__}: {error}: {body}")

    def _by_alias(self):
        try:
            return ask(self.account.lam, self.account.function)
        except self.account.lam.exceptions.ResourceNotFoundException as error:
            return "missing", str(error)

    def _by_url(self):
        try:
            there = self.account.lam.get_function_url_config(FunctionName=self.account.function, Qualifier="live")
            with urlopen(there["FunctionUrl"], timeout=30) as answer:  # noqa: S310  the embedded AWS's own
                return None, json.load(answer)
        except self.account.lam.exceptions.ResourceNotFoundException as error:
            return "missing", str(error)
        except HTTPError as error:
            return f"HTTP {error.code}", error.read()
