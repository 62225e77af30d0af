"""Lambda's limits and runtimes, each with its source; the one place that holds these numbers."""

from __future__ import annotations

from dataclasses import dataclass

UNZIPPED_BYTES = 262_144_000
"""Function code and all its layers together, unzipped (the "250 MB"); the service's own error text."""

DIRECT_ZIP_BYTES = 52_428_800
"""The largest zip sent in an API call; above it, through S3 (Lambda quotas page)."""

LAYERS = 5
"""Layers on one function (Lambda quotas page)."""

ENVIRONMENT_BYTES = 4_096
"""Environment variables of one function together (Lambda quotas page)."""

PAYLOAD_BYTES = 6_291_556
"""A synchronous request or response: 6 MB (Lambda quotas page); the service's error text names 6291556."""

LAYER_NAME_PATTERN = r"[a-zA-Z0-9-_]+"
"""API model of PublishLayerVersion in botocore."""

LAYER_NAME_LENGTH = 140
"""API model of PublishLayerVersion in botocore."""

DESCRIPTION_LENGTH = 256
"""A layer version's or a function version's description, in characters (API model)."""

COMPATIBLE_RUNTIMES = 15
"""Compatible runtimes of a layer version (API model)."""

COMPATIBLE_ARCHITECTURES = 2
"""Compatible architectures of a layer version (API model)."""

TIMEOUT_SECONDS = 900
"""The longest a function may run (Lambda quotas page)."""

MEMORY_MB = (128, 10_240)
"""Least and most memory of a function (Lambda quotas page)."""

CONTROL_PLANE_PER_SECOND = 15
"""Control-plane calls of an account in one region, all operations together (Lambda quotas page, *unverified*)."""

OWN_QUOTA = frozenset({"GetFunction", "GetPolicy", "Invoke"})
"""Operations that do not count there: they have quotas of their own (Lambda quotas page)."""

PACED_PER_SECOND = 12
"""What whoever calls a region's control plane many times keeps to, so that others still get through."""

LISTED = 50
"""The most that ListFunctions answers at once, whatever is asked for (API model)."""

ARCHITECTURES = ("x86_64", "arm64")
"""Lambda's names for the instruction sets (API model)."""

LAYER_PREFIX = "python/"
"""The prefix of every path in a layer: the files merge physically in /opt/python (AWS: Python layers)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One managed Python runtime.

    `glibc` is the (major, minor) of its C library, `ended` the ISO date after which it can't be relied on, or None.
    """

    name: str
    python: tuple[int, int]
    glibc: tuple[int, int]
    ended: str | None = None

    @property
    def version(self) -> str:
        """The Python minor version as text, as in `3.11`."""
        return f"{self.python[0]}.{self.python[1]}"


RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        # Amazon Linux 2 carries glibc 2.26, Amazon Linux 2023 carries 2.34 (AWS's runtime pages)
        Runtime(name="python3.10", python=(3, 10), glibc=(2, 26), ended="2026-10-31"),
        Runtime(name="python3.11", python=(3, 11), glibc=(2, 26)),
        Runtime(name="python3.12", python=(3, 12), glibc=(2, 34)),
        Runtime(name="python3.13", python=(3, 13), glibc=(2, 34)),
        Runtime(name="python3.14", python=(3, 14), glibc=(2, 34)),
    )
}
"""Managed Python runtimes by Lambda's name for them."""

RUNTIME_DISTRIBUTIONS = frozenset({"boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3"})
"""What the runtime itself carries; AWS advises to ship your own all the same, since these change under you."""

SYSTEM_LIBRARIES = frozenset(
    {
        *("ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "linux-vdso.so.1"),
        *("libBrokenLocale.so.1", "libanl.so.1", "libc.so.6", "libcrypt.so.1", "libdl.so.2", "libm.so.6"),
        *("libnsl.so.1", "libpthread.so.0", "libresolv.so.2", "librt.so.1", "libutil.so.1"),
        *("libgcc_s.so.1", "libstdc++.so.6", "libz.so.1"),
    }
)
"""Shared libraries that the runtime's system has: glibc's, GCC's and zlib, on which wheels may rely (PEPs 571 and 599).

Those policies also name libexpat, libX11, libGL and glib, which Lambda does not have: "libexpat.so.1: cannot open
shared object file" is what python3.12 says (developmentseed/eoapi-cdk, issue 181).
"""
