"""The codes of an autoencoder: where images lie, and what lies between them."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor

from utils.plotting.style import axes

Decode = Callable[[Tensor], Tensor]
"""From codes (N, 2) to images (N, 1, H, W) of 0 to 1."""


@torch.no_grad()
def atlas(decode: Decode, steps: int = 9, reach: float = 2.4, middle: tuple[float, float] = (0.0, 0.0)) -> Tensor:
    """The images of a square grid of codes, up to `reach` from the middle each way: one image (steps H, steps W).

    The first number of the code grows to the right, the second one upwards.
    """
    line = torch.linspace(-reach, reach, steps)
    codes = torch.stack([line.repeat(steps), line.flip(0).repeat_interleave(steps)], 1) + torch.tensor(middle)
    images = decode(codes)[:, 0]  # (steps², H, W)
    side = images.shape[-1]
    return images.view(steps, steps, -1, side).transpose(1, 2).flatten(2).flatten(0, 1)


def plot_atlas(picture: Tensor, title: str = "", reach: float = 2.4, ax: Axes | None = None) -> Axes:
    """What `atlas` gives, with the code along both axes."""
    ax = axes(ax, (3.8, 3.8))
    edge = reach * 9 / 8  # the middle of the outer images lies at `reach`
    ax.imshow(
        picture.numpy(),
        plt.get_cmap("gray", 16),
        vmin=0,
        vmax=1,
        interpolation="nearest",
        extent=(-edge, edge, -edge, edge),
    )
    ax.set(xlabel="first number of the code", ylabel="second number of the code", title=title)
    ax.set(xticks=range(-2, 3), yticks=range(-2, 3))
    return ax


def plot_codes(codes: Tensor, labels: Tensor, title: str = "", ax: Axes | None = None) -> Axes:
    """Where images lie by their codes (N, 2): each as its digit, coloured by it."""
    ax = axes(ax, (4.5, 3.9))
    ax.plot(*codes.numpy().T, alpha=0)  # the axes stay where the places need them
    for (x, y), label in zip(codes.tolist(), labels.tolist(), strict=True):
        ax.text(x, y, str(label), color=plt.get_cmap("tab10")(label), fontsize=7, ha="center", va="center")
    ax.set(xlabel="first number of the code", ylabel="second number of the code", title=title)
    ax.set_aspect("equal")
    return ax
