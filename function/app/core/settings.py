"""Settings, read from environment variables that begin with `ANALYZER_`."""

from collections.abc import Mapping
from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator decides.

    Attributes:
        base_path: Path that stands before every route (`/images`), where a custom domain or a proxy adds one.
        buckets: Buckets that callers may name; empty leaves the decision to the role's policy.
        max_image_bytes: Largest picture, without base64. Rekognition's `Image.Bytes` takes 5,242,880 bytes, says
            its model in botocore.
        max_object_bytes: Largest S3 object that is read for its colours.
        max_pixels: Largest width times height that is decoded, twice that for JPEG, which is decoded small. A WebP
            of 20 million pixels takes 490 MB of memory at its peak (measured), more than any other format.
        connect_seconds: Time to reach an AWS service.
        read_seconds: Time an AWS service may take to answer.
        attempts: Calls of one AWS operation, the first included.
        probe_seconds: Time each service has in the health check.
        log_level: Least level that is logged.
    """

    base_path: str = ""
    buckets: tuple[str, ...] = ()
    max_image_bytes: int = 5 * _MIB
    max_object_bytes: int = 15 * _MIB
    max_pixels: int = 20_000_000
    connect_seconds: float = 2.0
    read_seconds: float = 10.0
    attempts: int = 2
    probe_seconds: float = 2.0
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
            ValueError: A number isn't one, or isn't positive. Every fault is in the message.
        """
        given = {
            name.removeprefix("ANALYZER_").lower(): text.strip()
            for name, text in environment.items()
            if name.startswith("ANALYZER_") and text.strip()
        }
        values: dict[str, object] = {}
        faults: list[str] = []
        for name in cls.__slots__:
            if name not in given:
                continue
            default = getattr(cls(), name)
            try:
                values[name] = _parse(given[name], default)
            except ValueError:
                faults.append(f"ANALYZER_{name.upper()}={given[name]!r} must be a positive {type(default).__name__}")
        if faults:
            raise ValueError("; ".join(faults))
        if "base_path" in values:
            values["base_path"] = "/" + str(values["base_path"]).strip("/") if values["base_path"] != "/" else ""
        return cls(**values)  # type: ignore[arg-type]  # each value has its default's type


def _parse(text: str, default: object) -> object:
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if isinstance(default, str):
        return text
    number = int(text) if isinstance(default, int) else float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number
