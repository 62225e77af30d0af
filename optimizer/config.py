"""config/layers.toml → Config: what a person decides, checked as a whole, every fault told at once."""

from __future__ import annotations

import copy
import re
import tomllib
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Literal

from packaging.utils import canonicalize_name
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from optimizer import limits, tags
from optimizer.errors import ConfigError, UsageError
from optimizer.models import Target

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_PART = re.compile(r"botocore/data/[a-z0-9-]+")


def _normalised(name: str) -> str:
    """The name as PEP 503 normalises it; a ValueError where it can't be a distribution's."""
    try:
        return canonicalize_name(name, validate=True)
    except ValueError:
        raise ValueError(f"{name!r} is not the name of a distribution") from None


def _item(name: str) -> str:
    """A distribution's name, or that of a part that `split_services` makes."""
    return name if _PART.fullmatch(name) else _normalised(name)


def _inside(path: str) -> str:
    """A relative path that stays in the project's folder."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or not path:
        raise ValueError(f"{path!r} must be a path inside the project, relative to its root")
    return path


def _layer_name(name: str) -> str:
    if not re.fullmatch(limits.LAYER_NAME_PATTERN, name) or len(name) > limits.LAYER_NAME_LENGTH:
        raise ValueError(
            f"{name!r} is not a layer's name: letters, digits, '-' and '_', at most {limits.LAYER_NAME_LENGTH}"
        )
    return name


def _function_name(name: str) -> str:
    if not re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", name):
        raise ValueError(f"{name!r} is not a function's name: letters, digits, '-' and '_', at most 64")
    return name


def _tags(given: dict[str, str]) -> dict[str, str]:
    """Tags as Lambda takes them, beside the one that tells which are ours."""
    for key, value in given.items():
        if key.lower().startswith("aws:") or key == tags.MARKER:
            raise ValueError(f"{key!r} is a key that others set: {'AWS' if key != tags.MARKER else 'each deploy'} does")
        for text, most in ((key, tags.KEY_LENGTH), (value, tags.VALUE_LENGTH)):
            if len(text) > most or not re.fullmatch(tags.PATTERN, text) or not key:
                raise ValueError(f"{text!r} can't be in a tag: letters, digits, blanks and _.:/=+-@, at most {most}")
    if len(given) >= tags.MOST or len(tags.listed(given)) > tags.VALUE_LENGTH:
        raise ValueError(
            f"{len(given)} tags: their keys together have at most {tags.VALUE_LENGTH} characters, blanks between them "
            "counted, since one tag lists them"
        )
    return given


def _runtime(name: str) -> str:
    if name not in limits.RUNTIMES:
        raise ValueError(f"{name!r} is not a runtime known here: {', '.join(limits.RUNTIMES)}")
    return name


Name = Annotated[str, AfterValidator(_normalised)]
ItemName = Annotated[str, AfterValidator(_item)]
VariableName = Annotated[
    str, Field(pattern=r"^[a-zA-Z][a-zA-Z0-9_]+$")
]  # EnvironmentVariableName of Lambda's API model
ProjectPath = Annotated[str, AfterValidator(_inside)]


class _Table(BaseModel):
    """A table of the file: keys it does not know are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ExternalLayer(_Table):
    """A layer that is not ours: kept in its place among the attached layers, and counted.

    `first` attaches it before our layers, as the project's own files would win over it; otherwise it comes after them.
    """

    arn: Annotated[str, Field(pattern=r"^arn:[a-zA-Z-]+:lambda:[a-z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:\d+$")]
    unzipped_bytes: Annotated[int, Field(ge=0, le=limits.UNZIPPED_BYTES)]


class FunctionConfig(_Table):
    """One function: its source, its requirements, and how Lambda runs it.

    `keep` are glob patterns of files of its source that ship, and ship as they are, whatever the rules say of them.
    """

    name: Annotated[str, AfterValidator(_function_name)]
    source: ProjectPath
    requirements: ProjectPath
    keep: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    handler: Annotated[str, Field(pattern=r"^[^\s]{1,128}$")]
    runtime: Annotated[str, AfterValidator(_runtime)]
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    regions: Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")], ...], Field(min_length=1)]
    external_layers: tuple[ExternalLayer, ...] = ()
    memory_mb: Annotated[int, Field(ge=limits.MEMORY_MB[0], le=limits.MEMORY_MB[1])] = 512
    timeout_seconds: Annotated[int, Field(ge=1, le=limits.TIMEOUT_SECONDS)] = 30
    environment: dict[VariableName, str] = Field(default_factory=dict)
    tags: Annotated[dict[str, str], AfterValidator(_tags)] = Field(default_factory=dict)
    policy: ProjectPath | None = None
    role_arn: str | None = None
    check_path: Annotated[str, Field(pattern=r"^/")] | None = None
    url: Literal["iam", "public", "none"] = "iam"


