"""The figures of lesson 00: words in a row, ways between them, how influence fades, what a layer costs."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from utils.notebook import COLORS


def plot_words(values: Sequence[float], words: Sequence[str], ylabel: str, title: str, ax: Axes | None = None) -> Axes:
    """One bar for each word, with its value written above it."""
    ax = ax or plt.subplots(figsize=(6.5, 2.4), layout="constrained")[1]
    bars = ax.bar(range(len(words)), values, color=COLORS[0])
    ax.bar_label(bars, fontsize=9)
    ax.margins(y=0.15)
    ax.set_xticks(range(len(words)), words, rotation=30)
    ax.set(ylabel=ylabel, title=title)
    return ax


def plot_path_lengths(
    lengths: Mapping[str, Sequence[float]], mark: int | None = None, title: str = "", ax: Axes | None = None
) -> Axes:
    """Steps on the shortest path against the distance 0, 1, 2, … between two words, one line for each name.

    Infinite lengths are left out. `mark` draws a line at the distance that the text speaks of.
    """
    ax = ax or plt.subplots(figsize=(6.5, 3.0), layout="constrained")[1]
    for (name, values), marker in zip(lengths.items(), "os^dvP", strict=False):
        finite = [(distance, value) for distance, value in enumerate(values) if np.isfinite(value)]
        ax.plot(*zip(*finite, strict=True), marker=marker, ms=4, label=name)
    if mark is not None:
        ax.axvline(mark, color="#57606a", ls=":", lw=1)
        ax.annotate("it → animal", (mark, ax.get_ylim()[1]), ha="right", va="top", rotation=90, fontsize=8)
    ax.set(xlabel="distance between two words, in positions", ylabel="steps on the path", title=title)
    ax.legend(frameon=False, fontsize=9)
    return ax


def plot_fade(
    curves: Mapping[str, Tensor], title: str = "", floor: float = 1e-8, ax: Axes | None = None, legend: bool = True
) -> Axes:
    """Influence against distance: for each name a tensor (seeds, distances); median, and a band from 10 to 90 %.

    What is nothing, or below `floor`, is not drawn.
    """
    ax = ax or plt.subplots(figsize=(6.5, 3.2), layout="constrained")[1]
    for (name, values), style in zip(curves.items(), ("-", "--", ":", "-."), strict=False):
        values = np.asarray(values.detach())
        low, middle, high = (np.quantile(values, share, axis=0) for share in (0.1, 0.5, 0.9))
        seen = middle > floor
        distances = np.arange(values.shape[1])[seen]
        (line,) = ax.plot(distances, middle[seen], style, lw=1.8, label=name)
        ax.fill_between(distances, low[seen].clip(min=floor), high[seen], color=line.get_color(), alpha=0.2, lw=0)
    ax.set(yscale="log", xlabel="distance, in positions", ylabel="influence", title=title)
    if legend:
        ax.legend(frameon=False, fontsize=8)
    return ax


def plot_costs(costs: Mapping[str, Mapping[int, float]], title: str = "", ax: Axes | None = None) -> Axes:
    """Multiply-adds against the number of words, {name: {length: multiply-adds}}, on logarithmic axes."""
    ax = ax or plt.subplots(figsize=(6.5, 3.2), layout="constrained")[1]
    for (name, by_length), marker in zip(costs.items(), "os^dvP", strict=False):
        ax.plot(list(by_length), list(by_length.values()), marker=marker, ms=4, label=name)
    ax.set(xscale="log", yscale="log", xlabel="words in the text", ylabel="multiply-adds", title=title)
    lengths = list(next(iter(costs.values())))
    ax.set_xticks(lengths, lengths)
    ax.minorticks_off()
    ax.legend(frameon=False, fontsize=8)
    return ax


def plot_spread(
    values: Mapping[float, Sequence[float]], xlabel: str, ylabel: str, title: str = "", ax: Axes | None = None
) -> Axes:
    """{x: one value for each seed} on a logarithmic x axis: every seed as a dot, their medians as a line."""
    ax = ax or plt.subplots(figsize=(6.5, 3.0), layout="constrained")[1]
    for x, of_seeds in values.items():
        ax.plot([x] * len(of_seeds), of_seeds, "o", color=COLORS[0], alpha=0.35, ms=4)
    ax.plot(list(values), [np.median(of_seeds) for of_seeds in values.values()], color=COLORS[5], lw=1.8)
    ax.set(xscale="log", xlabel=xlabel, ylabel=ylabel, title=title)
    ax.set_xticks(list(values), [f"{x:g}" for x in values])
    ax.minorticks_off()
    return ax
