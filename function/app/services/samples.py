"""A few pixels of a large picture that stand for all of them."""

from array import array
from math import gcd, isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

_SIDE = 384
_BANDS = 16
_ORDERS = (9, 7)  # have no factor with the bands, and differ for columns and rows
_TIFF_BITS, _TIFF_PHOTOMETRIC = 258, 262


def pick(image: "Image.Image") -> "Image.Image":
    """A small RGBA picture with colours that the large one has, in the same shares.

    Pixels are picked, not averaged, so that no colour appears which isn't there.

    Args:
        image: An open picture in any mode.

    Returns:
        At most 384 by 384 pixels; those without a value, as floating point has them, are transparent.
    """
    small = _thin(_thin(image, 0), 1)
    if small.mode.startswith("I;16"):
        small = sixteen_bits(small, getattr(image, "tag_v2", {}))
    elif small.mode in {"I", "F"}:
        small = _stretched(small)
    return small.convert("RGBA")


def _thin(image: "Image.Image", axis: int) -> "Image.Image":
    """Some of the columns (axis 0) or rows (1) of a picture, which of them differs from band to band across.

    The same ones everywhere would see a striped or chequered picture in one colour where their distance is near to a
    multiple of the pattern's. So 16 bands begin at each 16th of it, columns and rows not in the same order.
    """
    from PIL import Image  # loaded with the first picture

    length, across = image.size[axis], image.size[1 - axis]
    if length <= _SIDE:
        return image
    side = next(side for side in range(_SIDE, 0, -1) if gcd(side, length) == 1)
    step = length / side
    # Has the mode and the palette, and is pasted over.
    thin = image.resize((side, across) if axis == 0 else (across, side), Image.Resampling.NEAREST)
    for band in range(_BANDS):
        begin, end = band * across // _BANDS, (band + 1) * across // _BANDS
        offset = ((_ORDERS[axis] * band % _BANDS + 0.5) / _BANDS - 0.5) * step
        size, matrix, place = (
            ((side, end - begin), (step, 0, offset, 0, 1, begin), (0, begin))
            if axis == 0
            else ((end - begin, side), (1, 0, begin, 0, step, offset), (begin, 0))
        )
        if begin < end:
            thin.paste(image.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST), place)
    return thin


def sixteen_bits(image: "Image.Image", tags: Any) -> "Image.Image":
    """Grey in up to 16 bits; a TIFF's are neither widened to all of them by Pillow, nor turned where 0 is white."""
    bits = tags.get(_TIFF_BITS, (16,))[0]
    scale = 2 ** (8 - bits)
    whole = image.convert("I")
    if tags.get(_TIFF_PHOTOMETRIC) == 0:
        return whole.point(lambda value: value * -scale + (2**bits - 1) * scale).convert("L")
    return whole.point(lambda value: value * scale).convert("L")


def _stretched(image: "Image.Image") -> "Image.Image":
    """No range is agreed on for grey in 32 bits: the darkest becomes black, the brightest white."""
    from PIL import Image  # loaded with the first picture

    values = array("i" if image.mode == "I" else "f", image.tobytes())
    known = [value for value in values if isfinite(value)] or [0]
    low, scale = min(known), 255 / (max(known) - min(known) or 1)
    levels = bytes(byte for value in values for byte in (_level(value, low, scale)))
    return Image.frombytes("LA", image.size, levels)


def _level(value: float, low: float, scale: float) -> tuple[int, int]:
    """Grey and opacity."""
    return (round((value - low) * scale), 255) if isfinite(value) else (0, 0)
