"""One quantity along an axis: the loss step by step, races between models, paths and influence by distance."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from utils.plotting.style import COLORS, GREY, MARKERS, axes, draw_levels
from utils.training import LearningCurve


def plot_losses(
    curves: Mapping[str, Sequence[float]],
    levels: Mapping[str, float] | None = None,
    title: str = "",
    log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """The loss of every step, one curve a name; `levels` are values to compare with, as dashed lines."""
    ax = axes(ax, (6.5, 3))
    for name, losses in curves.items():
        ax.plot(range(1, len(losses) + 1), losses, label=name)
    draw_levels(ax, levels or {})
    ax.set(xlabel="step", ylabel="loss (nats)", title=title, yscale="log" if log else "linear")
    if len(curves) > 1:
        ax.legend(frameon=False)
    return ax


def plot_training(
    curves: Mapping[str, Sequence[float]],
    levels: Mapping[str, float] | None = None,
    title: str = "",
    ax: Axes | None = None,
    *,
    unseen: Mapping[str, float] | None = None,
) -> Axes:
    """Bits per character of every step, faintly, and the mean of the last 20; `levels` as dashed lines.

    The loss of a step is that before it, so the first one stands at 0 steps taken. `unseen` has the loss on other
    text that a curve ended with: a dot after its last step.
    """
    ax = axes(ax, (6.5, 3))
    for name, bits in curves.items():
        taken = np.arange(len(bits))
        sums = np.concatenate([[0.0], np.cumsum(bits)])
        first = np.maximum(taken + 1 - 20, 0)  # of those that the mean is over
        (line,) = ax.plot(taken, (sums[taken + 1] - sums[first]) / (taken + 1 - first), label=name)
        ax.plot(taken, bits, color=line.get_color(), alpha=0.3, lw=0.7)
        if unseen and name in unseen:
            ax.plot(len(bits), unseen[name], "o", color=line.get_color(), mec="black", label=f"{name}, unseen text")
    draw_levels(ax, levels or {})
    ax.set(xlabel="steps taken", ylabel="bits per character, in training", title=title)
    if len(curves) > 1 or unseen:
        ax.legend(frameon=False, fontsize=9)
    return ax


def plot_reading(
    curves: Mapping[str, LearningCurve],
    levels: Mapping[str, float] | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Bits per character on the validation text against millions of characters read; `levels` as dashed lines."""
    ax = axes(ax, (6.5, 3))
    for (name, curve), marker in zip(curves.items(), MARKERS, strict=False):
        ax.plot(np.asarray(curve.tokens) / 1e6, curve.bits, marker=marker, ms=5, label=name)
    draw_levels(ax, levels or {})
    ax.set(xlabel="characters read, in millions", ylabel="bits per character (validation)", title=title)
    if len(curves) > 1:
        ax.legend(frameon=False, fontsize=9)
    return ax


def plot_race(
    curves: Mapping[str, Sequence[LearningCurve]], levels: Mapping[str, float] | None = None, title: str = ""
) -> np.ndarray:
    """Bits per character against tokens (left) and against seconds (right): a line for each seed, a dot at its end.

    A name is a model, or a model and what is special about its runs, as in "LSTM, equal seconds". Each model has a
    colour, and its further entries are dashed. `levels` are values to compare with, as dashed lines. Returns both axes.
    """
    figure, panels = plt.subplots(1, 2, figsize=(7.6, 3.4), sharey=True, layout="constrained")
    models = list(dict.fromkeys(name.partition(",")[0] for name in curves))
    drawn: list[str] = []
    for name, seeds in curves.items():
        model = name.partition(",")[0]
        at = models.index(model)
        style = {"color": COLORS[at], "lw": 1.2, "ls": "--" if model in drawn else "-"}
        drawn.append(model)
        for number, curve in enumerate(seeds):
            label = name if number == 0 else None
            for ax, amounts in zip(panels, (np.asarray(curve.tokens) / 1000, curve.seconds), strict=True):
                ax.plot(amounts, curve.bits, label=label, **style)
                ax.plot(amounts[-1], curve.bits[-1], MARKERS[at], color=COLORS[at], mec="black", ms=6)
    for ax in panels:
        draw_levels(ax, levels or {})
    panels[0].set(xlabel="training characters, in thousands", ylabel="bits per character (validation)")
    panels[1].set(xlabel="training time (s), validation not counted")
    panels[0].legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 0.08))  # above the levels
    figure.suptitle(title, x=0.01, ha="left")
    return panels


