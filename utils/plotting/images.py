"""Images, kernels and feature maps as pictures."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor


def plot_image(
    image: Tensor, title: str = "", ax: Axes | None = None, numbers: bool = False, signed: bool = False
) -> Axes:
    """One image (H, W) or (1, H, W).

    Args:
        image: any real values.
        title: what to see.
        ax: where to draw; new axes if None.
        numbers: write each value into its pixel (for small images).
        signed: centre the colours on zero, blue below and red above, in place of grey from dark to bright.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(3, 3), layout="constrained")
    pixels = image.detach().cpu().float().squeeze().numpy()
    if pixels.ndim != 2:
        raise ValueError(f"expected one image of shape (H, W) or (1, H, W), got shape {tuple(image.shape)}")
    limit = max(float(np.abs(pixels).max()), 1e-12)
    colors = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit} if signed else {"cmap": "gray"}
    drawn = ax.imshow(pixels, **colors)
    if numbers:
        _write_numbers(ax, pixels, drawn)
    ax.set(title=title, xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color="#8c959f", linewidth=0.5)
    return ax


def plot_images(
    images: Sequence[Tensor] | Tensor, titles: Sequence[str] = (), columns: int = 8, **options
) -> np.ndarray:
    """A grid of images, each (H, W) or (1, H, W), with a title each; options as for `plot_image`. Returns the axes."""
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    side = min(2.0, 7.5 / columns)  # few images are drawn larger, and have room for longer titles
    size = (side * columns, (side + 0.2) * rows)
    _, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for index, ax in enumerate(axes.flat):
        if index < len(images):
            plot_image(images[index], titles[index] if index < len(titles) else "", ax=ax, **options)
            ax.set_title(ax.get_title(loc="left"), loc="left", fontsize=9)
        else:
            ax.set_visible(False)
    return axes


def _write_numbers(ax: Axes, pixels: np.ndarray, drawn) -> None:
    for (row, column), value in np.ndenumerate(pixels):
        red, green, blue, _ = drawn.cmap(drawn.norm(value))
        color = "black" if 0.3 * red + 0.6 * green + 0.1 * blue > 0.5 else "white"
        ax.text(column, row, f"{value:.3g}", ha="center", va="center", color=color, fontsize=9)
