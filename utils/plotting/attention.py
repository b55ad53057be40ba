"""Attention: how evenly weights are spread, who looks at whom, and what a look is worth."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from utils.plotting.maps import plot_influences
from utils.plotting.style import COLORS, GREY, MARKERS, ORANGE, axes, draw_levels


def plot_entropy(
    curves: Mapping[str, Mapping[int, Sequence[float]]],
    levels: Mapping[str, float] | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Entropy of the weights, in bits, against the length of a key: {name: {d_k: a value for each draw}}.

    A line goes through the means, the band holds all draws.
    """
    ax = axes(ax, (6.5, 3.2))
    for (name, by_length), marker in zip(curves.items(), MARKERS, strict=False):
        lengths = list(by_length)
        values = np.array([by_length[length] for length in lengths])  # (lengths, draws)
        (line,) = ax.plot(lengths, values.mean(1), marker=marker, ms=5, label=name)
        ax.fill_between(lengths, values.min(1), values.max(1), color=line.get_color(), alpha=0.2, lw=0)
    draw_levels(ax, levels or {})
    ax.set_xscale("log", base=2)
    ax.set_xticks(lengths, [str(length) for length in lengths])
    ax.set(xlabel="length of a key, $d_k$", ylabel="entropy of the weights (bits)", title=title, ylim=(0, None))
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def plot_looks(maps: Mapping[str, Tensor], words: Sequence[str], row: int | None = None) -> np.ndarray:
    """Who looks at whom: weights (T, T), from 0 to 1, side by side, each under its name. `row` is framed.

    Returns the axes.
    """
    side = max(2.6, 0.24 * len(words) + 0.6)
    figure, panels = plt.subplots(1, len(maps), figsize=(side * len(maps) + 0.6, side + 0.6), layout="constrained")
    panels = np.atleast_1d(panels)
    for ax, (name, weights) in zip(panels, maps.items(), strict=True):
        drawn = ax.imshow(weights.detach().numpy(), cmap="Blues", vmin=0, vmax=1)
        ax.set_xticks(range(len(words)), words, rotation=90 if max(map(len, words)) > 2 else 0, fontsize=8)
        ax.set_yticks(range(len(words)), words, fontsize=8)
        if row is not None:
            ax.axhspan(row - 0.5, row + 0.5, fill=False, edgecolor=ORANGE, lw=2)
        ax.set_title(name, fontsize=10)
        ax.set(xlabel="looked at: position j")
        ax.spines[:].set_visible(False)
    panels[0].set(ylabel="looks: position i")
    figure.colorbar(drawn, ax=list(panels), label="weight", shrink=0.8)
    return panels


def plot_influences_on(maps: Mapping[str, Tensor], row: int) -> np.ndarray:
    """Influence maps side by side, as `plot_influences` draws them, with the row of one output framed."""
    panels = plot_influences(maps)
    for ax in panels:
        ax.axhspan(row - 0.5, row + 0.5, fill=False, edgecolor=ORANGE, lw=2)
    return panels


def plot_by_place(
    curves: Mapping[str, Tensor],
    title: str = "",
    trained_to: int | None = None,
    chance: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The share of right answers at each place: for each name a tensor (seeds, T), nan where nothing is asked.

    A line through the means, a band over all seeds. `trained_to` marks the length that was trained.
    """
    ax = axes(ax, (6.5, 3.2))
    for (name, shares), style in zip(curves.items(), ("-", "--", ":", "-."), strict=False):
        percent = 100 * shares.numpy()
        places = np.flatnonzero(~np.isnan(percent[0]))
        (line,) = ax.plot(places, percent.mean(0)[places], style, lw=1.8, label=name)
        ax.fill_between(places, percent.min(0)[places], percent.max(0)[places], color=line.get_color(), alpha=0.2, lw=0)
    if trained_to is not None:
        ax.axvline(trained_to - 0.5, color=GREY, lw=1)
        ax.annotate("no longer text was trained on", (trained_to, 104), (3, 0), textcoords="offset points", fontsize=8)
    draw_levels(ax, {} if chance is None else {"guessing": 100 * chance})
    ax.set(xlabel="place in the sequence", ylabel="right answers (%)", ylim=(0, 112), title=title)
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def plot_looked_and_needed(looks: Tensor, needs: Tensor, words: Sequence[str], title: str = "") -> np.ndarray:
    """Two maps with a row for each training and a column for each word: the weight on it, and what hiding it costs.

    Args:
        looks: (trainings, T), what one word takes from each other one, 0 to 1.
        needs: (trainings, T), by how much the probability of the right answer falls, −1 to 1.
        words: T of them.
        title: what to see.
    Returns the axes.
    """
    figure, panels = plt.subplots(1, 2, figsize=(8.6, 0.3 * len(looks) + 2.1), layout="constrained", sharey=True)
    kinds = (("Blues", 0, "weight"), ("PuOr_r", -1, "probability lost"))
    for ax, values, (colors, low, label) in zip(panels, (looks, needs), kinds, strict=True):
        drawn = ax.imshow(values.detach().numpy(), cmap=colors, vmin=low, vmax=1, aspect="auto")
        ax.set_xticks(range(len(words)), words, rotation=60, ha="right", rotation_mode="anchor", fontsize=9)
        ax.set_yticks(range(len(looks)), [f"seed {seed}" for seed in range(len(looks))], fontsize=9)
        ax.spines[:].set_visible(False)
        figure.colorbar(drawn, ax=ax, label=label, ticks=sorted({low, 0, 1}))
    panels[0].set_title("in the last layer, “it” looks at …", fontsize=10)
    panels[1].set_title("… and this is what hiding a word costs", fontsize=10)
    figure.suptitle(title, x=0.01, ha="left")
    return panels


def plot_word(
    weights: Sequence[float], words: Sequence[str], asks: int, title: str = "", ax: Axes | None = None
) -> Axes:
    """What one word takes from each word (itself in orange), as bars from 0 to 1."""
    ax = axes(ax, (6.5, 2.6))
    bars = ax.bar(range(len(words)), weights, color=COLORS[0])
    bars[asks].set_color(COLORS[5])
    ax.set_xticks(range(len(words)), words, rotation=35, ha="right", rotation_mode="anchor")
    ax.set(ylim=(0, 1.04), ylabel="weight", xlabel=f"looked at by “{words[asks]}” (orange: itself)")
    ax.set_title(title, fontsize=10)
    return ax


def plot_positions(vectors: Tensor, title: str = "", ax: Axes | None = None) -> Axes:
    """Vectors for positions (T, C), from −1 to 1: a column for each position, a row for each channel."""
    ax = axes(ax, (6.5, 2.8))
    drawn = ax.imshow(vectors.T.numpy(), cmap="PuOr_r", vmin=-1, vmax=1, aspect="auto")
    ax.set(xlabel="position", ylabel="channel", title=title, yticks=range(0, vectors.shape[1], 4))
    ax.figure.colorbar(drawn, ax=ax, label="value")
    return ax
