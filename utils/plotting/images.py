"""Images, kernels and feature maps as pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from torch import Tensor

from utils.plotting.style import BLUE, COLORS, GREY, ORANGE, axes

FIT = LinearSegmentedColormap.from_list("fit", ["white", COLORS[5]])  # matplotlib's "Oranges" would begin at cream


def plot_image(
    image: Tensor,
    title: str = "",
    ax: Axes | None = None,
    numbers: bool = False,
    signed: bool = False,
    limits: tuple[float, float] | None = None,
) -> Axes:
    """One image (H, W), or (1, H, W) as a layer has it, or in colour (3, H, W).

    Args:
        image: any real values, and 0 to 1 in colour; more axes of length 1 in front are no harm.
        title: what to see.
        ax: where to draw; new axes if None.
        numbers: write each value into its pixel (for small images).
        signed: centre the colours on zero, blue below and red above, instead of grey from dark to bright.
        limits: the values of the darkest and the brightest shade; the image's own if None. They say nothing in colour.

    Raises ValueError for several images.
    """
    ax = axes(ax, (3, 3))
    color = image.ndim >= 3 and image.shape[-3] == image.shape[:-2].numel() == 3
    if image.ndim < 2 or not (color or image.shape[:-2].numel() == 1):
        raise ValueError(f"expected one image of shape (H, W), (1, H, W) or (3, H, W), got shape {tuple(image.shape)}")
    if color:
        pixels = image.detach().cpu().float().reshape(image.shape[-3:]).permute(1, 2, 0).clamp(0, 1).numpy()
    else:
        pixels = image.detach().cpu().float().reshape(image.shape[-2:]).numpy()
    low, high = limits or _limits([image], signed)
    colors = "RdBu_r" if signed else "gray"
    drawn = ax.imshow(pixels, colors, vmin=low, vmax=high, interpolation="nearest")  # a pixel stays a square
    if numbers:
        _write_numbers(ax, pixels, drawn)
    ax.set(title=title, xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color="#8c959f", linewidth=0.5)
    return ax


def plot_images(
    images: Sequence[Tensor] | Tensor,
    titles: Sequence[str] = (),
    columns: int = 8,
    bar: str = "",
    signed: bool = False,
    title: str = "",
    wide: float = 7.5,
    **options,
) -> np.ndarray:
    """A grid of images, each as `plot_image` takes it, with a title each; options as for `plot_image`.

    `title` stands above all of them, which are `wide` inches together at most. `bar` says what the values are. Then one
    scale is drawn beside the images, and all of them share it. Without it each has its own. Returns the axes.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    side = min(2.0, wide / columns)  # few images are drawn larger, and have room for longer titles
    height, width = images[0].shape[-2:]
    across = side * max(1.0, min(1.5, width / height, wide / columns / side))  # wide images are not drawn smaller
    size = (across * columns + (0.9 if bar else 0), (side + (0.2 if titles else 0)) * rows + (0.3 if title else 0))
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    options |= {"signed": signed, "limits": _limits(images, signed)} if bar else {"signed": signed}
    for index, ax in enumerate(panels.flat):
        if index < len(images):
            plot_image(images[index], titles[index] if index < len(titles) else "", ax=ax, **options)
            ax.set_title(ax.get_title(loc="left"), loc="left", fontsize=9)
        else:
            ax.set_visible(False)
    if bar:
        figure.colorbar(panels.flat[0].images[0], ax=panels, label=bar, shrink=0.9)
    if title:
        figure.suptitle(title, fontsize=10)
    return panels


def plot_weights(matrices: Mapping[str, Tensor]) -> np.ndarray:
    """Weight matrices (T_out, T_in) side by side, each under its name. Grey: no connection. Returns the axes."""
    columns = len(matrices)
    figure, panels = plt.subplots(1, columns, figsize=(2.5 * columns + 0.7, 2.9), squeeze=False, layout="constrained")
    _, limit = _limits(list(matrices.values()), signed=True)
    for ax, (title, matrix) in zip(panels.flat, matrices.items(), strict=True):
        weights = np.ma.masked_equal(matrix.detach().cpu().numpy(), 0)
        colors = plt.get_cmap("RdBu_r").with_extremes(bad="#e4e7eb")
        ax.imshow(weights, colors, vmin=-limit, vmax=limit)
        ax.set_title(title, fontsize=9)
        ax.set(xlabel="input position", xticks=range(0, matrix.shape[1], 2), yticks=range(0, matrix.shape[0], 2))
        ax.spines[:].set_visible(False)
        _grid(ax, color="white", linewidth=0.8)
    panels[0, 0].set_ylabel("output position")
    for ax in panels.flat[1:]:
        ax.set_yticklabels([])
    figure.colorbar(panels.flat[0].images[0], ax=panels, label="weight (grey: no connection)", shrink=0.9)
    return panels.ravel()