class AwsConfig(_Table):
    """`services`: the botocore models to ship, or `auto` for those found in the code, or `all`.

    With `split_services` each of them is an item of its own, `botocore/data/<service>`, which may be in another layer
    than botocore: models change less often than botocore releases.
    """

    services: Literal["auto", "all"] | tuple[str, ...] = "auto"
    split_services: bool = False


class LayerConfig(_Table):
    """One layer: `roots` stay in it, and `include` pins further distributions.

    With `self_contained` everything that its distributions require is in it too, so that any function can attach it
    alone.
    """

    name: Annotated[str, AfterValidator(_layer_name)]
    roots: tuple[ItemName, ...] = ()
    include: tuple[ItemName, ...] = ()
    self_contained: bool = False


class GroupsConfig(_Table):
    """Distributions that must share a layer (`together`) or must not (`apart`)."""

    together: tuple[tuple[ItemName, ...], ...] = ()
    apart: tuple[tuple[ItemName, ...], ...] = ()


class SlimConfig(BaseModel):
    """Selection: rules by name switched on or off; glob patterns to keep or drop, by distribution.

    Distributions in `leave_out` do not ship, nor do those in `provided`, which the runtime has.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, bool]

    keep: dict[Name, tuple[str, ...]] = Field(default_factory=dict)
    drop: dict[Name, tuple[str, ...]] = Field(default_factory=dict)
    leave_out: tuple[Name, ...] = ()
    provided: tuple[Name, ...] = ()

    @property
    def cut(self) -> frozenset[str]:
        """What does not ship, whoever requires it."""
        return frozenset((*self.leave_out, *self.provided))

    @property
    def rules(self) -> dict[str, bool]:
        """The rules that the file names, by name."""
        return dict(self.__pydantic_extra__ or {})


class BuildConfig(_Table):
    """`bytecode`: ship unchecked-hash .pyc files beside layers' sources; `code_bytecode`: beside the function's own.

    A function's own bytecode makes its zip about three times as large, which every code deploy sends, and saves what
    compiling a few small files takes at a cold start: so it is left out unless asked for.
    `allow_secrets` are glob patterns of files that ship although something in them looks secret.
    """

    bytecode: bool = True
    code_bytecode: bool = False
    allow_secrets: tuple[Annotated[str, Field(min_length=1)], ...] = ()


class PlanConfig(_Table):
    """How the split is judged.

    `horizon_weeks`: within how many weeks a move has to earn back the bytes that it dirties; `cadence`: how often the
    team takes the newest of everything; `half_life_weeks`: after how many weeks a release counts half; `prior_weeks`:
    how many weeks of watching the prior is worth; `publish_bytes`: what each publish costs beside its bytes.
    """

    horizon_weeks: Annotated[int, Field(ge=1, le=520)] = 26
    cadence: Literal["day", "week", "month"] = "week"
    half_life_weeks: Annotated[float, Field(gt=0, le=520)] = 52
    prior_weeks: Annotated[float, Field(gt=0, le=520)] = 16
    publish_bytes: Annotated[int, Field(ge=0, le=limits.UNZIPPED_BYTES)] = 10_000


class ShareConfig(_Table):
    """Who else may attach our layers: `accounts`, and all accounts of an `organization`.

    Permissions belong to one version of a layer, so each publish grants them again; whoever is taken out of the lists
    loses them on the version in use. Without the table nobody's permissions are looked at.
    """

    accounts: tuple[Annotated[str, Field(pattern=r"^\d{12}$")], ...] = ()
    organization: Annotated[str, Field(pattern=r"^o-[a-z0-9]{10,32}$")] | None = None


class Config(_Table):
    """The whole file; `path` is where it was read, `root` the project's folder that its paths start from."""

    path: Path
    root: Path
    function: Annotated[tuple[FunctionConfig, ...], Field(min_length=1)]
    layer: Annotated[tuple[LayerConfig, ...], Field(min_length=1)]
    aws: AwsConfig = AwsConfig()
    groups: GroupsConfig = GroupsConfig()
    slim: SlimConfig = SlimConfig()
    build: BuildConfig = BuildConfig()
    plan: PlanConfig = PlanConfig()
    share: ShareConfig | None = None

    @property
    def target(self) -> Target:
        """The runtime and architecture that all functions of the file share."""
        return Target(runtime=self.function[0].runtime, architecture=self.function[0].architecture)

    @property
    def layer_slots(self) -> int:
        """How many layers of ours fit beside the external ones of the function that has most of them."""
        return limits.LAYERS - max(len(function.external_layers) for function in self.function)

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        faults = [*self._function_faults(), *self._layer_faults(), *self._group_faults(), *self._part_faults()]
        faults += self._cut_faults()
        faults += [
            f"share.accounts: {x} stands there twice" for x in _twice(list(self.share.accounts if self.share else ()))
        ]
        if self.slim.rules.get("sources") and not self.build.bytecode:
            faults.append("slim.sources: with bytecode = false under [build], sources are all that there is")
        if self.build.code_bytecode and not self.build.bytecode:
            faults.append("build.code_bytecode: there is no bytecode at all with bytecode = false")
        if faults:
            raise _FaultsError(faults)
        return self

    def _function_faults(self) -> list[str]:
        faults = [
            f"function: the name {name!r} is used {count} times"
            for name, count in Counter(f.name for f in self.function).items()
            if count > 1
        ]
        first = self.function[0]
        faults += [
            f"function[{i}].{key}: {getattr(other, key)!r} differs from {getattr(first, key)!r} of {first.name!r}: "
            "functions of one file share their layers, so their runtime and architecture must be the same"
            for i, other in enumerate(self.function)
            for key in ("runtime", "architecture")
            if getattr(other, key) != getattr(first, key)
        ]
        for i, function in enumerate(self.function):
            used = sum(len(k.encode()) + len(v.encode()) for k, v in function.environment.items())
            if used > limits.ENVIRONMENT_BYTES:
                faults.append(
                    f"function[{i}].environment: {used} bytes; Lambda takes at most {limits.ENVIRONMENT_BYTES}"
                )
            faults += [
                f"function[{i}].regions: {region} stands there twice" for region in _twice(list(function.regions))
            ]
            if "PYTHONPATH" in function.environment:
                faults.append(f"function[{i}].environment.PYTHONPATH: with it Lambda adds no layer to sys.path")
            names = [layer.arn.rsplit(":", 1)[0] for layer in function.external_layers]
            faults += [f"function[{i}].external_layers: {arn} stands there twice" for arn in _twice(names)]
        return faults

    def _layer_faults(self) -> list[str]:
        faults = [f"layer: the name {name!r} is used twice" for name in _twice([x.name for x in self.layer])]
        slots = self.layer_slots
        if len(self.layer) > slots:
            external = limits.LAYERS - slots
            beside = f" beside {external} external" if external else ""
            faults.append(f"layer: {len(self.layer)} layers{beside}; Lambda attaches at most {limits.LAYERS}")
        placed: dict[str, str] = {}
        for i, layer in enumerate(self.layer):
            for key in ("roots", "include"):
                for j, name in enumerate(getattr(layer, key)):
                    where = placed.setdefault(name, layer.name)
                    if where != layer.name:
                        faults.append(f"layer[{i}].{key}[{j}]: {name!r} is already in layer {where!r}")
        codes = {"function", *(f"function-{function.name}" for function in self.function)}
        faults += [
            f"layer[{i}].name: {layer.name!r} is the name of a function's zip; call the layer something else"
            for i, layer in enumerate(self.layer)
            if layer.name in codes
        ]
        rest = [layer.name for layer in self.layer if not layer.roots]
        if len(rest) > 1:
            faults.append(f"layer: {' and '.join(rest)} have no roots; at most one layer can take the rest")
        return faults

    def _group_faults(self) -> list[str]:
        """Contradictions that can be seen without the inventory."""
        faults = []
        home = {name: layer.name for layer in self.layer for name in (*layer.roots, *layer.include)}
        for i, group in enumerate(self.groups.together):
            layers = sorted({home[name] for name in group if name in home})
            if len(layers) > 1:
                faults.append(f"groups.together[{i}]: {', '.join(group)} are in different layers: {', '.join(layers)}")
        for i, group in enumerate(self.groups.apart):
            for j, other in enumerate(self.groups.together):
                both = sorted(set(group) & set(other))
                if len(both) > 1:
                    faults.append(
                        f"groups.apart[{i}] and groups.together[{j}] contradict each other: {', '.join(both)}"
                    )
            for layer in self.layer:
                both = sorted(name for name in group if home.get(name) == layer.name)
                if len(both) > 1:
                    faults.append(f"groups.apart[{i}]: {', '.join(both)} are all in layer {layer.name!r}")
        return faults

    def _cut_faults(self) -> list[str]:
        """What does not ship and yet is to be somewhere, and what the runtime does not have."""
        faults = [
            f"slim.provided: {name!r} is not in the runtime; it has {', '.join(sorted(limits.RUNTIME_DISTRIBUTIONS))}"
            for name in self.slim.provided
            if name not in limits.RUNTIME_DISTRIBUTIONS
        ]
        faults += [
            f"slim.{key}: {name!r} does not ship by slim.{one}"
            for one, key, names in (
                ("leave_out", "provided", self.slim.provided),
                *(("leave_out", key, tuple(getattr(self.slim, key))) for key in ("keep", "drop")),
            )
            for name in names
            if name in self.slim.leave_out
        ]
        placed = [
            *((f"layer[{i}].{key}", getattr(x, key)) for i, x in enumerate(self.layer) for key in ("roots", "include")),
            *((f"groups.together[{i}]", names) for i, names in enumerate(self.groups.together)),
            *((f"groups.apart[{i}]", names) for i, names in enumerate(self.groups.apart)),
        ]
        return faults + [
            f"{where}: {name!r} does not ship by slim.{'leave_out' if name in self.slim.leave_out else 'provided'}"
            for where, names in placed
            for name in names
            if name in self.slim.cut
        ]

    def _part_faults(self) -> list[str]:
        if self.aws.split_services:
            if self.aws.services != "all":
                return []
            return ['aws.split_services: over 400 items of services = "all"; list those that ship, or say "auto"']
        named = [
            *((f"layer[{i}].{key}", getattr(x, key)) for i, x in enumerate(self.layer) for key in ("roots", "include")),
            *((f"groups.together[{i}]", names) for i, names in enumerate(self.groups.together)),
            *((f"groups.apart[{i}]", names) for i, names in enumerate(self.groups.apart)),
        ]
        return [
            f"{where}: {name!r} is an item of its own with split_services = true under [aws] alone"
            for where, names in named
            for name in names
            if _PART.fullmatch(name)
        ]


