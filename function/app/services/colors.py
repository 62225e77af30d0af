"""Dominant colours of a picture: quantised by Pillow, then grouped by how alike they look."""

from collections.abc import Sequence
from functools import lru_cache
from math import dist
from typing import TYPE_CHECKING

from app.schemas.analyze import Color

if TYPE_CHECKING:
    from PIL import Image

_Triple = tuple[float, float, float]
_Group = tuple[int, _Triple, _Triple]  # pixels, their mean in RGB, and that in CIE L*a*b*

# CIE76 distance at which colours count as two; 2.3 is just noticeable, JPEG's noise reaches 10.
_ALIKE = 14.0
_WIDER = 1.25
_MOST = 8
_LEAST_SHARE = 0.005
# Of the pixels: what is rarer is noise around a colour, if there is one within twice the distance.
_FAINT = 0.004
_OPAQUE = 128
_PALETTE = 256


def dominant(sample: "Image.Image") -> list[Color]:
    """The colours that make up a picture, largest share first.

    The sample is quantised to 256 colours by octree, unless it has no more; these are gathered around the most
    frequent of them, each to the nearest centre. Where more than 8 groups result, the distance grows until there are
    no more; then centres move to their groups' means (Lloyd's algorithm), which makes the steps of a gradient even.
    Pixels that can hardly be seen don't count.

    Args:
        sample: A small picture in RGBA.

    Returns:
        At most 8 colours, each with at least 0.5% of the pixels; empty where nothing can be seen.
    """
    entries = _quantised(sample)
    total = sum(count for count, _, _ in entries)
    groups, reach = _gather(entries, _centres(entries, _ALIKE, total * _FAINT)), _ALIKE
    while sum(count >= total * _LEAST_SHARE for count, _, _ in groups) > _MOST:
        reach *= _WIDER
        groups = _gather(groups, _centres(groups, reach, total * _FAINT))
    for _ in range(2):
        groups = _gather(entries, [lab for _, _, lab in groups])
    colors = []
    for count, mean, _ in groups:
        red, green, blue = (round(value) for value in mean)
        if count >= total * _LEAST_SHARE:
            rgb = (red, green, blue)
            colors.append(Color(name=name(rgb), hex=f"#{bytes(rgb).hex()}", rgb=rgb, share=round(count / total, 4)))
    return sorted(colors, key=lambda color: (-color.share, color.hex))


def name(rgb: tuple[int, int, int]) -> str:
    """The nearest CSS colour name; of two for one colour (aqua and cyan) the first in the alphabet."""
    lab = _lab(rgb)
    return min(_names(), key=lambda item: (dist(item[1], lab), item[0]))[0]


def _quantised(sample: "Image.Image") -> list[_Group]:
    """The colours that can be seen, at most 256, each with the pixels that it stands for."""
    from PIL import Image  # loaded with the first picture

    few = sample.getcolors(_PALETTE)
    if few is not None:
        found = [(count, tuple(rgba[:3])) for count, rgba in few if rgba[3] >= _OPAQUE]  # type: ignore[index]
    else:
        visible = sample.getchannel("A").point(lambda alpha: 255 if alpha >= _OPAQUE else 0)
        # An entry is the mean of what is alike in its upper bits. Median cut takes a hundred times as long for noise.
        reduced = sample.convert("RGB").quantize(_PALETTE, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        palette = reduced.getpalette() or []
        counts = reduced.histogram(visible)[: len(palette) // 3]
        found = [(count, tuple(palette[3 * at : 3 * at + 3])) for at, count in enumerate(counts) if count]
    return [(count, rgb, _lab(rgb)) for count, rgb in found]


def _centres(groups: Sequence[_Group], reach: float, faint: float) -> list[_Triple]:
    """The most frequent colours that are in reach of no earlier one; faint ones reach twice as far."""
    centres: list[_Triple] = []
    for count, _, lab in sorted(groups, key=lambda group: (-group[0], group[1])):
        apart = reach if count >= faint else 2 * reach
        if all(dist(lab, centre) > apart for centre in centres):
            centres.append(lab)
    return centres


def _gather(groups: Sequence[_Group], centres: Sequence[_Triple]) -> list[_Group]:
    """Each group goes to the nearest centre; what is there becomes one group."""
    sums = [[0, 0.0, 0.0, 0.0] for _ in centres]
    for count, rgb, lab in groups:
        distances = [dist(lab, centre) for centre in centres]
        nearest = sums[distances.index(min(distances))]
        for position, value in enumerate((1, *rgb)):
            nearest[position] += count * value
    means = [(int(count), (red / count, green / count, blue / count)) for count, red, green, blue in sums if count]
    return [(count, mean, _lab(mean)) for count, mean in means]


@lru_cache(maxsize=1)
def _names() -> list[tuple[str, _Triple]]:
    from PIL import ImageColor  # has the CSS names already

    named = []
    for css, text in ImageColor.colormap.items():
        rgb = ImageColor.getrgb(text if isinstance(text, str) else css)
        named.append((css, _lab((rgb[0], rgb[1], rgb[2]))))
    return named


def _lab(rgb: _Triple) -> _Triple:
    """CIE L*a*b* of an sRGB colour under D65 (IEC 61966-2-1, CIE 15)."""
    red, green, blue = (
        value / 3294.6 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4  # noqa: PLR2004
        for value in rgb
    )
    x, y, z = (
        value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116  # noqa: PLR2004
        for value in (
            (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047,
            0.2126 * red + 0.7152 * green + 0.0722 * blue,
            (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883,
        )
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)
