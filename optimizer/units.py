"""How quantities are printed: bytes as MiB or KiB with the unit, never a bare number."""

from __future__ import annotations

KIB, MIB = 1024, 1024 * 1024


def human_bytes(count: int) -> str:
    """Bytes for people: `18.4 MiB`, `57.1 KiB`, `312 B`."""
    if abs(count) >= MIB:
        return f"{count / MIB:,.1f} MiB"
    if abs(count) >= KIB:
        return f"{count / KIB:,.1f} KiB"
    return f"{count} B"


def signed_bytes(count: int) -> str:
    """A difference in bytes for people: `+14.2 KiB`, `-312 B`."""
    return f"+{human_bytes(count)}" if count > 0 else human_bytes(count)
