"""Settings, read from environment variables that begin with `ANALYZER_`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

_MIB = 1024 * 1024
_SHA256_DIGITS = 64

Auth = Literal["none", "api-key", "iam"]
AnalysisType = Literal["labels", "text", "faces", "moderation", "colors", "comprehensive"]

_CHOICES: Mapping[str, tuple[str, ...]] = {"auth": get_args(Auth), "event_analysis": get_args(AnalysisType)}
_SWITCH = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator decides."""

    # Path that stands before every route (`/images`), where a custom domain or a proxy adds one.
    base_path: str = ""
    # Buckets that callers may name; empty leaves the decision to the role's policy.
    buckets: tuple[str, ...] = ()
    # Bucket that uploads and results are kept in; empty keeps nothing.
    store_bucket: str = ""
    # What the keys of everything kept begin with; the role's policy names it.
    store_prefix: str = "ai-image-analyzer/"
    # How long a presigned URL is good for; it ends with the credentials that signed it at the latest.
    link_seconds: int = 900
    # What S3 events and queues ask for, where a message doesn't say: an `analysis_type`.
    event_analysis: AnalysisType = "comprehensive"
    # Who may call: `none` asks nobody (the URL or gateway in front may), `api-key` asks for a key, `iam` for a caller
    # that AWS has authenticated.
    auth: Auth = "none"
    # SHA-256 of each key that is let in, in hex: the keys themselves are nowhere in the configuration.
    api_keys: tuple[str, ...] = ()
    # Origins of web pages that may call (`https://app.example.com`), or `*`; empty is none.
    cors_origins: tuple[str, ...] = ()
    # Write CloudWatch metrics into the log lines (the embedded metric format).
    metrics: bool = True
    # Largest picture, without base64. Rekognition's `Image.Bytes` takes 5,242,880 bytes, says its model in botocore.
    max_image_bytes: int = 5 * _MIB
    # Largest S3 object that is read for its colours.
    max_object_bytes: int = 15 * _MIB
    # Largest width times height that is decoded, twice that for JPEG, which is then decoded at half its size. A WebP of
    # 20 million pixels takes 490 MB of memory at its peak (measured), more than any other format.
    max_pixels: int = 20_000_000
    # What an analysis may take. Parts and pictures that are not done by then are errors of their own, in an answer that
    # still comes. Keep it below the function's timeout and the 29 s of API Gateway.
    request_seconds: float = 25.0
    # Time to reach an AWS service.
    connect_seconds: float = 2.0
    # Time an AWS service may take to answer.
    read_seconds: float = 10.0
    # Calls of one AWS operation, the first included.
    attempts: int = 2
    # Time each service has in the health check.
    probe_seconds: float = 2.0
    # Least level that is logged.
    log_level: str = "INFO"

    @property
    def max_body_bytes(self) -> int:
        """Largest request body: the largest picture in base64, and room for the other fields."""
        return -(-self.max_image_bytes // 3) * 4 + 64 * 1024

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings; what is absent or empty keeps its default.

        Args:
            environment: Usually `os.environ`.

        Raises:
            ValueError: A setting has no such value, there is no such setting, or one lacks another that it needs.
                Every fault is in the message; keys are not.
        """
        given = {
            name.removeprefix("ANALYZER_").lower(): text.strip()
            for name, text in environment.items()
            if name.startswith("ANALYZER_") and text.strip()
        }
        values: dict[str, object] = {}
        faults: list[str] = []
        for name in sorted(given):
            variable = f"ANALYZER_{name.upper()}"
            if name not in cls.__slots__:
                # Of a setting that guards something, a misspelt name must not pass for its absence.
                faults.append(f"{variable} is no setting of this service")
                continue
            try:
                values[name] = _parse(name, given[name], getattr(_DEFAULTS, name))
            except ValueError as fault:
                faults.append(f"{variable} must be {fault}")
        if values.get("auth") == "api-key" and not given.get("api_keys"):
            faults.append("ANALYZER_AUTH=api-key needs ANALYZER_API_KEYS")
        if faults:
            raise ValueError("; ".join(faults))
        return cls(**values)  # type: ignore[arg-type]  # each value has its default's type


_DEFAULTS = Settings()


def _parse(name: str, text: str, default: object) -> object:
    """A value of the default's type; the ValueError's message says what it must be."""
    if isinstance(default, tuple):
        parts = tuple(part.strip() for part in text.split(",") if part.strip())
        return _digests(parts) if name == "api_keys" else parts
    if isinstance(default, bool):
        if text.lower() not in _SWITCH:
            raise ValueError("on or off")
        return _SWITCH[text.lower()]
    return _text(name, text) if isinstance(default, str) else _number(text, type(default))


def _text(name: str, text: str) -> str:
    choices = _CHOICES.get(name, ())
    if choices and text not in choices:
        raise ValueError(f"one of {', '.join(choices)}, not {text!r}")
    if name == "base_path":
        return ("/" + text.strip("/")).rstrip("/")
    return text.strip("/") + "/" if name == "store_prefix" else text


def _number(text: str, kind: type) -> int | float:
    try:
        number = int(text) if kind is int else float(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise ValueError(f"a positive {kind.__name__}, not {text!r}")
    return number


def _digests(parts: tuple[str, ...]) -> tuple[str, ...]:
    digests = tuple(part.lower() for part in parts)
    if any(len(digest) != _SHA256_DIGITS or set(digest) - set("0123456789abcdef") for digest in digests):
        # Without what was given: a key pasted in place of its digest must not get into a log.
        raise ValueError("SHA-256 digests in hex, separated by commas (printf %s KEY | sha256sum)")
    return digests
