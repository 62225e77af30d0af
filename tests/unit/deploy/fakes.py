"""A small AWS for one region: strict where a deploy could go wrong, with faults that a test can plant."""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import itertools
import json

from optimizer import limits
from optimizer.build import Artifact, External, Function, Manifest
from optimizer.deploy import descriptions
from optimizer.deploy.planning.callers import (
    FOLLOWS,
    CallingAlias,
    CallingPermission,
    CallingSource,
    CallingUrl,
    Surroundings,
)
from optimizer.deploy.planning.statements import Statement
from optimizer.deploy.port import Direct
from optimizer.deploy.rejections import AnswerLostError, CallRejectedError
from optimizer.deploy.values import (
    Alias,
    AttachedLayer,
    Calls,
    CodeStorage,
    Configuration,
    Invocation,
    LayerFacts,
    LayerVersion,
    ListedLayer,
    Role,
    Upload,
    Url,
)
from optimizer.models import Target

REGION, ACCOUNT = "eu-central-1", "123456789012"
WRITES = frozenset(
    {
        "create_function",
        "tag",
        "untag",
        "update_code",
        "update_configuration",
        "publish_version",
        "create_alias",
        "move_alias",
        "describe_alias",
        "share_alias",
        "create_url",
        "update_url",
        "delete_url",
        "grant_url",
        "grant",
        "revoke",
        "move_source",
        "point_alias",
        "publish_layer",
        "share_layer",
        "unshare_layer",
        "create_role",
        "attach_policy",
        "put_policy",
        "delete_policy",
        "delete_layer_version",
        "delete_version",
    }
)


class VirtualClock:
    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds


def rejected(code, message="", operation="Operation"):
    return CallRejectedError(message or code, mend="", operation=operation, aws_code=code, aws_message=message)


def counted(verb):
    """Record the call; a planted fault strikes before it acts or after."""

    @functools.wraps(verb)
    def call(self, *arguments, **named):
        self.calls.append(verb.__name__)
        self.fault(self, verb.__name__, "before")
        answer = verb(self, *arguments, **named)
        self.fault(self, verb.__name__, "after")
        if self.watch is not None:
            self.watch(self)
        return answer

    return call


@dataclasses.dataclass
class FakeFunction:
    latest: Configuration
    settles_at: float
    blobs: dict
    versions: dict = dataclasses.field(default_factory=dict)
    aliases: dict = dataclasses.field(default_factory=dict)
    urls: dict = dataclasses.field(default_factory=dict)
    policies: dict = dataclasses.field(default_factory=dict)
    provisioned: dict = dataclasses.field(default_factory=dict)
    sources: dict = dataclasses.field(default_factory=dict)


