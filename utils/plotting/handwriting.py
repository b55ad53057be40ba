"""Lines of a pen: strokes on paper, and how they were drawn."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from utils.plotting.style import BLUE, ORANGE, axes
from utils.tasks.strokes import positions


def plot_line(strokes: Tensor, title: str = "", ax: Axes | None = None, dots: bool = False) -> Axes:
    """One line of writing (T, 3): dx, dy, lift. With `dots` each point is shown, and orange ones end a stroke."""
    ax = axes(ax, (6.5, 1.2))
    places, lifts = positions(strokes).numpy(), strokes[:, 2].numpy() > 0.5
    for piece in np.split(places, np.flatnonzero(lifts) + 1):
        ax.plot(*piece.T, color="black" if not dots else BLUE, lw=1.3, solid_capstyle="round")
    if dots:
        ax.plot(*places.T, "o", color=BLUE, ms=2.5)
        ax.plot(*places[lifts].T, "o", color=ORANGE, ms=6)
    ax.set_aspect("equal")
    ax.set_axis_off()
    if title:
        ax.set_title(title, fontsize=9)
    return ax


def plot_lines(lines: Mapping[str, Sequence[Tensor]], title: str = "") -> np.ndarray:
    """Lines of writing below each other, a column for each source. Returns the axes."""
    rows = max(map(len, lines.values()))
    size = (7.6, 0.25 + 0.62 * rows)
    figure, panels = plt.subplots(rows, len(lines), figsize=size, squeeze=False, layout="constrained")
    for column, (name, written) in zip(panels.T, lines.items(), strict=True):
        for ax in column:
            ax.set_axis_off()
        for number, (ax, line) in enumerate(zip(column, written, strict=False)):
            plot_line(line, "" if number else name, ax=ax)
    if title:
        figure.suptitle(title, fontsize=10)
    return panels


def plot_density(
    density: Tensor, extent: tuple[float, float, float, float], points: Tensor, title: str = "", ax: Axes | None = None
) -> Axes:
    """A density (rows of y, columns of x) over the plane, with points (N, 2) that were drawn or written."""
    ax = axes(ax, (3.6, 3.2))
    ax.imshow(density.numpy(), origin="lower", extent=extent, cmap="Blues", aspect="auto")
    ax.plot(*points.T.numpy(), "o", color=ORANGE, ms=4)
    ax.set(xlabel="dx (quarter heights of a letter)", ylabel="dy", title=title)
    ax.title.set_fontsize(10)
    return ax
