"""Encoders and decoders: what is written right, where attention looks, how a soft lookup sharpens."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from utils.plotting.style import BLUE, COLORS, GREEN, GREY, MARKERS, ORANGE, VISIBLE, axes

PAGE_WIDTH = 9.0  # inches: a notebook, or a page of the site, shows no more without making it smaller

OF_MODEL = {
    "32 numbers, attention": (BLUE, "o"),
    "32 numbers": (ORANGE, "s"),
    "16 numbers": (COLORS[3], "^"),
    "64 numbers": (GREEN, "d"),
    "128 numbers": (COLORS[5], "v"),
}
"""The colour and the marker of each model, the same in all figures."""


def plot_by_length(
    curves: Mapping[str, Sequence[Sequence[float]]],
    lengths: Sequence[int],
    title: str = "",
    seen: int | None = None,
    what: str = "symbols written right (%)",
    ax: Axes | None = None,
) -> Axes:
    """Shares against the length of the source: {name: [a row for each seed: one share for each length]}.

    A line goes through the means, each seed is a dot. What is longer than `seen` was not in training.
    """
    ax = axes(ax, (6.8, 2.9))
    for number, (name, seeds) in enumerate(curves.items()):
        color, marker = OF_MODEL.get(name, (COLORS[number], MARKERS[number]))
        percent = 100 * np.asarray(seeds)
        ax.plot(lengths, percent.mean(0), marker=marker, ms=5, color=color, label=name)
        for row in percent if len(percent) > 1 else ():
            ax.plot(lengths, row, ".", color=color, alpha=0.5, ms=5)
    if seen is not None:
        ax.axvspan(seen + 0.5, max(lengths) + 0.5, color=GREY, alpha=0.12, lw=0)
        ax.annotate(
            "not in training", (seen + 0.5, 1), (4, -12), ("data", "axes fraction"), "offset points", fontsize=8
        )
    ax.set(xlabel="length of the source, in digits", ylabel=what, ylim=(-3, 105), title=title, xticks=lengths)
    ax.grid(axis="y", alpha=0.3)
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def plot_written_right(
    curves: Mapping[str, Sequence[Sequence[float]]], title: str = "", ax: Axes | None = None
) -> Axes:
    """Shares written right at each place: {how the decoder is fed: [a row for each seed: one share for each place]}."""
    ax = axes(ax, (6.8, 2.7))
    for (name, seeds), style, marker in zip(curves.items(), ("--", "-"), "so", strict=False):
        percent = 100 * np.asarray(seeds)
        places = np.arange(1, percent.shape[1] + 1)
        ax.plot(places, percent.mean(0), style, marker=marker, ms=5, color=ORANGE if style == "-" else GREY, label=name)
        for row in percent:
            ax.plot(places, row, ".", color=ORANGE if style == "-" else GREY, alpha=0.5, ms=5)
    ax.set(xlabel="place in what is written", ylabel="written right (%)", ylim=(-3, 105), title=title, xticks=places)
    ax.grid(axis="y", alpha=0.3)
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def plot_alignment(weights: Tensor, source: str, target: str, title: str = "", ax: Axes | None = None) -> Axes:
    """Weights (T, S) from 0 (white) to 1: a row for each character that is written, a column for each that is read."""
    ax = axes(ax, (0.24 * len(source) + 1.2, 0.24 * len(target) + 1.0))
    ax.imshow(weights[: len(target), : len(source)].detach().numpy(), cmap="Blues", vmin=0, vmax=1)
    ax.set_xticks(range(len(source)), list(source.translate(VISIBLE)), fontsize=8)
    ax.set_yticks(range(len(target)), list(target.translate(VISIBLE)), fontsize=8)
    ax.set(xlabel="read", ylabel="written")
    ax.set_title(title, fontsize=10)
    return ax


def plot_alignments(maps: Mapping[str, Tensor], source: str, target: str, title: str = "") -> np.ndarray:
    """Several of `plot_alignment`, each under its name: side by side where a page holds them, else one above the other.

    Returns the axes.
    """
    width, height = 0.2 * len(source) + 0.9, 0.2 * len(target) + 1.0
    columns = len(maps) if len(maps) * width < PAGE_WIDTH else 1
    rows = len(maps) // columns
    size = (columns * width + 0.6, rows * height + 0.5)
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for ax, (name, weights) in zip(panels.flat, maps.items(), strict=True):
        plot_alignment(weights, source, target, name, ax)
    figure.colorbar(panels.flat[0].images[0], ax=list(panels.flat), label="weight", shrink=0.8)
    figure.suptitle(title, x=0.02, ha="left")
    return panels.ravel()


def plot_scores(queries: Sequence[float], scores: Mapping[str, Tensor], title: str = "") -> np.ndarray:
    """Scores (T, S) of each key against the query, one number here: a panel for each name. Returns the axes."""
    figure, panels = plt.subplots(1, len(scores), figsize=(3.4 * len(scores), 2.7), squeeze=False, layout="constrained")
    for ax, (name, values) in zip(panels.flat, scores.items(), strict=True):
        for number, column in enumerate(values.detach().T):
            ax.plot(
                queries,
                column.tolist(),
                "-" if number == 0 else ("--", ":")[number % 2],
                lw=2,
                label=f"key {number + 1}",
            )
        ax.set(xlabel="query", ylabel="score")
        ax.set_title(name, fontsize=10)
    panels.flat[-1].legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.suptitle(title, x=0.02, ha="left")
    return panels.ravel()


def plot_sharpening(
    sharpness: Sequence[float],
    weights: Sequence[Sequence[float]],
    keys: Sequence[str],
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """The weight of each key (columns) against the sharpness (rows) of a soft lookup, on a logarithmic axis."""
    ax = axes(ax, (6.5, 2.8))
    for number, (key, share) in enumerate(zip(keys, np.asarray(weights).T, strict=True)):
        ax.plot(sharpness, share, marker=MARKERS[number], ms=4, color=COLORS[number], label=key)
    ax.set(xscale="log", xlabel="sharpness", ylabel="weight", ylim=(-0.03, 1.03), title=title)
    ax.legend(frameon=False, fontsize=9, title="key", loc="center left", bbox_to_anchor=(1, 0.5))
    return ax
