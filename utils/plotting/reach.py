"""Reach maps and influence maps: who can influence whom, as a grid of outputs (rows) and inputs (columns)."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap, LogNorm
from torch import Tensor

NOTHING = "#e8e8e8"  # where no influence at all was measured
FLOOR = 1e-4  # the colours cover this many times the largest influence


def plot_reach(reach: Tensor, words: Sequence[str] = (), title: str = "", ax: Axes | None = None) -> Axes:
    """Which input (column) can reach which output (row): a map (T_out, T_in) of zeros and ones."""
    ax = ax or _new_axes()
    ax.imshow(np.asarray(reach) != 0, cmap=ListedColormap([NOTHING, "#0072B2"]), vmin=0, vmax=1)
    return _label(ax, words, title)


def plot_reaches(maps: Mapping[str, Tensor], words: Sequence[str] = ()) -> np.ndarray:
    """Reach maps side by side, each under its name. Returns the axes."""
    _, axes = plt.subplots(1, len(maps), figsize=(2.5 * len(maps), 3.1), layout="constrained", squeeze=False)
    for ax, (title, reach) in zip(axes.flat, maps.items(), strict=True):
        plot_reach(reach, words, title, ax=ax)
    _label_outputs_once(axes)
    return axes.ravel()


def plot_influence(
    influences: Tensor, words: Sequence[str] = (), title: str = "", ax: Axes | None = None, bar: bool = True
) -> Axes:
    """How strongly each output (row) depends on each input (column): a map (T_out, T_in).

    Colours are logarithmic, relative to the largest influence of the map. Grey is exactly nothing.
    """
    ax = ax or _new_axes()
    relative = np.asarray(influences.detach().cpu() / influences.max())
    shown = np.ma.masked_equal(np.where(relative > 0, relative.clip(min=FLOOR), 0), 0)
    drawn = ax.imshow(shown, cmap=_colors(), norm=LogNorm(FLOOR, 1))
    if bar:
        ax.figure.colorbar(drawn, ax=ax, shrink=0.8, label="influence, relative to the largest")
    return _label(ax, words, title)


def plot_influences(maps: Mapping[str, Tensor], words: Sequence[str] = ()) -> np.ndarray:
    """Influence maps side by side, each under its name and relative to its own largest. Returns the axes."""
    figure, axes = plt.subplots(1, len(maps), figsize=(3.1 * len(maps), 3.7), layout="constrained", squeeze=False)
    for ax, (title, influences) in zip(axes.flat, maps.items(), strict=True):
        plot_influence(influences, words, title, ax=ax, bar=False)
    _label_outputs_once(axes)
    label = "influence, relative to the largest of the map (grey: none)"
    figure.colorbar(axes.flat[0].images[0], ax=list(axes.flat), orientation="horizontal", shrink=0.5, label=label)
    return axes.ravel()


def _label_outputs_once(axes: np.ndarray) -> None:
    for ax in axes.flat[1:]:
        ax.set(ylabel="", yticklabels=[])


def _new_axes() -> Axes:
    return plt.subplots(figsize=(3.6, 3.0), layout="constrained")[1]


def _colors() -> Colormap:
    return plt.get_cmap("viridis").with_extremes(bad=NOTHING)


def _label(ax: Axes, words: Sequence[str], title: str) -> Axes:
    ax.set(title=title, xlabel="input j", ylabel="output i")
    ax.title.set_fontsize(10)
    if words:
        ax.set_xticks(range(len(words)), words, rotation=90, fontsize=8)
        ax.set_yticks(range(len(words)), words, fontsize=8)
    ax.spines[:].set_visible(False)
    return ax
