"""The pen: a line that the handwriting network has written, and where it may go next, at a bias of your choice."""

from functools import cache

import torch
from matplotlib.figure import Figure
from torch import Tensor

from utils.models.handwriting import draw as draw_step
from utils.models.handwriting import write
from utils.models.pretrained import pretrained
from utils.widgets.book import Book, Page, menu, slider

POINTS = 150
GHOSTS = 300  # steps that might have come next
WRITTEN = 0.5  # the bias of the line itself, so that another one moves the cloud alone
AROUND = 1.5  # how much of the paper around the pen is enlarged, at least


@cache
def line(seed: int) -> Tensor:
    """The whole line (POINTS, 3) of this seed."""
    return write(pretrained("scribe"), POINTS, WRITTEN, torch.Generator().manual_seed(seed))[0]


@torch.no_grad()
def next_steps(strokes: Tensor, bias: float) -> Tensor:
    """Where the pen may go after these strokes (T, 3): places (GHOSTS, 2), drawn from the network's mixture."""
    scribe = pretrained("scribe")
    raw, _ = scribe(torch.cat([torch.zeros(1, 3), strokes])[None])
    drawn = draw_step(raw[0, -1].expand(GHOSTS, -1), bias, torch.Generator().manual_seed(0))
    return strokes[:, :2].sum(0) + drawn[:, :2]


def describe(bias: float, points: int, seed: int) -> str:
    """What a status line says."""
    strokes = line(seed)[:points]
    lifts, spread = int(strokes[:, 2].sum()), next_steps(strokes, bias).std(0).norm().item()
    return (
        f"Bias {bias:g}: {points} of {POINTS} points, the pen was lifted {lifts} times. "
        f"The points where it may go next spread by {spread:.2g} (standard deviation)."
    )


def draw(bias: float, points: int, seed: int) -> Figure:
    """The line up to so many points, and a cloud of the steps that might come next, small and enlarged."""
    import matplotlib.pyplot as plt

    from utils.plotting.handwriting import plot_line
    from utils.plotting.style import BLUE, GREY, ORANGE

    whole = line(seed)
    strokes = whole[:points]
    here, cloud = strokes[:, :2].sum(0), next_steps(strokes, bias)
    figure, (paper, near) = plt.subplots(1, 2, figsize=(7.6, 2.4), width_ratios=(5, 2), layout="constrained")
    paper.plot(*whole[:, :2].cumsum(0).T, alpha=0)  # the axes stay where the whole line needs them
    for ax, size in ((paper, 2), (near, 4)):
        plot_line(strokes, ax=ax)
        ax.plot(*cloud.T, ".", color=BLUE, ms=size, alpha=0.35, zorder=3)
        ax.plot(*here, "o", color=ORANGE, ms=5)
    widest = (next_steps(strokes, 0.0) - here).abs().amax(1).quantile(0.98).item()
    half = max(AROUND, 1.1 * widest)  # the same for each bias
    near.set(xlim=(here[0] - half, here[0] + half), ylim=(here[1] - half, here[1] + half))
    near.set_axis_on()
    near.set(xticks=[], yticks=[])
    near.spines[:].set(visible=True, color=GREY)
    paper.set_title(f"bias {bias:g}: blue, where the pen may go next", fontsize=9)
    near.set_title("enlarged", fontsize=9)
    return figure


def page(bias: float, points: int, seed: int) -> Page:
    """What the widget shows of this line."""
    return Page(describe(bias, points, seed), draw(bias, points, seed), "A line of handwriting, as far as it goes.")


def pen() -> None:
    """Show two sliders, for the bias and for the point where the pen stands, and a field for another line."""
    import ipywidgets as widgets

    from utils.widgets.still import follow, show

    bias = widgets.FloatSlider(value=0.5, min=0, max=5, step=0.5, description="bias:", continuous_update=False)
    points = widgets.IntSlider(value=60, min=1, max=POINTS, description="points:", continuous_update=False)
    seed = widgets.BoundedIntText(value=1, min=1, max=99, description="line:")
    said, canvas = widgets.HTML(), widgets.HTML()

    def redraw() -> None:
        said.value, canvas.value = page(bias.value, points.value, seed.value).as_html()

    follow([bias, points, seed], redraw)
    explorer = widgets.VBox([bias, points, seed, said, canvas])
    explorer.add_class("pen")
    alt = "A line of looped handwriting up to a point, and the steps that may come next. Run the cell to move the pen."
    book = Book(
        [
            slider("bias", (0, 0.5, 1, 2, 5), 0.5),
            slider("points", (20, 60, 100, POINTS), 60),
            menu("line", {"first": 1, "second": 2}),
        ],
        page,
    )
    show(explorer, draw(bias.value, points.value, seed.value), alt, book)
