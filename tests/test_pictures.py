"""Pictures made small: what comes back looks the same, and nothing else is touched."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from utils.pictures import smaller_png, webp


def drawn(values: np.ndarray | None = None, **options) -> bytes:
    """A figure as matplotlib stores it: a line, or an image of these values."""
    figure, file = Figure(figsize=(4, 2)), io.BytesIO()
    ax = figure.subplots()
    ax.plot([1, 3, 2]) if values is None else ax.imshow(values, **options)
    figure.savefig(file, dpi=90, **({"transparent": True} if options.get("alpha") else {}))
    return file.getvalue()


def pixels(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), dtype=int)


LINE = drawn()
HEAT = drawn(np.linspace(0, 1, 400).reshape(20, 20))
NOISE = drawn(np.random.default_rng(0).random((60, 90, 3)))
THROUGH = drawn(np.eye(3), alpha=0.5)


@pytest.mark.parametrize("picture", [LINE, HEAT])
@pytest.mark.parametrize("reduce", [smaller_png, webp])
def test_a_figure_becomes_smaller_and_looks_the_same(picture, reduce):
    reduced = reduce(picture)
    error = np.abs(pixels(reduced) - pixels(picture))
    assert len(reduced) < 0.6 * len(picture)
    assert error.mean() <= 0.5 and np.quantile(error, 0.998) <= 24


@pytest.mark.parametrize("reduce", [smaller_png, webp])
def test_what_a_palette_would_change_visibly_keeps_all_its_colours(reduce):
    assert np.array_equal(pixels(reduce(NOISE)), pixels(NOISE))


@pytest.mark.parametrize("picture", [LINE, HEAT, NOISE])
def test_a_picture_is_made_smaller_once(picture):
    assert smaller_png(smaller_png(picture)) == smaller_png(picture)


@pytest.mark.parametrize("other", [b"", b"hello", b"\x89PNG\r\n\x1a\n", THROUGH])
def test_what_is_no_opaque_figure_is_left_alone(other):
    assert smaller_png(other) == other
