"""Gradients through time: norms and contributions by gap, the wall of a loss, recall against the gap."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from utils.plotting.style import COLORS, GREY, MARKERS, axes

LINES = ("-", "--", ":", "-.")


def plot_norms(
    curves: Mapping[str, Tensor],
    title: str = "",
    level: float | None = 0.01,
    ylabel: str = "norm of the Jacobian",
    xlabel: str = "gap k, in steps",
    floor: float = 1e-8,
    ax: Axes | None = None,
) -> Axes:
    """Norms against the gap, one line a name: (gaps,), or (networks, gaps), of which the median is drawn, in a band.

    The band holds all networks. `level` is drawn as a dashed line; what is below `floor` is cut off.
    """
    ax = axes(ax, (6.5, 3.2))
    for number, (name, values) in enumerate(curves.items()):
        rows = np.atleast_2d(np.asarray(values, dtype=float))
        gaps, color = np.arange(rows.shape[1]), COLORS[number % len(COLORS)]
        ax.plot(gaps, np.median(rows, 0).clip(floor / 10), LINES[number % 4], color=color, lw=1.8, label=name)
        if len(rows) > 1:
            ax.fill_between(
                gaps, rows.min(0).clip(floor / 10), rows.max(0).clip(floor / 10), color=color, alpha=0.2, lw=0
            )
    if level is not None:
        ax.axhline(level, color="black", ls="--", lw=1)
        ax.annotate(
            f"{level:.0%}", (1, level), (-2, 3), ("axes fraction", "data"), "offset points", ha="right", fontsize=9
        )
    ax.set(yscale="log", xlabel=xlabel, ylabel=ylabel, title=title)
    ax.set_ylim(bottom=floor)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    if len(curves) > 1:
        ax.legend(frameon=False, fontsize=8)
    return ax


def plot_contributions(curves: Mapping[str, Sequence[float]], title: str = "", ax: Axes | None = None) -> Axes:
    """How long each step's term of a gradient is, in per cent of the sum of all lengths, against how far back it is."""
    ax = axes(ax, (6.5, 3.0))
    for (name, values), marker in zip(curves.items(), MARKERS, strict=False):
        shares = 100 * np.asarray(values, dtype=float) / np.sum(values)
        ax.plot(np.arange(len(shares)), shares.clip(1e-6), marker=marker, ms=4, lw=1.4, label=name)
    ax.set(yscale="log", xlabel="steps back from the loss", ylabel="share of the lengths (%)", title=title)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    if len(curves) > 1:
        ax.legend(frameon=False, fontsize=9)
    return ax


def plot_wall(
    biases: Tensor, losses: Tensor, paths: Mapping[str, tuple[Sequence[float], Sequence[float]]], title: str = ""
) -> np.ndarray:
    """A loss with a wall, and the steps of gradient descent on it: {name: (biases, losses)}, a panel each."""
    figure, panels = plt.subplots(1, len(paths), figsize=(7.6, 3.0), sharey=True, layout="constrained", squeeze=False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    for ax, (name, (places, values)), color in zip(
        panels.flat, paths.items(), (COLORS[5], COLORS[0]) * len(paths), strict=False
    ):
        ax.plot(biases, losses, color=GREY, lw=1.5)
        ax.plot(places, values, "o-", color=color, ms=4, lw=0.8, alpha=0.8)
        ax.plot(places[0], values[0], "s", color="black", ms=6)
        ax.set(title=name, xlabel="bias b", xlim=(float(biases[0]), float(biases[-1])))
    panels.flat[0].set_ylabel("loss")
    return panels


def plot_recall(
    results: Mapping[str, Mapping[int, Sequence[float]]],
    title: str = "",
    horizons: Mapping[str, float] | None = None,
    guessing: float = 0.25,
    ax: Axes | None = None,
) -> Axes:
    """Accuracy of delayed recall against the gap: {name: {gap: a share for each seed}}. Lines go through the medians.

    `horizons` are drawn as dotted lines upright, in the colour of their name.
    """
    ax = axes(ax, (6.8, 3.4))
    for number, (name, by_gap) in enumerate(results.items()):
        gaps, color = sorted(by_gap), COLORS[number % len(COLORS)]
        medians = [100 * np.median(by_gap[gap]) for gap in gaps]
        ax.plot(gaps, medians, LINES[number % 4], marker=MARKERS[number], ms=5, color=color, label=name)
        for gap in gaps:
            aside = gap * 1.015 ** (number - 1)  # dots of one gap stand side by side
            ax.plot([aside] * len(by_gap[gap]), 100 * np.asarray(by_gap[gap]), ".", color=color, alpha=0.5)
        if horizons and name in horizons:
            ax.axvline(horizons[name], color=color, ls=":", lw=1.5)
    ax.axhline(100 * guessing, color="black", ls="--", lw=1)
    ax.annotate("guessing", (0, 100 * guessing), (4, 3), ("axes fraction", "data"), "offset points", fontsize=9)
    ticks = sorted({gap for by_gap in results.values() for gap in by_gap})
    ax.set(xscale="log", xlabel="gap, in steps", ylabel="recalled (%)", ylim=(0, 104), title=title)
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.xaxis.minorticks_off()
    ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    ax.grid(axis="y", alpha=0.3)
    return ax


def plot_recalls(
    panels: Mapping[str, Mapping[str, Mapping[int, Sequence[float]]]],
    title: str = "",
    horizons: Mapping[str, float] | None = None,
) -> np.ndarray:
    """Several of `plot_recall` side by side, {title: results}, on one scale and with one legend."""
    figure, axs = plt.subplots(1, len(panels), figsize=(9, 3.4), sharey=True, sharex=True, layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    for number, (ax, (name, results)) in enumerate(zip(np.atleast_1d(axs), panels.items(), strict=True)):
        plot_recall(results, name, horizons, ax=ax)
        ax.get_legend().remove()
        if number:
            ax.set_ylabel("")
    figure.legend(*np.atleast_1d(axs)[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    return np.atleast_1d(axs)