class _FaultsError(ValueError):
    """Several faults found by one validator."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))


def _twice(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def load(path: Path) -> Config:
    """Read and check the file.

    Raises:
        UsageError: there is no such file, or it can't be read.
        ConfigError: it is no TOML, or says what can't be; with every fault, by line or dotted key.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise UsageError(
            f"There is no configuration at {path}",
            mend="Run the command in the project's root, name the file with --config, or let `init` write a first one.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can't be read: {error}", mend="Name a readable TOML file with --config.") from error
    return parse(text, path)


def root_of(path: Path) -> Path:
    """The project's folder, which the paths in a configuration file start from."""
    folder = path.resolve().parent
    return folder.parent if folder.name == "config" else folder


def parse(text: str, path: Path) -> Config:
    """Check the text of a configuration as if it stood in the file at `path`.

    Raises:
        ConfigError: as for `load`.
    """
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError((str(error),), where=str(path)) from error
    root = root_of(path)
    reserved = [f"{key}: unknown key" for key in ("path", "root") if key in tables]
    try:
        return Config.model_validate({**tables, "path": path, "root": root})
    except ValidationError as error:
        faults = [*reserved, *_told(error), *_contradictions({**tables, "path": path, "root": root}, error)]
        raise ConfigError(tuple(dict.fromkeys(faults)), where=str(path)) from error


