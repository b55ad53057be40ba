"""The codes of an autoencoder: where images lie, and what lies between them."""

from collections.abc import Callable

import torch
from matplotlib.axes import Axes
from torch import Tensor

from utils.plotting.style import axes

Decode = Callable[[Tensor], Tensor]
"""From codes (N, 2) to images (N, 1, H, W) of 0 to 1."""


@torch.no_grad()
def atlas(decode: Decode, steps: int = 13, reach: float = 2.4) -> Tensor:
    """The images of a square grid of codes, from -reach to reach in both directions, as one image (steps H, steps W).

    The first number of the code grows to the right, the second one upwards.
    """
    line = torch.linspace(-reach, reach, steps)
    codes = torch.stack([line.repeat(steps), line.flip(0).repeat_interleave(steps)], 1)
    images = decode(codes)[:, 0]  # (steps², H, W)
    side = images.shape[-1]
    return images.view(steps, steps, -1, side).transpose(1, 2).flatten(2).flatten(0, 1)


def plot_atlas(picture: Tensor, title: str = "", reach: float = 2.4, ax: Axes | None = None) -> Axes:
    """What `atlas` gives, with the code along both axes."""
    ax = axes(ax, (4.6, 4.6))
    steps_wide = reach * 13 / 12  # the middle of the outer images lies at `reach`
    ax.imshow(picture.numpy(), "gray", vmin=0, vmax=1, extent=(-steps_wide, steps_wide, -steps_wide, steps_wide))
    ax.set(xlabel="first number of the code", ylabel="second number of the code", title=title)
    ax.set(xticks=range(-2, 3), yticks=range(-2, 3))
    return ax


def plot_codes(codes: Tensor, labels: Tensor, title: str = "", ax: Axes | None = None) -> Axes:
    """Where images lie by their codes (N, 2): each as its digit, coloured by it."""
    ax = axes(ax, (4.9, 4.6))
    shown = ax.scatter(*codes.numpy().T, c=labels.numpy(), cmap="tab10", vmin=-0.5, vmax=9.5, s=8, alpha=0.7)
    bar = ax.figure.colorbar(shown, ax=ax, ticks=range(10), shrink=0.8, label="digit")
    bar.solids.set_alpha(1)  # pyright: ignore[reportOptionalMemberAccess]
    ax.set(xlabel="first number of the code", ylabel="second number of the code", title=title)
    ax.set_aspect("equal")
    return ax
