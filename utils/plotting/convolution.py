"""Figures of lesson 01: windows, impulse responses, parameter counts, maps of the equivariance error."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from utils.notebook import COLORS
from utils.plotting.images import plot_image


def plot_windows(image: Tensor, kernel: Tensor) -> np.ndarray:
    """A small image (1, H, W), a kernel (1, 1, k, k) and their convolution, number by number. Returns the axes.

    The first window and the output that comes of it are framed. The last output is a question mark: the reader's turn.
    """
    output = F.conv2d(image[None], kernel)
    output[..., -1, -1] = 0  # neither its number nor its shade shall tell
    parts = {"image x": image, "kernel W": kernel, "output y": output}
    _, axes = plt.subplots(1, 3, figsize=(6.5, 2.6), layout="constrained")
    for ax, (title, values) in zip(axes, parts.items(), strict=True):
        plot_image(values, title, ax=ax, numbers=True)
    axes[2].texts[-1].set_text("?")
    side = kernel.shape[-1]
    for ax, framed in [(axes[0], side), (axes[2], 1)]:
        ax.add_patch(Rectangle((-0.5, -0.5), framed, framed, fill=False, edgecolor=COLORS[1], linewidth=4))
    axes[0].set_xlabel("the first window ...")
    axes[2].set_xlabel("... gives this number")
    return axes


def plot_impulse_responses(settings: Mapping[str, Mapping[str, int]], side: int = 9) -> np.ndarray:
    """What one bright pixel becomes under a 3×3 kernel of ones, for each setting of `F.conv2d`. Returns the axes."""
    impulse = torch.zeros(1, 1, side, side)
    impulse[..., side // 2, side // 2] = 1
    _, axes = plt.subplots(1, len(settings) + 1, figsize=(1.9 * (len(settings) + 1), 2.4), layout="constrained")
    plot_image(impulse, f"input, {side}×{side}", ax=axes[0])
    for ax, (name, options) in zip(axes[1:], settings.items(), strict=True):
        response = F.conv2d(impulse, torch.ones(1, 1, 3, 3), **options)
        plot_image(response, f"{name}: {response.shape[-2]}×{response.shape[-1]}", ax=ax)
    for ax in axes:
        _grid(ax)
    return axes


def plot_parameter_counts(sides: Sequence[int], counts: Sequence[Mapping[str, int]], ax: Axes | None = None) -> Axes:
    """Parameters against the side of the image, a line for each kind of layer in `counts`."""
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    for marker, name in zip("os", counts[0], strict=True):
        ax.loglog(sides, [count[name] for count in counts], marker=marker, label=name, base=10)
    ax.set_xticks(sides, labels=[str(side) for side in sides], minor=False)
    ax.minorticks_off()
    ax.set(xlabel="side of the image, in pixels", ylabel="parameters")
    ax.set_title("The convolution does not notice how large the image is")
    ax.legend()
    return ax


def plot_error_maps(errors: Mapping[str, Tensor], columns: int = 3) -> np.ndarray:
    """Maps (H, W) of the equivariance error, 1 where answers are as good as unrelated, with one scale of colours.

    Returns the axes.
    """
    rows = -(-len(errors) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(2.3 * columns, 2.5 * rows), layout="constrained")
    largest = max(float(error.max()) for error in errors.values())
    for ax, (name, error) in zip(axes.flat, errors.items(), strict=True):
        drawn = ax.imshow(100 * error.numpy(), vmin=0, vmax=100 * largest, cmap="viridis")
        ax.set_title(f"{name}\nmean {100 * float(error.mean()):.0f} %", fontsize=9)
        ax.set(xticks=[], yticks=[])
    figure.colorbar(drawn, ax=axes, label="error, in % (100: as different as unrelated)", shrink=0.8)
    return axes


def _grid(ax: Axes) -> None:
    """Thin lines between the pixels, so that they can be counted."""
    height, width = ax.images[0].get_array().shape
    ax.set_xticks(np.arange(width + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(height + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="#57606a", linewidth=0.5)
    ax.tick_params(which="both", length=0)
