"""Pictures made small where nobody sees a difference. Pillow and numpy are at hand wherever matplotlib is."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

FEW, MOST = (32, 64, 128, 256), (256,)  # colours of the palettes that are tried, smallest first
MEAN_ERROR, FAR, FAR_SHARE = 0.5, 24, 0.002
"""What is not seen, in steps of a colour channel of 256: half a step on average, and at most two pixels in a thousand
that are more than 24 steps off, which are pixels of smoothed edges."""

SIGNATURE, RGBA = b"\x89PNG\r\n\x1a\n", 6  # byte 25 of a PNG is its type of colour


def smaller_png(picture: bytes) -> bytes:
    """A figure as matplotlib stores it, with a palette or, where that would be seen, without its alpha channel.

    Anything else comes back as it is: so does what this function has made.
    """
    if not picture.startswith(SIGNATURE) or picture[25:26] != bytes([RGBA]):
        return picture
    image = _opened(picture)
    if image.mode == "RGBA":  # something shines through
        return picture
    return _stored(_with_palette(image, MOST), "PNG", optimize=True)


def webp(picture: bytes) -> bytes:
    """An opaque PNG as lossless WebP, with as few colours as do; a third smaller than PNG."""
    return _stored(_with_palette(_opened(picture), FEW).convert("RGB"), "WEBP", lossless=True, quality=100, method=4)


def _opened(picture: bytes) -> "Image":
    """The picture of a PNG, without its alpha channel where nothing shines through."""
    from PIL import Image

    image = Image.open(io.BytesIO(picture))
    opaque = image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255)
    return image.convert("RGB") if opaque else image


def _with_palette(image: "Image", palettes: Sequence[int]) -> "Image":
    """The picture with the first of the palettes that is not seen; the picture itself where there is none."""
    from PIL import Image

    before = np.asarray(image.convert("RGB"), dtype=int)
    for colors in palettes:
        reduced = image.convert("RGB").quantize(colors, kmeans=1, dither=Image.Dither.NONE)
        error = np.abs(np.asarray(reduced.convert("RGB"), dtype=int) - before).max(2)
        if error.mean() <= MEAN_ERROR and (error > FAR).mean() <= FAR_SHARE:
            return reduced
    return image


def _stored(image: "Image", kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
