"""The wall: reach maps of many kinds of networks above each other, untrained and trained, and what each one forbids."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from torch import Tensor

from utils.plotting.maps import NOTHING, plot_influence
from utils.plotting.style import BLUE, ORANGE, axes


def plot_the_wall(rows: Mapping[str, Mapping[str, Tensor]], title: str = "", per_line: int = 5) -> np.ndarray:
    """Reach maps, each relative to its own largest: {"untrained": {kind: (T, T)}, "trained": …}, with the same kinds.

    `per_line` kinds stand side by side, each with its maps below one another. Returns the axes.
    """
    kinds = list(next(iter(rows.values())))
    lines = -(-len(kinds) // per_line)
    size = (1.4 * per_line + 0.6, 1.4 * lines * len(rows) + 1.0)
    figure, panels = plt.subplots(lines * len(rows), per_line, figsize=size, squeeze=False, layout="constrained")
    for number, kind in enumerate(kinds):
        line, column = divmod(number, per_line)
        for down, (state, maps) in enumerate(rows.items()):
            ax = panels[line * len(rows) + down, column]
            plot_influence(maps[kind], title="" if down else kind, ax=ax, bar=False)
            ax.set_title(ax.get_title(loc="left"), loc="left", fontsize=8)  # two names side by side
            ax.images[0].set_interpolation("nearest")  # smooth edges between cells would be a larger picture
            ax.set(xlabel="", ylabel=f"{state}\noutput i" if column == 0 else "", xticks=[], yticks=[])
    for ax in panels[-1]:
        ax.set_xlabel("input j")
    label = "influence, relative to the largest of the map (grey: none)"
    figure.colorbar(panels[0, 0].images[0], ax=list(panels.flat), orientation="horizontal", shrink=0.5, label=label)
    figure.suptitle(title, fontsize=11)
    return panels


def plot_right_by_distance(
    right: Mapping[str, Sequence[Mapping[str, float]]],
    trained_to: int,
    title: str = "",
    guessing: float = 0.25,
    ax: Axes | None = None,
) -> Axes:
    """How often the last symbol is named, for each kind (row) and group of distances (column), as numbers in %.

    The line stands where the distances end that training had. The mean over the seeds is shown.
    """
    groups = list(next(iter(right.values()))[0])
    shares = np.array([[np.mean([seed[group] for seed in seeds]) for group in groups] for seeds in right.values()])
    ax = axes(ax, (6.8, 0.3 * len(right) + 1.0))
    ax.imshow(100 * shares, cmap="Blues", vmin=100 * guessing - 10, vmax=115, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        color = "white" if share > 0.75 else "black"
        ax.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=color, fontsize=9)
    ends = [*groups[1:], ""]
    names = [_range(first, end) for first, end in zip(groups, ends, strict=True)]
    ax.axvline(groups.index(str(trained_to)) - 0.5, color=ORANGE, lw=2)
    ax.set_xticks(range(len(groups)), names, fontsize=9)
    ax.set_yticks(range(len(right)), list(right), fontsize=9)
    ax.set(xlabel="steps since the symbol (orange: further than in training)", title=title)
    ax.spines[:].set_visible(False)
    return ax


def _range(first: str, end: str) -> str:
    """The distances from `first` to the one before `end`; without an end, all that follow."""
    if not end:
        return f"{first} on"
    return first if int(end) == int(first) + 1 else f"{first} to {int(end) - 1}"


CONSTRAINTS = ("fades step by step", "all through one vector", "training waits for each step", "all pairs are compared")
PROGRESSION: Mapping[str, tuple[int, int, int, int]] = {
    "plain RNN\n1990": (1, 1, 1, 0),
    "LSTM\n1997": (0, 1, 1, 0),
    "RNN with\nattention\n2014": (0, 0, 1, 0),
    "transformer\n2017": (0, 0, 0, 1),
    "state-space,\nRWKV, mLSTM\n2023, 2024": (0, 1, 0, 0),
    "hybrids": (0, 0, 0, 1),
}
"""{step: which of the constraints hold there}. Pairs are compared by the decoder of 2014 too, but not within a text."""


def plot_progression(title: str = "", ax: Axes | None = None) -> Axes:
    """Each step of the story, and which constraints hold there. It takes one away, and may bring another one back."""
    ax = axes(ax, (7.4, 2.9))
    holds = np.array(list(PROGRESSION.values())).T
    ax.imshow(holds, cmap=ListedColormap([NOTHING, BLUE]), aspect="auto", vmin=0, vmax=1)
    for (row, column), value in np.ndenumerate(holds):
        before = holds[row, column - 1] if column else value
        word = "holds" if value and before else "comes" if value else "gone" if before else ""
        ax.text(column, row, word, ha="center", va="center", fontsize=9, color="white" if value else "black")
    ax.set_xticks(range(len(PROGRESSION)), list(PROGRESSION), fontsize=8)
    ax.set_yticks(range(len(CONSTRAINTS)), CONSTRAINTS, fontsize=9)
    ax.set(title=title)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax
