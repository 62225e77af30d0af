"""A replay as a picture: what each way of splitting has sent, week after week."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from optimizer.errors import DiskError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from optimizer.replay import Replay, Row

_ENDINGS = (".svg", ".png", ".pdf")
_MIB = 1024 * 1024
_STRONG = {"optimizer": "#0b6e4f", "as-configured": "#1f77b4", "three-way": "#c1121f", "clairvoyant": "#222222"}
_UNTRIMMED = {"three-way-untrimmed", "one-zip", "one-layer"}


def check_picture(path: Path) -> None:
    """Whether a picture can be drawn there.

    Raises:
        UsageError: its ending is none that can be drawn, or matplotlib is not installed.
    """
    if path.suffix not in _ENDINGS:
        raise UsageError(f"{path} ends in none of {', '.join(_ENDINGS)}", mend="Name a picture file with --picture.")
    if find_spec("matplotlib") is None:
        raise UsageError(
            "a picture needs matplotlib, which is not installed",
            mend="Install layer-optimizer with the extra `report`.",
        )


def draw(replay: Replay, path: Path) -> None:
    """Cumulative bytes over the windows, and each row's bytes with its interval.

    Raises:
        DiskError: the file can't be written.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "layer-optimizer"  # the same picture has the same bytes
    from matplotlib import pyplot as plt

    figure, (lines, bars) = plt.subplots(1, 2, figsize=(14, 6), width_ratios=(3, 2), layout="constrained")
    shown = sorted((r for r in replay.rows if r.name not in _UNTRIMMED), key=lambda r: -r.republished_bytes)
    for row in shown:
        total, heights = 0, []
        for count in row.windows:
            total += count
            heights.append(total / _MIB)
        strong = row.name in _STRONG
        lines.plot(
            range(1, len(heights) + 1),
            heights,
            label=row.name,
            color=_STRONG.get(row.name),
            linewidth=2.4 if strong else 1.0,
            linestyle="--" if row.name == "clairvoyant" else "-",
            alpha=1.0 if strong else 0.55,
        )
    lines.axhline(replay.floor_bytes / _MIB, color="#999999", linewidth=1, linestyle=":", label="floor")
    lines.set_xlabel(f"{replay.cadence}s from {replay.test[0]}")
    lines.set_ylabel("MiB sent, added up")
    lines.set_ylim(bottom=0)
    lines.legend(frameon=False, fontsize=9)
    _bars(bars, sorted(replay.rows, key=lambda r: -r.republished_bytes))
    figure.suptitle(f"What {len(replay.ends)} {replay.cadence}s of releases send with {replay.layers} layers")
    for axes in (lines, bars):
        axes.spines[["top", "right"]].set_visible(False)
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(part, metadata={"Date": None} if path.suffix == ".svg" else None)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DiskError(f"{path} can't be written: {error.strerror or error}", mend="Name a writable place.") from error
    finally:
        plt.close(figure)


def _bars(axes: object, rows: list[Row]) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)  # noqa: S101  # matplotlib's stubs leave it open
    for place, row in enumerate(rows):
        low, high = row.republished_interval
        sent = row.republished_bytes
        axes.barh(place, sent / _MIB, color=_STRONG.get(row.name, "#b8c4ce"), height=0.7)
        axes.errorbar(
            sent / _MIB, place, xerr=[[max(0, sent - low) / _MIB], [max(0, high - sent) / _MIB]], color="#444444", lw=1
        )
    axes.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=9)
    axes.set_xscale("log")
    axes.set_xlabel("MiB sent (logarithmic), with 95 % of bootstrap samples")
