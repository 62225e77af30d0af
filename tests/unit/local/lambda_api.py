"""An embedded Lambda without HTTP, moto and environments: its operations are called directly."""

import io
import json
import zipfile
from dataclasses import dataclass, field

import pytest

import optimizer.local.operations  # noqa: F401  enters the operations into the service's table
from optimizer.local.protocol import Call, ServiceError
from optimizer.local.service import Lambda, Settings
from optimizer.local.state import State

ROLE = "arn:aws:iam::123456789012:role/role"


def zipped(files=None, *, unzipped_bytes=None):
    """A zip; with `unzipped_bytes` its directory says that it unpacks to so many."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in (files or {"h.py": ""}).items():
            archive.writestr(name, content)
        if unzipped_bytes is not None:
            archive.infolist()[0].file_size = unzipped_bytes
    return data.getvalue()


@dataclass
class Services:
    """Stands for the embedded S3 and IAM."""

    objects: dict = field(default_factory=dict)
    roles: set = field(default_factory=lambda: {ROLE})

    def object(self, bucket, key, version=None):
        return self.objects.get((bucket, key, version))

    def role_trusts_lambda(self, arn):
        return arn in self.roles


@dataclass
class Quiet:
    """Stands for environments and listeners; remembers what was closed."""

    closed: list = field(default_factory=list)

    def open(self, identifier, *_):
        return f"http://127.0.0.1:1/{identifier}"

    def close(self, name):
        self.closed.append(name)

    def unpack(self, archive):
        assert archive.exists()


class Api:
    """Calls operations as `api.publish_version(FunctionName="f")`; `settle` lets updates finish."""

    def __init__(self, folder, **settings):
        self.services = Services()
        self.listeners = Quiet()
        self.environments = Quiet()
        self.region = "eu-central-1"
        self.lam = Lambda(
            state=State(folder),
            services=self.services,
            environments=self.environments,
            listeners=self.listeners,
            settings=Settings(**{"update_seconds": 3600, **settings}),
            endpoint_url="http://127.0.0.1:1",
        )

    def __getattr__(self, name):
        operation = "".join(word.title() for word in name.split("_"))

        def call(**parameters):
            answer = self.lam.call(Call(operation=operation, parameters=parameters, region=self.region))
            return json.loads(answer.body or b"null")

        return call

    def settle(self):
        """Let the time of every update be over."""
        for function in self.lam.state.region(self.region).functions.values():
            function.settles_at = 0.0
            function.settle()

    def layer(self, name="layer", **zipped_as):
        """Publish a version of a layer; its ARN."""
        return self.publish_layer_version(LayerName=name, Content={"ZipFile": zipped(**zipped_as)})["LayerVersionArn"]

    def function(self, name="f", **given):
        """Create a function and let it become active."""
        parameters = {"Runtime": "python3.11", "Handler": "h.handler", "Role": ROLE, "Code": {"ZipFile": zipped()}}
        self.create_function(FunctionName=name, **{**parameters, **given})
        self.settle()

    def refused(self, name, **parameters):
        """The error that a call ends with."""
        with pytest.raises(ServiceError) as caught:
            getattr(self, name)(**parameters)
        return caught.value