class FakeAws:
    """`unzipped` gives unzipped bytes by zip content (else its length), `answers` by the code what a call answers."""

    def __init__(self, clock=None):
        self.region = REGION
        self.clock = clock or VirtualClock()
        self.calls = []
        self.fault = lambda *_: None
        self.watch = None
        self.functions, self.layers, self.roles, self.ssm, self.bucket = {}, {}, {}, {}, {}
        self.unzipped, self.answers, self.events = {}, {}, []
        self.parts, self.ages = [], {}
        self.targets, self.busy, self.shares = {}, 0, {}
        self.role_ready_at, self.update_seconds = 0.0, 0.25
        self.ratio = 4  # of unzipped to zipped bytes
        self.deleted, self.shared, self.called = set(), {}, {}
        self.calls_by_version = lambda _version, _seconds: Calls()
        self._ids = itertools.count(1)

    # helpers
    def _id(self):
        return f"r{next(self._ids)}"

    def _data(self, content):
        if not isinstance(content, Direct) and (content.bucket, content.key) not in self.bucket:
            raise rejected(
                "InvalidParameterValueException",
                "Error occurred while GetObject. S3 Error Code: NoSuchKey. "
                "S3 Error Message: The specified key does not exist.",
            )
        data = content.data if isinstance(content, Direct) else self.bucket[content.bucket, content.key]
        if isinstance(content, Direct) and len(data) >= limits.DIRECT_ZIP_BYTES:
            raise rejected("InvalidParameterValueException", "Zipped size must be smaller than 52428800 bytes")
        return data

    def _weight(self, data):
        return self.unzipped.get(data, len(data))

    def _layer(self, arn, *, attached=False):
        """Its content; one that was deleted goes on working where it is attached."""
        for versions in self.layers.values():
            for version, data in versions:
                if version.arn == arn and (attached or arn not in self.deleted):
                    return data
        raise rejected("InvalidParameterValueException", "Layer version ARN does not exist.")

    def _fits(self, code, arns):
        actual = self._weight(code) + sum(self._weight(self._layer(arn, attached=True)) for arn in arns)
        if actual > limits.UNZIPPED_BYTES:
            raise rejected(
                "InvalidParameterValueException",
                f"Function code combined with layers exceeds the maximum allowed size of {limits.UNZIPPED_BYTES} "
                f"bytes. The actual size is {actual} bytes.",
            )

    def _function(self, name):
        if name not in self.functions:
            raise rejected("ResourceNotFoundException")
        found = self.functions[name]
        if not found.latest.settled and self.clock.now() >= found.settles_at:
            found.latest = dataclasses.replace(
                found.latest, state="Active", update_status="Successful", revision=self._id()
            )
        return found

    def _begin(self, name, revision, **changes):
        found = self._function(name)
        if not found.latest.settled:
            raise rejected("ResourceConflictException")
        if revision != found.latest.revision:
            raise rejected("PreconditionFailedException")
        found.latest = dataclasses.replace(found.latest, **changes, update_status="InProgress", revision=self._id())
        found.settles_at = self.clock.now() + self.update_seconds

    def _changes(self, settings):
        given = {
            key: getattr(settings, key)
            for key in ("handler", "runtime", "memory_mb", "timeout_seconds", "environment", "role")
            if getattr(settings, key) is not None
        }
        if settings.layers is not None:
            if len(settings.layers) > limits.LAYERS:
                raise rejected("InvalidParameterValueException", "Cannot reference more than 5 layers.")
            bases = [arn.rpartition(":")[0] for arn in settings.layers]
            assert len(bases) == len(set(bases)), "two versions of one layer"
            given["layers"] = tuple(
                AttachedLayer(arn=arn, zipped_bytes=self._weight(self._layer(arn)) // self.ratio)
                for arn in settings.layers
            )
        return given

    def _wanted(self, function, qualifier):
        found = self._function(function)
        if qualifier is None:
            return found, found.latest
        number = found.aliases[qualifier].version if qualifier in found.aliases else qualifier
        if number == "$LATEST":
            return found, found.latest
        if number not in found.versions:
            raise rejected("ResourceNotFoundException")
        return found, found.versions[number]

    # reads
    @counted
    def configuration(self, function, qualifier=None):
        try:
            found = self._wanted(function, qualifier)[1]
            return found if qualifier is None else dataclasses.replace(found, tags=None)
        except CallRejectedError:
            return None

    @counted
    def alias(self, function, name):
        return self.functions[function].aliases.get(name) if function in self.functions else None

    @counted
    def url(self, function, qualifier):
        return self.functions[function].urls.get(qualifier)

    @counted
    def statements(self, function, qualifier):
        return tuple(self.functions[function].policies.get(qualifier, ()))

    @counted
    def callers_of_latest(self, function):
        found = self.functions[function]
        urls = [CallingUrl(url=found.urls[None])] if None in found.urls else []
        aliases = [
            CallingAlias(name=a.name, revision=a.revision, description=a.description, waits=a.version != "$LATEST")
            for a in found.aliases.values()
            if a.version == "$LATEST" or a.description.endswith(FOLLOWS)
        ]
        return (
            *urls,
            *(CallingPermission(statement=one) for one in self._policy(function, None)),
            *(CallingSource(identifier=key, source=arn) for key, (arn, place) in found.sources.items() if not place),
            *aliases,
        )

    @counted
    def sources_of_latest(self):
        return {
            name: tuple(
                CallingSource(identifier=key, source=arn) for key, (arn, place) in one.sources.items() if not place
            )
            for name, one in self.functions.items()
        }

    @counted
    def surroundings(self, function, sources):
        return Surroundings(
            granted=self._policy(function, "live"),
            sources=frozenset(arn for arn, place in self.functions[function].sources.values() if place == "live"),
            targets={arn: frozenset(self.targets[arn]) for arn in sources if arn in self.targets},
        )

    def _policy(self, function, qualifier):
        """A statement is its document, or whether one of a public URL is for calls through it alone."""
        return tuple(
            Statement(sid=sid, document=what if isinstance(what, dict) else public(via_url_only=what))
            for sid, what in self.functions[function].policies.get(qualifier, {}).items()
        )

    @counted
    def policy(self, function, qualifier):
        return self._policy(function, qualifier)

    @counted
    def find_layer(self, name, fingerprint, **_):
        for version, _ in reversed(self.layers.get(name, [])):
            if version.fingerprint == fingerprint and version.arn not in self.deleted:
                return version
        return None

    @counted
    def layer_description(self, arn):
        for versions in self.layers.values():
            for version, _ in versions:
                if version.arn == arn and arn not in self.deleted:
                    return descriptions.of_layer(version.fingerprint)
        return None

    @counted
    def role(self, name):
        return self.roles.get(name)

    @counted
    def role_policy(self, name):
        return self.roles[name].policy if name in self.roles else None

    @counted
    def parameters(self, names):
        return {name: self.ssm[name] for name in names if name in self.ssm}

    @counted
    def versions(self, function):
        found = self.functions[function].versions
        return tuple(found[number] for number in sorted(found, key=int))

    @counted
    def provisioned(self, function):
        return dict(self.functions[function].provisioned)

    @counted
    def layer_facts(self, arn):
        if f":{ACCOUNT}:" not in arn:
            return "hidden"
        for versions in self.layers.values():
            for version, data in versions:
                if version.arn == arn and arn not in self.deleted:
                    description = descriptions.of_layer(version.fingerprint) if version.fingerprint else ""
                    return LayerFacts(arn=arn, description=description, zipped_bytes=len(data), created="2026-01-01")
        return "gone"

    def every_latest(self):
        self.calls.append("every_latest")
        self.fault(self, "every_latest", "before")
        for name in sorted(self.functions):
            yield dataclasses.replace(self._function(name).latest, state="Active", update_status="Successful")

    def every_version(self):
        self.calls.append("every_version")
        self.fault(self, "every_version", "before")
        for name in sorted(self.functions):
            found = self._function(name)
            arn = f"{found.latest.arn}:$LATEST"  # a listing of all versions names it so
            yield dataclasses.replace(found.latest, arn=arn, state="Active", update_status="Successful")
            yield from found.versions.values()

    @counted
    def aliases(self, function):
        return tuple(self.functions[function].aliases.values()) if function in self.functions else ()

    @counted
    def layer_versions(self, layer):
        name = layer.rpartition(":layer:")[2]
        if layer.startswith("arn:") and f":{ACCOUNT}:" not in layer:
            return None
        return tuple(
            ListedLayer(arn=v.arn, version=v.version, description=descriptions.of_layer(v.fingerprint))
            for v, _ in reversed(self.layers.get(name, []))
            if v.arn not in self.deleted
        )

    @counted
    def shared_with(self, layer, version):
        granted = self.shares.get((layer, version), {})
        told = tuple(f"{statement} for {principal}" for statement, (principal, _) in granted.items())
        return self.shared.get(layer_arn(layer, version), told)

    @counted
    def callers_of_version(self, function, version):
        return tuple(f"the permission {sid!r}" for sid in self.functions[function].policies.get(version, ()))

    @counted
    def calls_by_number(self, function, version, **_):
        return self.called.get((function, version), 0)

    @counted
    def code_storage(self):
        layers = [data for versions in self.layers.values() for v, data in versions if v.arn not in self.deleted]
        code = [c.zipped_bytes for f in self.functions.values() for c in (f.latest, *f.versions.values())]
        return CodeStorage(used_bytes=sum(map(len, layers)) + sum(code), limit_bytes=10_000)

    # writes
    @counted
    def delete_layer_version(self, layer, version):
        self.deleted.add(layer_arn(layer, version))

    @counted
    def delete_version(self, function, version):
        found = self._function(function)
        for alias in found.aliases.values():
            if version in alias.versions:
                raise rejected("ResourceConflictException", f"{version} is used by alias {alias.name}")
        found.versions.pop(version, None)

    @counted
    def tag(self, arn, tags):
        self._tags(arn, lambda there: {**there, **tags})

    @counted
    def untag(self, arn, keys):
        self._tags(arn, lambda there: {key: value for key, value in there.items() if key not in keys})

    def _tags(self, arn, change):
        found = self._function(arn.split(":")[6])
        assert found.latest.arn == arn, "tags belong to the function, not to a version"
        found.latest = dataclasses.replace(found.latest, tags=change(found.latest.tags))

    @counted
    def create_function(self, function, settings, code, *, architecture, role, tags):
        if function in self.functions:
            raise rejected("ResourceConflictException", f"Function already exist: {function}")
        if self.clock.now() < self.role_ready_at:
            raise rejected(
                "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."
            )
        data = self._data(code)
        given = self._changes(settings)
        self._fits(data, settings.layers or ())
        latest = Configuration(
            arn=f"arn:aws:lambda:{self.region}:{ACCOUNT}:function:{function}",
            version="$LATEST",
            description="",
            code_sha256=sha(data),
            zipped_bytes=self._weight(data) // self.ratio,
            architecture=architecture,
            role=role,
            revision=self._id(),
            state="Pending",
            update_status="InProgress",
            tags=dict(tags),
            **{"layers": (), "environment": {}, **given},
        )
        self.functions[function] = FakeFunction(
            latest=latest, settles_at=self.clock.now() + self.update_seconds, blobs={sha(data): data}
        )
        return latest

    @counted
    def update_code(self, function, code, *, architecture, revision):
        data = self._data(code)
        found = self._function(function)
        self._fits(data, found.latest.layer_arns)
        self._begin(
            function,
            revision,
            code_sha256=sha(data),
            zipped_bytes=self._weight(data) // self.ratio,
            architecture=architecture,
        )
        found.blobs[sha(data)] = data

    @counted
    def update_configuration(self, function, settings, *, revision):
        found = self._function(function)
        given = self._changes(settings)
        if settings.layers is not None:
            self._fits(found.blobs[found.latest.code_sha256], settings.layers)
        self._begin(function, revision, **given)

    @counted
    def publish_version(self, function, description, *, code_sha256, revision):
        found = self._function(function)
        if not found.latest.settled:
            raise rejected("ResourceConflictException")
        if revision not in (None, found.latest.revision):
            raise rejected("PreconditionFailedException")
        if code_sha256 != found.latest.code_sha256:
            raise rejected("InvalidParameterValueException", "CodeSHA256 is different")
        if found.versions:
            newest = found.versions[max(found.versions, key=int)]
            same = {"version": "", "revision": "", "description": "", "arn": ""}
            if dataclasses.replace(newest, **same) == dataclasses.replace(found.latest, **same):
                return newest
        number = str(max(map(int, found.versions), default=0) + 1)  # deleted numbers do not come again
        found.versions[number] = dataclasses.replace(
            found.latest,
            arn=f"{found.latest.arn}:{number}",
            version=number,
            description=description,
            revision=self._id(),
        )
        return found.versions[number]

    @counted
    def invoke(self, function, version, event):
        found, configuration = self._wanted(function, version)
        self.events.append(json.loads(event))
        return self.answers.get(
            found.blobs[configuration.code_sha256], Invocation(payload=b'{"statusCode": 200}', error=None, log="")
        )

    @counted
    def create_alias(self, function, name, version, *, description):
        found = self._function(function)
        if name in found.aliases:
            raise rejected("ResourceConflictException")
        found.aliases[name] = self._alias(function, name, version, description)

    def _alias(self, function, name, version, description):
        arn = f"{self.functions[function].latest.arn}:{name}"
        return Alias(name=name, version=version, revision=self._id(), arn=arn, description=description)

    @counted
    def move_alias(self, function, name, version, *, description, revision, shared=True):
        found = self._function(function)
        before = found.aliases[name]
        if before.revision != revision:
            raise rejected("PreconditionFailedException")
        assert version in found.versions
        moved = self._alias(function, name, version, description)
        found.aliases[name] = moved if shared else dataclasses.replace(moved, weights=before.weights)

    @counted
    def share_alias(self, function, name, weights, *, revision):
        found = self._function(function)
        there = found.aliases[name]
        if there.revision != revision:
            raise rejected("PreconditionFailedException")
        if weights and name in found.provisioned:
            raise rejected("InvalidParameterValueException", "Invalid alias configuration for Provisioned Concurrency")
        assert set(weights) <= set(found.versions) - {there.version}
        found.aliases[name] = dataclasses.replace(there, weights=dict(weights), revision=self._id())
        return found.aliases[name].revision

    @counted
    def calls_of(self, function, name, version, *, seconds):
        assert name in self.functions[function].aliases
        return self.calls_by_version(version, seconds)

    @counted
    def describe_alias(self, function, name, description):
        found = self._function(function)
        found.aliases[name] = dataclasses.replace(found.aliases[name], description=description, revision=self._id())

    @counted
    def create_url(self, function, qualifier, auth, *, like=None):
        found = self._function(function)
        if qualifier in found.urls:
            raise rejected("ResourceConflictException")
        found.urls[qualifier] = Url(address=f"https://{function}.example/", auth=auth, cors=like and like.cors)
        return found.urls[qualifier]

    @counted
    def update_url(self, function, qualifier, auth, *, like=None):
        found = self._function(function)
        there = found.urls[qualifier]
        found.urls[qualifier] = dataclasses.replace(there, auth=auth, cors=like.cors if like else there.cors)

    @counted
    def delete_url(self, function, qualifier):
        self._function(function).urls.pop(qualifier, None)

    @counted
    def grant_url(self, function, qualifier, statement, *, via_url_only):
        policy = self._function(function).policies.setdefault(qualifier, {})
        if statement in policy:
            raise rejected("ResourceConflictException")
        policy[statement] = via_url_only
        self._policy_changed(function, qualifier)

    def _policy_changed(self, function, qualifier):
        """The revision of whatever has the policy changes with it."""
        found = self._function(function)
        if qualifier is None:
            found.latest = dataclasses.replace(found.latest, revision=self._id())
        elif qualifier in found.aliases:
            found.aliases[qualifier] = dataclasses.replace(found.aliases[qualifier], revision=self._id())

    @counted
    def revoke(self, function, qualifier, statement):
        self._function(function).policies.get(qualifier, {}).pop(statement, None)
        self._policy_changed(function, qualifier)

    @counted
    def grant(self, function, qualifier, statement, permission):
        found = self._function(function)
        if qualifier not in found.aliases:
            raise rejected("ResourceNotFoundException")
        policy = found.policies.setdefault(qualifier, {})
        if statement in policy:
            raise rejected("ResourceConflictException")
        policy[statement] = document(permission)
        self._policy_changed(function, qualifier)

    @counted
    def move_source(self, identifier, function, qualifier):
        if self.busy:
            self.busy -= 1
            raise rejected("ResourceInUseException")
        found = self._function(function)
        assert qualifier in found.aliases
        found.sources[identifier] = (found.sources[identifier][0], qualifier)

    @counted
    def point_alias(self, function, name, version, *, description, revision):
        found = self._function(function)
        assert version in found.versions
        if found.aliases[name].revision != revision:
            raise rejected("PreconditionFailedException")
        found.aliases[name] = self._alias(function, name, version, description)

    @counted
    def publish_layer(self, name, fingerprint, content, **_):
        versions = self.layers.setdefault(name, [])
        number = len(versions) + 1
        version = LayerVersion(name=name, version=number, arn=layer_arn(name, number), fingerprint=fingerprint)
        versions.append((version, self._data(content)))
        return version

    @counted
    def layer_grants(self, layer, version):
        return frozenset(() if layer_arn(layer, version) in self.deleted else self.shares.get((layer, version), ()))

    @counted
    def share_layer(self, layer, version, statement, *, principal, organization):
        there = self.shares.setdefault((layer, version), {})
        if layer_arn(layer, version) in self.deleted:
            raise rejected("ResourceNotFoundException", operation="AddLayerVersionPermission")
        if statement in there:
            raise rejected("ResourceConflictException")
        assert len(self.layers[layer]) >= version
        there[statement] = (principal, organization)

    @counted
    def unshare_layer(self, layer, version, statement):
        self.shares.get((layer, version), {}).pop(statement, None)

    @counted
    def create_role(self, name):
        if name in self.roles:
            raise rejected("EntityAlreadyExists")
        arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        self.roles[name] = Role(name=name, arn=arn, ours=True, policy=None, attached=frozenset())
        return arn

    @counted
    def attach_policy(self, role, policy):
        there = self.roles[role]
        self.roles[role] = dataclasses.replace(there, attached=there.attached | {policy})

    @counted
    def put_policy(self, role, document):
        self.roles[role] = dataclasses.replace(self.roles[role], policy=document)

    @counted
    def delete_policy(self, role):
        self.roles[role] = dataclasses.replace(self.roles[role], policy=None)

    @counted
    def store(self, bucket, key, path, *, stopping):
        if stopping():
            raise KeyboardInterrupt
        self.bucket[bucket, key] = path.read_bytes()

    @counted
    def unstore(self, bucket, key, *, upload=None):
        if upload is None:
            self.bucket.pop((bucket, key), None)
        else:
            self.parts = [one for one in self.parts if one.identifier != upload]

    @counted
    def stored(self, bucket, prefix):
        there = sorted(key for place, key in self.bucket if place == bucket and key.startswith(prefix))
        return tuple(Upload(key=key, age_seconds=self.ages.get(key, 0.0)) for key in there)

    @counted
    def unfinished(self, _bucket, prefix):
        return tuple(one for one in self.parts if one.key.startswith(prefix))

    @counted
    def put_parameter(self, name, value):
        self.ssm[name] = value


def published(aws, name, *contents):
    """Versions of a layer, one for each content."""
    for content in contents:
        aws.publish_layer(name, fingerprint(content), Direct(data=content.encode()))


def fleet(aws, count, layers, *, prefix="f", alias="live", description=""):
    """So many functions with those layers; each has version 1, which its alias serves, and the same as `$LATEST`."""
    attached = tuple(AttachedLayer(arn=arn, zipped_bytes=1) for arn in layers)
    for number in range(count):
        name = f"{prefix}{number:03}"
        code = name.encode()
        latest = Configuration(
            arn=f"arn:aws:lambda:{aws.region}:{ACCOUNT}:function:{name}",
            version="$LATEST",
            description="",
            code_sha256=sha(code),
            zipped_bytes=len(code),
            layers=attached,
            handler="h.handler",
            runtime="python3.11",
            architecture="x86_64",
            memory_mb=128,
            timeout_seconds=3,
            environment={},
            role="arn:aws:iam::123456789012:role/r",
            revision=aws._id(),
            state="Active",
        )
        made = aws.functions[name] = FakeFunction(latest=latest, settles_at=0.0, blobs={sha(code): code})
        if alias is not None:
            made.versions["1"] = dataclasses.replace(latest, version="1", description=description, revision=aws._id())
            made.aliases[alias] = Alias(name=alias, version="1", revision=aws._id())
    aws.calls.clear()


def fault_at(number, when, error=None):
    """A fault that strikes once, at the write call of that number: `before` it acts, or `after` (an answer is lost)."""
    seen = itertools.count()
    state = {"struck": False, "current": -1}

    def fault(_aws, verb, moment):
        if verb not in WRITES:
            return
        if moment == "before":
            state["current"] = next(seen)
        if state["current"] == number and moment == when and not state["struck"]:
            state["struck"] = True
            raise error or AnswerLostError("the answer was lost", mend="again")

    return fault


def document(permission):
    """What a policy holds of a permission."""
    who = permission.principal
    account = who.isdigit() and f"arn:aws:iam::{who}:root"
    conditions = {
        "ArnLike": {"AWS:SourceArn": permission.source_arn},
        "StringEquals": {"AWS:SourceAccount": permission.source_account, "aws:PrincipalOrgID": permission.organization},
    }
    told = {test: {k: v for k, v in keys.items() if v} for test, keys in conditions.items()}
    return {
        "Effect": "Allow",
        "Principal": who if who == "*" else {"Service": who} if ".amazonaws." in who else {"AWS": account or who},
        "Action": permission.action,
        "Resource": "it",
        "Condition": {test: keys for test, keys in told.items() if keys},
    }


def public(*, via_url_only):
    """A statement that opens a URL to anybody."""
    return {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "lambda:InvokeFunction" if via_url_only else "lambda:InvokeFunctionUrl",
        "Resource": "it",
        "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
        if via_url_only
        else {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
    }


def sha(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def layer_arn(name, version, account=ACCOUNT):
    return f"arn:aws:lambda:{REGION}:{account}:layer:{name}:{version}"


def fingerprint(text):
    return hashlib.sha256(text.encode()).hexdigest()


def artifact(folder, name, content, *, kind="layer", unzipped_bytes=1000, zipped_bytes=None):
    """An artifact whose zip holds that text; its fingerprint follows from the text."""
    data = content.encode()
    path = f"{name}.zip" if kind == "layer" else "function.zip"
    (folder / path).write_bytes(data)
    return Artifact(
        name=name,
        kind=kind,
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        zipped_bytes=len(data) if zipped_bytes is None else zipped_bytes,
        unzipped_bytes=unzipped_bytes,
        fingerprint=fingerprint(content),
        files=1,
    )


def make_manifest(folder, *, layers=None, code="code 1", external=(), layer_bytes=1000, code_bytes=1000, **changes):
    """A manifest of one function `app` with the layers `aws-core` and `web`."""
    folder.mkdir(parents=True, exist_ok=True)
    layers = {"aws-core": "aws 1", "web": "web 1"} if layers is None else layers
    function = Function(
        **{
            "name": "app",
            "artifact": "app",
            "layers": tuple(layers),
            "external_layers": tuple(External(arn=arn, unzipped_bytes=size) for arn, size in external),
            "handler": "handler.handler",
            "runtime": "python3.11",
            "architecture": "x86_64",
            "regions": (REGION,),
            "memory_mb": 512,
            "timeout_seconds": 30,
            "environment": {},
            "role_arn": None,
            "policy": {"Version": "2012-10-17", "Statement": []},
            "check_path": "/health",
            "url": "iam",
            **changes,
        }
    )
    return Manifest(
        target=Target(runtime="python3.11", architecture="x86_64"),
        artifacts=(
            *(artifact(folder, name, text, unzipped_bytes=layer_bytes) for name, text in layers.items()),
            artifact(folder, "app", code, kind="function", unzipped_bytes=code_bytes),
        ),
        functions=(function,),
        searched=True,  # they are no zips
        compressor="zlib",
        folder=folder,
    )