_STAND_INS = {
    "source": "x",
    "requirements": "x",
    "handler": "x",
    "runtime": next(iter(limits.RUNTIMES)),
    "regions": ["x"],
}
"""What a faulty value of a required key is replaced by, to look at the rest of the file."""


def _contradictions(tables: dict[str, Any], error: ValidationError) -> list[str]:
    """The faults between values that are right in themselves: pydantic looks at these only where none is wrong."""
    repaired = copy.deepcopy(tables)
    for number, fault in enumerate(_faults(error)):
        *parents, key = fault["loc"] or ("",)
        place: Any = repaired
        try:
            for part in parents:
                place = place[part]
            if key == "name":
                place[key] = f"stand-in-{number}"
            elif key in _STAND_INS:
                place[key] = _STAND_INS[str(key)]
            elif isinstance(place, dict):
                place.pop(key, None)
            else:
                return []
        except (KeyError, IndexError, TypeError):
            return []
    try:
        Config.model_validate(repaired)
    except ValidationError as second:
        return [line for line in _told(second) if "stand-in" not in line]
    return []


def _faults(error: ValidationError) -> list[ErrorDetails]:
    """Pydantic's faults, but for 'too short' where it is only the faulty items that are missing."""
    found = error.errors(include_url=False)
    return [
        fault
        for fault in found
        if fault["type"] != "too_short"
        or not any(len(f["loc"]) > len(fault["loc"]) and f["loc"][: len(fault["loc"])] == fault["loc"] for f in found)
    ]


def _told(error: ValidationError) -> list[str]:
    """Each of pydantic's faults as `dotted.key: what is wrong`."""
    told = []
    for fault in _faults(error):
        key = ""
        for part in fault["loc"]:
            key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
        cause = fault.get("ctx", {}).get("error")
        if isinstance(cause, _FaultsError):
            told += str(cause).split("\n")
        elif fault["type"] == "extra_forbidden":
            told.append(f"{key}: unknown key")
        elif fault["type"] == "missing":
            told.append(f"{key}: missing")
        else:
            told.append(f"{key}: {cause or fault['msg']}")
    return list(dict.fromkeys(told))
