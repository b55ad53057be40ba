"""The pen: a line that the handwriting network writes, point by point, at a bias of your choice."""

from functools import cache

import torch
from matplotlib.figure import Figure
from torch import Tensor

from utils.models.handwriting import draw as draw_step
from utils.models.handwriting import write
from utils.models.pretrained import pretrained

POINTS = 150
GHOSTS = 300  # steps that might have come next


@cache
def line(bias: float, seed: int) -> Tensor:
    """The whole line (POINTS, 3) for this bias and seed."""
    return write(pretrained("scribe"), POINTS, bias, torch.Generator().manual_seed(seed))[0]


@torch.no_grad()
def next_steps(strokes: Tensor, bias: float) -> Tensor:
    """Where the pen may go after these strokes (T, 3): places (GHOSTS, 2), drawn from the network's mixture."""
    scribe = pretrained("scribe")
    raw, _ = scribe(torch.cat([torch.zeros(1, 3), strokes])[None])
    drawn = draw_step(raw[0, -1].expand(GHOSTS, -1), bias, torch.Generator().manual_seed(0))
    return strokes[:, :2].sum(0) + drawn[:, :2]


def describe(bias: float, points: int, seed: int) -> str:
    """What a status line says."""
    lifts = int(line(bias, seed)[:points, 2].sum())
    return f"Bias {bias:g}: {points} of {POINTS} points, the pen was lifted {lifts} times."


def draw(bias: float, points: int, seed: int) -> Figure:
    """The line up to so many points, and a cloud of the steps that might come next."""
    import matplotlib.pyplot as plt

    from utils.plotting.handwriting import plot_line
    from utils.plotting.style import BLUE, ORANGE

    strokes = line(bias, seed)
    figure, ax = plt.subplots(figsize=(7.2, 2.2), layout="constrained")
    ax.plot(*strokes[:, :2].cumsum(0).T, alpha=0)  # the axes stay where the whole line needs them
    ax.plot(*next_steps(strokes[:points], bias).T, ".", color=BLUE, ms=2, alpha=0.35)
    plot_line(strokes[:points], f"bias {bias:g}: blue, where the pen may go next", ax=ax)
    ax.plot(*strokes[:points, :2].sum(0), "o", color=ORANGE, ms=5)
    return figure


def pen() -> None:
    """Show two sliders, for the bias and for the point where the pen stands, and a button for another line."""
    import ipywidgets as widgets

    from utils.widgets.still import follow, img, png, show, status

    bias = widgets.FloatSlider(value=0.5, min=0, max=5, step=0.5, description="bias:", continuous_update=False)
    points = widgets.IntSlider(value=60, min=1, max=POINTS, description="points:", continuous_update=False)
    seed = widgets.BoundedIntText(value=1, min=1, max=99, description="line:")
    said, canvas = widgets.HTML(), widgets.HTML()

    def redraw() -> None:
        said.value = status(describe(bias.value, points.value, seed.value))
        canvas.value = img(png(draw(bias.value, points.value, seed.value)), "A line of handwriting, as far as it goes.")

    follow([bias, points, seed], redraw)
    explorer = widgets.VBox([bias, points, seed, said, canvas])
    explorer.add_class("pen")
    alt = "A line of looped handwriting up to a point, and the steps that may come next. Run the cell to write."
    show(explorer, draw(bias.value, points.value, seed.value), alt)
