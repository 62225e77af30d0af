"""What a command asks AWS for, call by call, and which permissions IAM would look for then."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from optimizer.deploy.boto.client import Clients

ACCOUNT = "123456789012"
ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:GetLayerVersionByArn": "lambda:GetLayerVersion",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
}
"""The actions that have other names than their operations, as AWS documents them."""
UNLIMITED = {"ListFunctions", "ListLayerVersions", "ListEventSourceMappings", "GetAccountSettings", "GetMetricData"}
"""What is on no resource."""


@dataclass(frozen=True)
class Request:
    """One call of a client."""

    service: str
    operation: str
    region: str
    parameters: dict[str, Any] = field(repr=False)

    def permissions(self):
        """The actions that IAM looks for, each with its resource and the context."""
        name = f"{self.service}:{self.operation}"
        context = {}
        if "AuthType" in self.parameters:
            context["lambda:FunctionUrlAuthType"] = self.parameters["AuthType"]
        if "PolicyArn" in self.parameters:
            context["iam:PolicyARN"] = self.parameters["PolicyArn"]
        if "Prefix" in self.parameters:
            context["s3:prefix"] = self.parameters["Prefix"]
        if self.operation == "UpdateEventSourceMapping":
            context["lambda:FunctionArn"] = self._lambda(f"function:{self.parameters['FunctionName']}")
        yield from ((ACTIONS.get(name, name), resource, context) for resource in self._resources())
        if self.operation in {"CreateFunction", "UpdateFunctionConfiguration"}:
            if "Role" in self.parameters:
                yield "iam:PassRole", self.parameters["Role"], {"iam:PassedToService": "lambda.amazonaws.com"}
            for layer in self.parameters.get("Layers", ()):
                yield "lambda:GetLayerVersion", layer, {}
        for code in (self.parameters.get("Code"), self.parameters.get("Content"), self.parameters):
            if isinstance(code, dict) and "S3Bucket" in code:
                yield "s3:GetObject", f"arn:aws:s3:::{code['S3Bucket']}/{code['S3Key']}", {}
        if self.operation == "CreateFunction" and "Tags" in self.parameters:
            yield "lambda:TagResource", self._lambda(f"function:{self.parameters['FunctionName']}"), {}
        if name == "s3:GetObject":  # else what is not there can't be told from what is forbidden
            yield "s3:ListBucket", f"arn:aws:s3:::{self.parameters['Bucket']}", {}

    def _resources(self):  # noqa: PLR0911  one for each kind of resource
        given = self.parameters
        if self.operation in UNLIMITED:
            return ["*"]
        match self.service:
            case "lambda" if "UUID" in given:
                return [self._lambda(f"event-source-mapping:{given['UUID']}")]
            case "lambda" if "Resource" in given:
                return [given["Resource"]]
            case "lambda" if "FunctionName" in given:
                tail = f":{given['Qualifier']}" if given.get("Qualifier") else ""
                return [self._lambda(f"function:{given['FunctionName']}{tail}")]
            case "lambda" if "VersionNumber" in given:
                return [self._lambda(f"layer:{given['LayerName']}:{given['VersionNumber']}")]
            case "lambda":
                return [given["Arn"] if "Arn" in given else self._lambda(f"layer:{given['LayerName']}")]
            case "iam":
                return [f"arn:aws:iam::{ACCOUNT}:role/{given['RoleName']}"]
            case "s3":
                key = f"/{given['Key']}" if "Key" in given else ""
                return [f"arn:aws:s3:::{given['Bucket']}{key}"]
            case "ssm":
                names = given.get("Names", [given.get("Name")])
                return [f"arn:aws:ssm:{self.region}:{ACCOUNT}:parameter{name}" for name in names]
            case "events":
                return [f"arn:aws:events:{self.region}:{ACCOUNT}:rule/{given['Rule']}"]
            case "sns":
                return [given["TopicArn"]]
        raise AssertionError(f"nothing is known of the resources of {self}")

    def _lambda(self, resource):
        return f"arn:aws:lambda:{self.region}:{ACCOUNT}:{resource}"


@contextmanager
def recorded(patch):
    """The requests of every client that is made in the block."""
    requests = []
    make = Clients._make

    def watched(clients, service, region, *, once):
        client = make(clients, service, region, once=once)

        def note(model, params, **_):
            requests.append(Request(service, model.name, region, dict(params)))

        client.meta.events.register("provide-client-params.*.*", lambda params, model, **_: note(model, params))
        return client

    patch.setattr(Clients, "_make", watched)
    yield requests
