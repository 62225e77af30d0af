"""What was found of a function → what its `[[function]]` says, key by key; what was not found is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from optimizer import limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from optimizer.discover.values import FoundFunction, Value

_NAME = re.compile(r"[a-zA-Z0-9-_]{1,64}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_ROLE = re.compile(r"arn:[a-zA-Z-]+:iam::\d{12}:role/\S+")
_LAYER = re.compile(r"arn:[a-zA-Z-]+:lambda:[a-z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:\d+")
_KEY = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
ARCHITECTURES = {"x86_64": "x86_64", "arm64": "arm64"}
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key of the file: its value, why it is that, and, where it was not found, what is asked of the person.

    `remarks` stand above it; `places` say of each entry of a table where it was found.
    """

    key: str
    value: Any
    why: str = ""
    ask: str = ""
    remarks: tuple[str, ...] = ()
    places: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Settled:
    """One function as the file will have it."""

    found: FoundFunction
    name: str
    source: str
    runtime: str
    architecture: str
    settings: list[Setting] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def number(found: FoundFunction, key: str, least: int, most: int, fallback: int) -> Setting:
    """A whole number within Lambda's bounds; the tool's own default where its file says nothing."""
    value = found.values.get(key)
    default = found.defaults.get(key, fallback)
    if value is None:
        why = f"{found.where} says none: {found.tool}'s default" if found.tool else "nothing says it: the default"
        return Setting(key=key, value=default, why=why)
    try:
        count = int(str(value.value)) if value.value is not None else None
    except ValueError:
        count = None
    if count is None or not least <= count <= most:
        said = value.how or value.value
        return Setting(key=key, value=default, ask=f"{value.where} says {said!s}; a number from {least} to {most}")
    return Setting(key=key, value=count, why=value.place)


def memory(found: FoundFunction) -> Setting:
    """`memory_mb`."""
    return number(found, "memory_mb", *limits.MEMORY_MB, fallback=512)


def timeout(found: FoundFunction) -> Setting:
    """`timeout_seconds`."""
    return number(found, "timeout_seconds", 1, limits.TIMEOUT_SECONDS, fallback=30)


def architecture(found: FoundFunction) -> Setting:
    """`architecture`: x86_64 where nothing says another."""
    value = found.values.get("architecture")
    if value is None:
        why = f"{found.where} says none: {found.tool}'s default" if found.tool else "nothing says it: Lambda's default"
        return Setting(key="architecture", value="x86_64", why=why)
    if value.value in ARCHITECTURES:
        return Setting(key="architecture", value=value.value, why=value.place)
    return Setting(key="architecture", value="x86_64", ask=f"{value.where} says {value.how or value.value}; or arm64")


def runtime(found: FoundFunction, asked_for: Value | None, default: str) -> Setting:
    """`runtime`: the tool's file says it, else what the project says of its Python, else the default is asked about."""
    value = found.values.get("runtime") or asked_for
    if value is None:
        ask = f"nothing names a runtime or a version of Python; known are {', '.join(limits.RUNTIMES)}"
        return Setting(key="runtime", value=default, ask=ask)
    if value.value in limits.RUNTIMES:
        ended = limits.RUNTIMES[value.value].ended
        remarks = (f"{value.value} has ended: Lambda takes no functions of it from {ended} on",) if ended else ()
        return Setting(key="runtime", value=value.value, why=value.place, remarks=remarks)
    said = value.value or value.how
    return Setting(
        key="runtime", value=default, ask=f"{value.where} says {said}; known are {', '.join(limits.RUNTIMES)}"
    )


def name(found: FoundFunction, taken: set[str]) -> Setting:
    """`name`: as the tool deploys it, so that the function that is there is meant."""
    value = found.values["name"]
    wanted = str(value.value)
    chosen = (
        wanted if _NAME.fullmatch(wanted) else re.sub(r"[^a-zA-Z0-9-_]+", "-", wanted)[:64].strip("-") or "function"
    )
    number_ = 2
    while chosen in taken:
        chosen, number_ = f"{chosen[:60]}-{number_}", number_ + 1
    taken.add(chosen)
    if chosen != wanted:
        return Setting(key="name", value=chosen, ask=f"{value.where} says {wanted}, which can't be taken")
    if not value.sure:
        ask = f"{value.place}; say what the deployed function is called, else one of this name is made"
        return Setting(key="name", value=chosen, ask=ask)
    return Setting(key="name", value=chosen, why=value.place)