def plot_scores_by_distance(scores: Mapping[str, Sequence[float]], title: str = "", ax: Axes | None = None) -> Axes:
    """Attention scores against the distance 0, 1, 2, … between query and key: the first as a line, others as marks."""
    ax = axes(ax, (6.5, 2.8))
    for number, (name, values) in enumerate(scores.items()):
        style = "-" if number == 0 else MARKERS[number - 1]
        ax.plot(range(len(values)), values, style, ms=7 - 3 * number, mfc="none", color=COLORS[number], label=name)
    ax.set(xlabel="distance from query to key, in positions", ylabel="score", title=title)
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize=9)
    return ax


def plot_path_lengths(
    lengths: Mapping[str, Sequence[float]], mark: int | None = None, title: str = "", ax: Axes | None = None
) -> Axes:
    """Steps on the shortest path against the distance 0, 1, 2, … between two words, one line for each name.

    Infinite lengths are left out. `mark` draws a line at the distance that the text speaks of.
    """
    ax = axes(ax, (7.4, 3.0))
    for (name, values), marker in zip(lengths.items(), MARKERS, strict=False):
        finite = [(distance, value) for distance, value in enumerate(values) if np.isfinite(value)]
        ax.plot(*zip(*finite, strict=True), marker=marker, ms=4, label=name)
    if mark is not None:
        ax.axvline(mark, color=GREY, ls=":", lw=1)
        ax.annotate("it → animal", (mark, ax.get_ylim()[1]), ha="right", va="top", rotation=90, fontsize=8)
    ax.set(xlabel="distance between two words, in positions", ylabel="steps on the path", title=title)
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def plot_fade(
    curves: Mapping[str, Tensor],
    title: str = "",
    floor: float = 1e-8,
    ax: Axes | None = None,
    legend: bool = True,
    ylabel: str = "influence",
) -> Axes:
    """Influence against distance: for each name a tensor (seeds, distances); median, and a band from 10 to 90 %.

    What is nothing, or below `floor`, is not drawn.
    """
    ax = axes(ax, (6.5, 3.2))
    for (name, values), style in zip(curves.items(), ("-", "--", ":", "-."), strict=False):
        values = np.asarray(values.detach())
        low, middle, high = (np.quantile(values, share, axis=0) for share in (0.1, 0.5, 0.9))
        seen = middle > floor
        distances = np.arange(values.shape[1])[seen]
        (line,) = ax.plot(distances, middle[seen], style, lw=1.8, label=name)
        ax.fill_between(distances, low[seen].clip(min=floor), high[seen], color=line.get_color(), alpha=0.2, lw=0)
    ax.set(yscale="log", xlabel="distance, in positions", ylabel=ylabel, title=title)
    if legend:
        ax.legend(frameon=False, fontsize=8)
    return ax


def plot_by_shift(
    curves: Mapping[str, Sequence[Sequence[float]]],
    title: str = "",
    chance: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Accuracy (a share) against how many pixels the images are moved: {model: {a row for each seed: 0, 1, … pixels}}.

    A line goes through the means, each seed is a dot. `chance` is what guessing gives.
    """
    ax = axes(ax, (6.5, 3.4))
    for (name, seeds), marker in zip(curves.items(), MARKERS, strict=False):
        percent = 100 * np.asarray(seeds)  # (seeds, shifts)
        shifts = np.arange(percent.shape[1])
        (line,) = ax.plot(shifts, percent.mean(0), marker=marker, ms=5, label=name)
        for row in percent:
            ax.plot(shifts, row, ".", color=line.get_color(), alpha=0.5, ms=5)
    draw_levels(ax, {} if chance is None else {"guessing": 100 * chance})
    ax.set(xlabel="images moved by … pixels", ylabel="accuracy (%)", xticks=shifts, ylim=(0, 104), title=title)
    ax.legend(frameon=False, fontsize=9)
    ax.grid(axis="y", alpha=0.3)
    return ax
