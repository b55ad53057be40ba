"""A result against what it took: parameters, labels, training time, the scale of the weights."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from utils.plotting.style import COLORS, GREY, MARKERS, axes


class Size(NamedTuple):
    """A model of a family: its parameters, an accuracy for each seed, and how it is marked in the figure."""

    parameters: int
    accuracies: Sequence[float]
    label: str = ""
    hollow: bool = False


def plot_against_parameters(
    families: Mapping[str, Sequence[Size]],
    goal: float | None = None,
    title: str = "",
    hollow: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Validation accuracy against the number of parameters. Both axes are logarithmic, the upright one in the errors.

    Args:
        families: for each family of models its sizes.
        goal: an accuracy to mark.
        title: what to see.
        hollow: what the hollow marks have in common, such as "half a pass"; for the legend.
        ax: where to draw; new axes if None.
    """
    ax = axes(ax, (6.5, 4))
    for (name, sizes), marker, color in zip(families.items(), MARKERS, COLORS, strict=False):
        sizes = sorted(sizes)
        means = [100 - 100 * np.mean(size.accuracies) for size in sizes]
        ax.plot([size.parameters for size in sizes], means, color=color, label=name)
        for size, mean in zip(sizes, means, strict=True):
            fill = "white" if size.hollow else color
            ax.plot(size.parameters, mean, marker, mfc=fill, mec=color, zorder=3)
            errors = 100 - 100 * np.asarray(size.accuracies)
            ax.plot([size.parameters] * len(errors), errors, ".", color=color, alpha=0.6, markersize=5)
            ax.annotate(
                size.label, (size.parameters, mean), (6, -13), textcoords="offset points", fontsize=8, color=GREY
            )
    if hollow:
        ax.plot([], [], "o", mfc="white", mec=GREY, label=f"hollow: {hollow}")
    if goal is not None:
        ax.axhline(100 - 100 * goal, color="black", linestyle="--", linewidth=1)
        ax.annotate("goal", (1, 100 - 100 * goal), (-2, 3), ("axes fraction", "data"), "offset points", ha="right")
    ticks = [80, 90, 95, 98, 99, 99.5, 99.8]
    ax.set(xscale="log", yscale="log", xlabel="parameters", title=title)
    ax.set_ylabel("validation accuracy (%)\nlogarithmic in the errors")
    ax.set_yticks([100 - tick for tick in ticks], labels=ticks)
    ax.yaxis.minorticks_off()
    ax.margins(x=0.12)
    ax.invert_yaxis()  # fewer errors above
    ax.legend(frameon=False, loc="lower right")
    ax.grid(alpha=0.3)
    return ax


def plot_against(
    results: Mapping[str, Mapping[float, Sequence[float]]],
    xlabel: str,
    ylabel: str,
    title: str = "",
    level: tuple[str, float] | None = None,
    ax: Axes | None = None,
    below: bool = False,
) -> Axes:
    """Results against an amount, such as labels or seconds: {name: {amount: a result for each seed}}.

    A line goes through the means, each seed is a dot. `level` names a value to compare with, drawn as a dashed line.
    With `below` the names stand under the figure, where many would lie over the curves.
    """
    ax = axes(ax, (6.5, 4.0 if below else 3.4))
    if level:
        ax.axhline(level[1], color="black", linestyle="--", linewidth=1, label=level[0])
    for (name, group), marker in zip(results.items(), MARKERS, strict=False):
        amounts = sorted(group)
        (line,) = ax.plot(amounts, [np.mean(group[amount]) for amount in amounts], marker=marker, ms=5, label=name)
        for amount in amounts:
            ax.plot([amount] * len(group[amount]), group[amount], ".", color=line.get_color(), alpha=0.6)
    ax.set(xscale="log", xlabel=xlabel, ylabel=ylabel, title=title)
    ticks = sorted({amount for group in results.values() for amount in group})
    ax.set_xticks(ticks, [f"{tick:,.12g}" for tick in ticks])
    ax.xaxis.minorticks_off()
    place: dict[str, Any] = dict(loc="upper center", bbox_to_anchor=(0.42, -0.18), ncols=2) if below else {}
    ax.legend(frameon=False, fontsize=8 if below else 9, **place)
    return ax


def plot_spread(
    values: Mapping[float, Sequence[float]], xlabel: str, ylabel: str, title: str = "", ax: Axes | None = None
) -> Axes:
    """{x: one value for each seed} on a logarithmic x axis: every seed as a dot, their medians as a line."""
    ax = axes(ax, (6.5, 3.0))
    for x, of_seeds in values.items():
        ax.plot([x] * len(of_seeds), of_seeds, "o", color=COLORS[0], alpha=0.35, ms=4)
    ax.plot(list(values), [np.median(of_seeds) for of_seeds in values.values()], color=COLORS[5], lw=1.8)
    ax.set(xscale="log", xlabel=xlabel, ylabel=ylabel, title=title)
    ax.set_xticks(list(values), [f"{x:g}" for x in values])
    ax.minorticks_off()
    return ax