def regions(found: Iterable[Value], others: Iterable[Value], environment: Mapping[str, str]) -> Setting:
    """`regions`: those of the tool's file, else of the shell, else one is asked for."""
    every = list(found)
    known = list(dict.fromkeys(str(v.value) for v in every if v.value and _REGION.fullmatch(str(v.value))))
    remarks = tuple(f"not taken: {v.value} ({v.place})" for v in others)
    if known:
        why = "; ".join(dict.fromkeys(v.place for v in every if v.value in known))
        return Setting(key="regions", value=known, why=why, remarks=remarks)
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if _REGION.fullmatch(environment.get(variable, "")):
            ask = f"no file says it; {variable} of this shell does"
            return Setting(key="regions", value=[environment[variable]], ask=ask, remarks=remarks)
    said = "; ".join(f"{v.where} says {v.how or v.value}" for v in every)
    return Setting(
        key="regions", value=[DEFAULT_REGION], ask=said or "no file says where it is deployed", remarks=remarks
    )


def url(found: FoundFunction) -> Setting:
    """`url`: none unless the tool makes one."""
    value = found.values.get("url")
    if value is None:
        return Setting(key="url", value="none", why="nothing asks for one; iam and public make one")
    if value.value is None:
        return Setting(key="url", value="iam", ask=f"{value.where} says {value.how}; iam, public or none")
    return Setting(key="url", value=value.value, why=value.place)


def environment(found: FoundFunction) -> list[Setting]:
    """`environment`: variables with a known value; the others are remarks, and a deploy leaves them as they are."""
    kept: dict[str, str] = {}
    remarks: list[str] = []
    places: dict[str, str] = {}
    used = 0
    for key, value in found.environment.items():
        text = _variable(value.value)
        used += len(key.encode()) + len((text or "").encode())
        if key == "PYTHONPATH":
            remarks.append(f"left out: PYTHONPATH ({value.where}), with which Lambda adds no layer to sys.path")
        elif text is None:
            remarks.append(f"left out: {key} ({value.where}: {value.how}); a deploy leaves it as the function has it")
        elif not _KEY.fullmatch(key) or used > limits.ENVIRONMENT_BYTES:
            remarks.append(f"left out: {key} ({value.where}), which Lambda does not take")
        else:
            kept[key] = text
            places[key] = value.place
    if not kept and not remarks:
        return []
    return [Setting(key="environment", value=kept, remarks=tuple(remarks), places=places)]


def _variable(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def role(found: FoundFunction) -> list[Setting]:
    """`role_arn`, where it is literal."""
    value = found.values.get("role_arn")
    if value is None or not isinstance(value.value, str) or not _ROLE.fullmatch(value.value):
        return []
    return [Setting(key="role_arn", value=value.value, why=value.place)]


def external_layers(found: FoundFunction) -> Setting:
    """`external_layers`: those with a literal ARN; their bytes are not known here, and asked for."""
    literal = [v for v in found.layers if isinstance(v.value, str) and _LAYER.fullmatch(v.value)]
    names: dict[str, Value] = {}
    for value in literal:
        names.setdefault(value.value.rsplit(":", 1)[0], value)
    kept = list(names.values())[: limits.LAYERS - 1]
    remarks = tuple(
        f"left out: {v.how or v.value} ({v.where}), a layer without a literal ARN"
        if v.value is None or not _LAYER.fullmatch(str(v.value))
        else f"left out: {v.value} ({v.where})"
        for v in found.layers
        if v not in kept
    )
    if not kept:
        return Setting(key="external_layers", value=[], why="layers of others: kept, and counted", remarks=remarks)
    return Setting(
        key="external_layers",
        value=[{"arn": v.value, "unzipped_bytes": 0} for v in kept],
        ask="how many bytes they unzip to, which counts towards 250 MB: 0 until you say "
        f"({', '.join(v.where for v in kept)})",
        remarks=remarks,
    )