def plot_windows(image: Tensor, kernel: Tensor) -> np.ndarray:
    """A small image (1, H, W), a kernel (1, 1, k, k) and their convolution, number by number. Returns the axes.

    The first window and the output that comes of it are framed. The last output is a question mark: the reader's turn.
    """
    output = F.conv2d(image[None], kernel)
    output[..., -1, -1] = 0  # neither its number nor its shade shall tell
    parts = {"image x": image, "kernel W": kernel, "output y": output}
    _, panels = plt.subplots(1, 3, figsize=(6.5, 2.6), layout="constrained")
    for ax, (title, values) in zip(panels, parts.items(), strict=True):
        plot_image(values, title, ax=ax, numbers=True)
    panels[2].texts[-1].set_text("?")
    side = kernel.shape[-1]
    for ax, framed in [(panels[0], side), (panels[2], 1)]:
        ax.add_patch(Rectangle((-0.5, -0.5), framed, framed, fill=False, edgecolor=ORANGE, linewidth=4))
    panels[0].set_xlabel("the first window ...")
    panels[2].set_xlabel("... gives this number")
    return panels


def plot_maps_over(
    images: Tensor, maps: Tensor, first: float, jump: int, titles: Sequence[str], bar: str = "output"
) -> np.ndarray:
    """Feature maps over the outlines of the images that they answer to: a row for each image, a column for each map.

    Args:
        images: (N, 1, H, W).
        maps: (N, C, h, w), no number below zero. White is zero; one scale for all of them.
        first: the pixel above the middle of which the first unit of a map lies.
        jump: pixels between neighbouring units.
        titles: one for each map.
        bar: what the numbers of the maps are.

    Returns the axes.
    """
    rows, columns = len(images), maps.shape[1] + 1
    figure, panels = plt.subplots(rows, columns, figsize=(1.5 * columns + 0.8, 1.55 * rows + 0.2), squeeze=False,
                                  layout="constrained")  # fmt: skip
    left, right = first - jump / 2, first + (maps.shape[-1] - 0.5) * jump
    height, width = images.shape[-2:]
    for row, image, answers in zip(panels, images.detach(), maps.detach(), strict=True):
        plot_image(image, ax=row[0])
        for ax, answer in zip(row[1:], answers, strict=True):
            ax.imshow(answer.numpy(), FIT, vmin=0, vmax=float(maps.max()), extent=(left, right, right, left))
            ax.contour(image[0].numpy(), levels=[0.4], colors=[BLUE], linewidths=0.9)
            ax.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), xticks=[], yticks=[])
            ax.spines[:].set(visible=True, color="#8c959f", linewidth=0.5)
    for ax, title in zip(panels[0], ["the image", *titles], strict=True):
        ax.set_title(title, loc="left", fontsize=9)
    figure.colorbar(panels[0, 1].images[0], ax=panels, label=bar, shrink=0.8)
    return panels


def plot_impulse_responses(settings: Mapping[str, Mapping[str, Any]], side: int = 9) -> np.ndarray:
    """What one bright pixel becomes under a 3×3 kernel of ones, for each setting of `F.conv2d`. Returns the axes."""
    impulse = torch.zeros(1, 1, side, side)
    impulse[..., side // 2, side // 2] = 1
    _, panels = plt.subplots(1, len(settings) + 1, figsize=(1.9 * (len(settings) + 1), 2.4), layout="constrained")
    plot_image(impulse, f"input, {side}×{side}", ax=panels[0])
    for ax, (name, options) in zip(panels[1:], settings.items(), strict=True):
        response = F.conv2d(impulse, torch.ones(1, 1, 3, 3), **options)
        plot_image(response, f"{name}: {response.shape[-2]}×{response.shape[-1]}", ax=ax)
    for ax in panels:
        _grid(ax)
    return panels


def _write_numbers(ax: Axes, pixels: np.ndarray, drawn) -> None:
    for (row, column), value in np.ndenumerate(pixels):
        red, green, blue, _ = drawn.cmap(drawn.norm(value))
        color = "black" if 0.3 * red + 0.6 * green + 0.1 * blue > 0.5 else "white"
        ax.text(column, row, f"{value + 0.0:.3g}", ha="center", va="center", color=color, fontsize=9)


def _limits(images: Sequence[Tensor] | Tensor, signed: bool) -> tuple[float, float]:
    """The smallest and the largest value of all images; of signed ones, so that zero lies in the middle."""
    low = min(float(image.min()) for image in images)
    high = max(float(image.max()) for image in images)
    limit = max(abs(low), abs(high)) or 1.0  # all zero: any scale will do
    return (-limit, limit) if signed else (low, high)


def _grid(ax: Axes, color: str = GREY, linewidth: float = 0.5) -> None:
    """Thin lines between the pixels, so that they can be counted."""
    height, width = ax.images[0].get_size()
    ax.set_xticks(np.arange(width + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(height + 1) - 0.5, minor=True)
    ax.grid(which="minor", color=color, linewidth=linewidth)
    ax.tick_params(which="both", length=0)
