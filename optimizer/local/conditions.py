"""The strict conditions: which operation is refused when, with the service's own code and text.

Each row names the fact of Lambda that it stands for; texts are the service's, with places to fill in.
"""

from __future__ import annotations

from dataclasses import dataclass

from optimizer import limits
from optimizer.local.protocol import ServiceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One reason to refuse: `operations` that know it, `fact` it stands for, and the error that it makes."""

    operations: tuple[str, ...]
    fact: str
    status: int
    code: str
    text: str

    def error(self, **values: object) -> ServiceError:
        """The error with the places of its text filled in."""
        headers = {"Retry-After": "1"} if self.status == 429 else {}  # noqa: PLR2004
        return ServiceError(self.status, self.code, self.text.format(**values), headers)


_CODE = ("CreateFunction", "UpdateFunctionCode")
_CONFIGURATION = ("CreateFunction", "UpdateFunctionConfiguration")
_INVALID = "InvalidParameterValueException"
_LIMIT = limits.UNZIPPED_BYTES

BAD_ZIP = Condition(
    operations=("PublishLayerVersion", *_CODE),
    fact="an upload has to be a zip whose paths stay in their folder",
    status=400,
    code=_INVALID,
    text="Could not unzip uploaded file. Please check your file, then try to upload again.",
)
ZIPPED_TOO_LARGE = Condition(
    operations=("PublishLayerVersion", *_CODE),
    fact="a zip sent directly has at most 50 MB; a larger one comes through S3",
    status=400,
    code=_INVALID,
    text=f"Zipped size must be smaller than {limits.DIRECT_ZIP_BYTES} bytes",
)
UNZIPPED_TOO_LARGE = Condition(
    operations=("PublishLayerVersion", *_CODE),
    fact="unzipped bytes count against what is left beside the layers attached at that moment",
    status=400,
    code=_INVALID,
    text="Unzipped size must be smaller than {left} bytes",
)
COMBINED_TOO_LARGE = Condition(
    operations=_CONFIGURATION,
    fact="code and layers together have at most 250 MB unzipped",
    status=400,
    code=_INVALID,
    text=f"Function code combined with layers exceeds the maximum allowed size of {_LIMIT} bytes. "
    "The actual size is {actual} bytes.",
)
LAYERS_TOO_LARGE = Condition(
    operations=_CONFIGURATION,
    fact="layers alone have to leave room for code",
    status=400,
    code=_INVALID,
    text=f"Layers consume more than the available size of {_LIMIT} bytes",
)
TOO_MANY_LAYERS = Condition(
    operations=_CONFIGURATION,
    fact="a function has at most five layers",
    status=400,
    code=_INVALID,
    text=f"Cannot reference more than {limits.LAYERS} layers.",
)
LAYER_MISSING = Condition(
    operations=_CONFIGURATION,
    fact="a layer version that was deleted, or never was, can't be attached",
    status=400,
    code=_INVALID,
    text="Layer version {arn} does not exist.",
)
SAME_LAYER_TWICE = Condition(
    operations=_CONFIGURATION,
    fact="a function has at most one version of a layer",
    status=400,
    code=_INVALID,
    text="Two different versions of the same layer are not allowed to be referenced in the same function. "
    "{first} and {second} are versions of the same layer.",
)
UPDATE_IN_PROGRESS = Condition(
    operations=("UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion"),
    fact="after each update LastUpdateStatus has to become Successful before the next",
    status=409,
    code="ResourceConflictException",
    text="The operation cannot be performed at this time. An update is in progress for resource: {arn}",
)
STILL_PENDING = Condition(
    operations=("UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion", "Invoke"),
    fact="a new function is Pending before it is Active",
    status=409,
    code="ResourceConflictException",
    text="The operation cannot be performed at this time. The function is currently in the following state: Pending",
)
SNAPSHOT_PENDING = Condition(
    operations=("Invoke",),
    fact="with SnapStart a published version is Pending until its snapshot is made",
    status=409,
    code="SnapStartNotReadyException",
    text="Lambda is initializing your function. It will be ready to invoke once your function state becomes ACTIVE.",
)
PROVISIONED_WITH_WEIGHTS = Condition(
    operations=("UpdateAlias",),
    fact="an alias with provisioned concurrency serves one version alone",
    status=400,
    code=_INVALID,
    text="Invalid alias configuration for Provisioned Concurrency",
)
WEIGHTS_WITH_PROVISIONED = Condition(
    operations=("PutProvisionedConcurrencyConfig",),
    fact="an alias that shares its traffic can't have provisioned concurrency",
    status=400,
    code=_INVALID,
    text="Alias with weights can not be used with Provisioned Concurrency",
)
PROVISIONED_MISSING = Condition(
    operations=("GetProvisionedConcurrencyConfig",),
    fact="without provisioned concurrency there is nothing to read",
    status=404,
    code="ProvisionedConcurrencyConfigNotFoundException",
    text="No Provisioned Concurrency Config found for this function",
)
STALE_REVISION = Condition(
    operations=(
        "UpdateFunctionCode",
        "UpdateFunctionConfiguration",
        "PublishVersion",
        "UpdateAlias",
        "AddPermission",
        "RemovePermission",
    ),
    fact="RevisionId guards updates; it changes at the update and again when it settles",
    status=412,
    code="PreconditionFailedException",
    text="The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
    "retrieve the latest Revision Id",
)
CODE_DIFFERS = Condition(
    operations=("PublishVersion",),
    fact="PublishVersion takes a CodeSha256 guard",
    status=400,
    code=_INVALID,
    text="CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({actual}). "
    "Please try again with the CodeSHA256 in $LATEST.",
)
ENVIRONMENT_TOO_LARGE = Condition(
    operations=_CONFIGURATION,
    fact="environment variables together have at most 4 KB",
    status=400,
    code=_INVALID,
    text="Lambda was unable to configure your environment variables because the environment variables you have "
    "provided exceeded the 4KB limit. String measured: {measured}",
)
RESERVED_VARIABLE = Condition(
    operations=_CONFIGURATION,
    fact="some environment variables are Lambda's own",
    status=400,
    code=_INVALID,
    text="Lambda was unable to configure your environment variables because the environment variables you have "
    "provided contains reserved keys that are currently not supported for modification. Reserved keys used in this "
    "request: {names}",
)
OBJECT_MISSING = Condition(
    operations=("PublishLayerVersion", *_CODE),
    fact="above 50 MB a zip comes through S3",
    status=400,
    code=_INVALID,
    text="Error occurred while GetObject. S3 Error Code: NoSuchKey. "
    "S3 Error Message: The specified key does not exist.",
)
ROLE_UNUSABLE = Condition(
    operations=_CONFIGURATION,
    fact="the role has to exist and to trust Lambda",
    status=400,
    code=_INVALID,
    text="The role defined for the function cannot be assumed by Lambda.",
)
FUNCTION_EXISTS = Condition(
    operations=("CreateFunction",),
    fact="a function's name is taken once in a region",
    status=409,
    code="ResourceConflictException",
    text="Function already exist: {name}",
)
FUNCTION_MISSING = Condition(
    operations=("every operation on a function",),
    fact="what is not there is not found",
    status=404,
    code="ResourceNotFoundException",
    text="Function not found: {arn}",
)
RESOURCE_MISSING = Condition(
    operations=("every operation on a resource",),
    fact="what is not there is not found",
    status=404,
    code="ResourceNotFoundException",
    text="{message}",
)
ALIAS_EXISTS = Condition(
    operations=("CreateAlias",),
    fact="an alias's name is taken once on a function",
    status=409,
    code="ResourceConflictException",
    text="Alias already exists: {arn}",
)
STATEMENT_EXISTS = Condition(
    operations=("AddPermission", "AddLayerVersionPermission"),
    fact="a statement's id is taken once in a policy",
    status=409,
    code="ResourceConflictException",
    text="The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the existing "
    "statement.",
)
MAPPING_EXISTS = Condition(
    operations=("CreateEventSourceMapping", "UpdateEventSourceMapping"),
    fact="an event source calls a function, version or alias by one mapping",
    status=409,
    code="ResourceConflictException",
    text='The event source arn (" {source} ") and function (" {function} ") provided mapping already exists. Please '
    "update or delete the existing mapping with UUID {uuid}",
)
MAPPING_BUSY = Condition(
    operations=("UpdateEventSourceMapping",),
    fact="an event-source mapping takes no change while another is under way (the text is unverified)",
    status=400,
    code="ResourceInUseException",
    text="Cannot update the event source mapping because it is in use.",
)
URL_EXISTS = Condition(
    operations=("CreateFunctionUrlConfig",),
    fact="a function or alias has one URL",
    status=409,
    code="ResourceConflictException",
    text="FunctionUrlConfig exists for this Lambda function",
)
VERSION_IN_USE = Condition(
    operations=("DeleteFunction",),
    fact="a version that an alias points at can't be deleted",
    status=409,
    code="ResourceConflictException",
    text="{arn} is used by alias {alias}",
)
TAGS_OF_VERSION = Condition(
    operations=("TagResource", "UntagResource", "ListTags"),
    fact="tags belong to a function, not to a version or alias",
    status=400,
    code=_INVALID,
    text="Tags on function aliases and versions are not supported. Please specify either a function ARN or an event "
    "source mapping ARN.",
)
TOO_MANY_TAGS = Condition(
    operations=("TagResource", "CreateFunction"),
    fact="a function has at most 50 tags (the text is unverified)",
    status=400,
    code=_INVALID,
    text="Number of tags exceeds resource tag limit.",
)
RESERVED_TAG = Condition(
    operations=("TagResource", "CreateFunction"),
    fact="keys that begin with aws: are AWS's own (the text is unverified)",
    status=400,
    code=_INVALID,
    text="aws: prefixed tag key names are not allowed for external use.",
)
INVALID = Condition(
    operations=("every operation",),
    fact="parameters have the API model's lengths and patterns",
    status=400,
    code=_INVALID,
    text="{message}",
)
NOT_JSON = Condition(
    operations=("Invoke",),
    fact="an event is JSON",
    status=400,
    code="InvalidRequestContentException",
    text="Could not parse request body into json: {reason}",
)
CODE_UNREADABLE = Condition(
    operations=("Invoke",),
    fact="a zip that can't be unpacked can't run",
    status=502,
    code="InvalidZipFileException",
    text="Lambda could not unzip the deployment package: {reason}",
)
RUNTIME_UNUSABLE = Condition(
    operations=("Invoke",),
    fact="functions run in a Python of their runtime's minor version; this machine has to have one",
    status=502,
    code="InvalidRuntimeException",
    text="{reason}",
)
CODE_STORAGE_FULL = Condition(
    operations=("PublishLayerVersion", *_CODE),
    fact="a region has so many bytes of code storage; GetAccountSettings says how many",
    status=400,
    code="CodeStorageExceededException",
    text="Code storage limit exceeded.",
)
BAD_MARKER = Condition(
    operations=("every listing",),
    fact="a marker is what the page before gave",
    status=400,
    code=_INVALID,
    text="Invalid marker: {marker}",
)
PAYLOAD_TOO_LARGE = Condition(
    operations=("Invoke",),
    fact="a synchronous request or response has at most 6 MB",
    status=413,
    code="RequestTooLargeException",
    text=f"Request must be smaller than {limits.PAYLOAD_BYTES} bytes for the InvokeFunction operation",
)
THROTTLED = Condition(
    operations=("every control-plane operation",),
    fact="the control plane takes about 15 calls a second besides GetFunction",
    status=429,
    code="TooManyRequestsException",
    text="Rate exceeded",
)
INVOKE_THROTTLED = Condition(
    operations=("Invoke",),
    fact="a function runs in so many environments at once and no more",
    status=429,
    code="TooManyRequestsException",
    text="Rate Exceeded.",
)

TABLE = tuple(value for value in list(globals().values()) if isinstance(value, Condition))
"""Every condition."""
