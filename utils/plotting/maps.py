"""Grids: who can reach or influence whom, who attends to whom, where an error lies, what is taken for what."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap, LogNorm
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from utils.plotting.style import BLUE, COLORS, GREY, MARKERS, ORANGE, VISIBLE, axes

NOTHING = "#e8e8e8"  # where no influence at all was measured
FLOOR = 1e-4  # the colours cover this many times the largest influence


def plot_reach(reach: Tensor, words: Sequence[str] = (), title: str = "", ax: Axes | None = None) -> Axes:
    """Which input (column) can reach which output (row): a map (T_out, T_in) of zeros and ones."""
    ax = axes(ax, (3.6, 3.0))
    ax.imshow(np.asarray(reach) != 0, cmap=ListedColormap([NOTHING, BLUE]), vmin=0, vmax=1)
    return _label(_grid(ax, reach.shape), words, title)


def plot_reaches(maps: Mapping[str, Tensor], words: Sequence[str] = ()) -> np.ndarray:
    """Reach maps side by side, each under its name. Returns the axes."""
    _, panels = plt.subplots(1, len(maps), figsize=(2.5 * len(maps), 3.1), layout="constrained", squeeze=False)
    for ax, (title, reach) in zip(panels.flat, maps.items(), strict=True):
        plot_reach(reach, words, title, ax=ax)
    _label_outputs_once(panels)
    return panels.ravel()


def plot_influence(
    influences: Tensor,
    words: Sequence[str] = (),
    title: str = "",
    ax: Axes | None = None,
    bar: bool = True,
    floor: float = FLOOR,
    label: str = "influence, relative\nto the largest",
) -> Axes:
    """How strongly each output (row) depends on each input (column): a map (T_out, T_in).

    Colours are logarithmic, from `floor` times the largest influence of the map up to it. Grey is exactly nothing.
    `label` says what the bar is of.
    """
    ax = axes(ax, _size(*influences.shape))
    relative = np.asarray(influences.detach().cpu() / influences.max())
    shown = np.ma.masked_equal(np.where(relative > 0, relative.clip(min=floor), 0), 0)
    drawn = ax.imshow(shown, cmap=_colors(), norm=LogNorm(floor, 1))
    if bar:
        ax.figure.colorbar(drawn, ax=ax, shrink=0.8, label=label)
    return _label(_grid(ax, influences.shape) if words else ax, words, title)


def _size(rows: int, columns: int) -> tuple[float, float]:
    """Inches for a map and its bar. A wide map has a wide figure: in a square one its title would run into the bar."""
    return (3.6, 3.0) if columns < 1.5 * rows else (5.4, 1.2 + 3.9 * rows / columns)


def plot_influences(
    maps: Mapping[str, Tensor],
    words: Sequence[str] = (),
    label: str = "influence, relative to the largest of the map (grey: none)",
    floor: float = FLOOR,
) -> np.ndarray:
    """Influence maps side by side, each under its name and relative to its own largest. Returns the axes.

    The colours begin at `floor` times the largest.
    """
    figure, panels = plt.subplots(1, len(maps), figsize=(3.1 * len(maps), 3.7), layout="constrained", squeeze=False)
    for ax, (title, influences) in zip(panels.flat, maps.items(), strict=True):
        plot_influence(influences, words, title, ax=ax, bar=False, floor=floor)
    _label_outputs_once(panels)
    figure.colorbar(panels.flat[0].images[0], ax=list(panels.flat), orientation="horizontal", shrink=0.5, label=label)
    return panels.ravel()


def plot_influence_by_depth(
    influences: Tensor, words: Sequence[str], source: str, target: str, title: str = "", ax: Axes | None = None
) -> Axes:
    """Influence of each word (columns) on `target` after 1, 2, … layers (rows): (layers, words).

    Each row is on a scale of its own, logarithmic over three powers of ten. White: no influence at all. The column
    of `source` is framed.
    """
    ax = axes(ax, (6.5, 0.9 + 0.26 * len(influences)))
    shares = influences / influences.sum(1, keepdim=True)
    shown = np.ma.log10(np.ma.masked_equal(shares.detach().cpu().numpy(), 0))
    drawn = ax.imshow(shown, aspect="auto", cmap="viridis", vmin=-3, vmax=0)
    column = list(words).index(source)
    ax.add_patch(
        Rectangle((column - 0.5, -0.5), 1, len(influences), fill=False, edgecolor=ORANGE, lw=2.5, clip_on=False)
    )
    ax.set_xticks(range(len(words)), words, rotation=35, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(influences)), [str(depth) for depth in range(1, len(influences) + 1)])
    ax.set(title=title, ylabel="layers")
    for edge in ax.spines.values():
        edge.set_visible(True)
    bar = ax.figure.colorbar(drawn, ax=ax, ticks=[-3, -2, -1, 0], extend="min")
    bar.ax.set_yticklabels(["0.1 %", "1 %", "10 %", "100 %"])
    bar.set_label(f"influence on “{target}”")
    return ax


def plot_attention(
    weights: Tensor, characters: str, title: str = "", row: int | None = None, ax: Axes | None = None
) -> Axes:
    """Who looks at whom: weights (T, T) of one head. `row` is framed."""
    ax = axes(ax, (4.2, 4.0))
    ax.imshow(weights.detach().numpy(), cmap="Blues", vmin=0, vmax=1)
    labels = list(characters.translate(VISIBLE))
    ax.set_xticks(range(len(labels)), labels, fontsize=7)
    ax.set_yticks(range(len(labels)), labels, fontsize=7)
    if row is not None:
        frame = Rectangle((-0.5, row - 0.5), len(labels), 1, fill=False, edgecolor=COLORS[5], lw=1.5)
        ax.add_patch(frame)
    ax.set(xlabel="looked at: position j", ylabel="looks: position i")
    ax.set_title(title, fontsize=10)
    ax.spines[:].set_visible(False)
    return ax


def plot_error_maps(errors: Mapping[str, Tensor], columns: int = 3) -> np.ndarray:
    """Maps (H, W) of the equivariance error, 1 where answers are as good as unrelated, with one scale of colours.

    Returns the axes.
    """
    rows = -(-len(errors) // columns)
    figure, panels = plt.subplots(rows, columns, figsize=(2.3 * columns, 2.5 * rows), layout="constrained")
    largest = max(float(error.max()) for error in errors.values())
    for ax, (name, error) in zip(panels.flat, errors.items(), strict=True):
        drawn = ax.imshow(100 * error.numpy(), vmin=0, vmax=100 * largest, cmap="viridis")
        ax.set_title(f"{name}\nmean {100 * float(error.mean()):.0f} %", fontsize=9)
        ax.set(xticks=[], yticks=[])
    figure.colorbar(drawn, ax=panels, label="error, in % (100: as different as unrelated)", shrink=0.8)
    return panels


def plot_shift_errors(
    errors: Mapping[str, Mapping[str, Sequence[float]]], title: str = "", ax: Axes | None = None
) -> Axes:
    """How far answers move when the image does: {layer: {kind of image: one error for each draw of the weights}}.

    An error of 1 is drawn as 100 %. A row for each layer, a dot for each draw, a bar at the mean.
    """
    ax = axes(ax, (6.5, 0.5 * len(errors) + 1.2))
    kinds = list(next(iter(errors.values())))
    for row, by_kind in enumerate(errors.values()):
        for kind, color, marker in zip(kinds, (ORANGE, BLUE, *COLORS[2:]), MARKERS, strict=False):
            percent = 100 * np.asarray(by_kind[kind])
            place = row + 0.3 * (kinds.index(kind) - (len(kinds) - 1) / 2)
            ax.plot(percent, [place] * len(percent), marker, color=color, alpha=0.5, ms=5, label="" if row else kind)
            ax.plot([percent.mean()] * 2, [place - 0.13, place + 0.13], color="black", lw=2)
    ax.axvline(100, color=GREY, linestyle="--", linewidth=1)
    ax.set(yticks=range(len(errors)), yticklabels=errors, ylim=(len(errors) - 0.4, -0.6), title=title)
    ax.set_xlim(left=-3)
    ax.set(xlabel="error, in % (100: as different as unrelated)")
    ax.grid(axis="x", alpha=0.3)
    ax.legend(frameon=False, fontsize=9)
    return ax


def plot_confusion(labels: Tensor, predictions: Tensor, title: str = "", ax: Axes | None = None) -> Axes:
    """How often each true digit was taken for each other one; the right answers are left out."""
    ax = axes(ax, (4.6, 4.2))
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels.numpy(), predictions.numpy()), 1)
    np.fill_diagonal(counts, 0)
    ax.imshow(counts, cmap="Blues")
    for (true, predicted), count in np.ndenumerate(counts):
        if count:
            color = "white" if count > 0.6 * counts.max() else "black"
            ax.text(predicted, true, count, ha="center", va="center", color=color, fontsize=9)
    ax.set(xticks=range(10), yticks=range(10), xlabel="predicted digit", ylabel="true digit", title=title)
    return ax


def _label_outputs_once(panels: np.ndarray) -> None:
    for ax in panels.flat[1:]:
        ax.set(ylabel="", yticklabels=[])


def _grid(ax: Axes, shape: Sequence[int]) -> Axes:
    """Thin white lines between the cells of a map (rows, columns), so that they can be counted."""
    rows, columns = shape
    ax.xaxis.remove_overlapping_locs = ax.yaxis.remove_overlapping_locs = False  # a line may meet a major tick
    ax.set_xticks(np.arange(0.5, columns - 1), minor=True)
    ax.set_yticks(np.arange(0.5, rows - 1), minor=True)
    ax.grid(which="minor", color="white", lw=0.8)
    ax.tick_params(which="minor", length=0)
    return ax


def _colors() -> Colormap:
    return plt.get_cmap("viridis").with_extremes(bad=NOTHING)


def _label(ax: Axes, words: Sequence[str], title: str) -> Axes:
    ax.set(title=title, xlabel="input j", ylabel="output i")
    ax.title.set_fontsize(10)
    if words:
        ax.set_xticks(range(len(words)), words, rotation=90, fontsize=8)
        ax.set_yticks(range(len(words)), words, fontsize=8)
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.spines[:].set_visible(False)
    return ax
