"""Dominant colours of a picture: quantised by Pillow, then grouped by how alike they look."""

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from app.schemas.analyze import Color

if TYPE_CHECKING:
    from PIL import Image

_Lab = tuple[float, float, float]

# Square of the CIE76 distance at which colours count as two; 2.3 is just noticeable, JPEG's noise reaches 10.
_ALIKE = 14.0**2
_MOST = 8
_LEAST_SHARE = 0.005
_OPAQUE = 128


def dominant(sample: "Image.Image") -> list[Color]:
    """The colours that make up most of a picture, largest share first.

    The sample is quantised to 256 colours by median cut; these are gathered around the most frequent of them,
    each to the nearest centre. Pixels that can hardly be seen don't count.

    Args:
        sample: A small picture in RGBA.

    Returns:
        At most 8 colours, each with at least 0.5% of the pixels; empty where nothing can be seen.
    """
    from PIL import Image  # loaded with the first picture

    visible = sample.getchannel("A").point(lambda alpha: 255 if alpha >= _OPAQUE else 0)
    reduced = sample.convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette = reduced.getpalette() or []
    counts = reduced.histogram(visible)
    entries = [
        (count, (palette[3 * index], palette[3 * index + 1], palette[3 * index + 2]))
        for index, count in enumerate(counts[: len(palette) // 3])
        if count
    ]
    total = sum(count for count, _ in entries)
    colors = [
        Color(name=name(rgb), hex="#{:02x}{:02x}{:02x}".format(*rgb), rgb=rgb, share=round(count / total, 4))
        for count, rgb in _gather(entries)
        if count / total >= _LEAST_SHARE
    ]
    return sorted(colors, key=lambda color: (-color.share, color.hex))[:_MOST]


def name(rgb: tuple[int, int, int]) -> str:
    """The nearest CSS colour name; of two for one colour (aqua and cyan) the first in the alphabet."""
    lab = _lab(rgb)
    return min(_names(), key=lambda item: (_distance(item[1], lab), item[0]))[0]


def _gather(
    entries: Iterable[tuple[int, tuple[int, int, int]]],
) -> list[tuple[int, tuple[int, int, int]]]:
    """Gather colours that look alike: count and mean colour of each group.

    Centres are the most frequent colours that aren't like an earlier centre; then each colour goes to the nearest.
    """
    ranked = [(count, rgb, _lab(rgb)) for count, rgb in sorted(entries, key=lambda entry: (-entry[0], entry[1]))]
    centres: list[_Lab] = []
    for _, _, lab in ranked:
        if all(_distance(lab, centre) > _ALIKE for centre in centres):
            centres.append(lab)
    sums = [[0, 0, 0, 0] for _ in centres]
    for count, rgb, lab in ranked:
        nearest = min(range(len(centres)), key=lambda index: _distance(lab, centres[index]))
        for position, value in enumerate((1, *rgb)):
            sums[nearest][position] += count * value
    return [
        (count, (round(red / count), round(green / count), round(blue / count))) for count, red, green, blue in sums
    ]


@lru_cache(maxsize=1)
def _names() -> list[tuple[str, _Lab]]:
    from PIL import ImageColor  # has the CSS names already

    named = []
    for css, text in ImageColor.colormap.items():
        rgb = ImageColor.getrgb(text if isinstance(text, str) else css)
        named.append((css, _lab((rgb[0], rgb[1], rgb[2]))))
    return named


def _distance(one: _Lab, other: _Lab) -> float:
    """The square of the CIE76 distance; squares compare alike."""
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 + (one[2] - other[2]) ** 2


def _lab(rgb: tuple[int, int, int]) -> _Lab:
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
