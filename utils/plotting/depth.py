"""Depth: what is left of a gradient after so many layers, the paths of a stack with skips, networks by year."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from utils.plotting.style import BLUE, COLORS, GREY, MARKERS, ORANGE, axes


def plot_gradients(
    ratios: Mapping[str, Mapping[int, Sequence[float]]], title: str = "", floor: float = 1e-12, ax: Axes | None = None
) -> Axes:
    """Gradient norm at the bottom, with 1 at the top: {kind of network: {layers: one number for each seed}}.

    A line goes through the geometric means, a band from the least to the largest. The picture ends at `floor`.
    """
    ax = axes(ax, (7, 3.8))
    ax.axhline(1, color="black", ls=":", lw=1)
    for (name, by_depth), marker, color in zip(ratios.items(), MARKERS, COLORS, strict=False):
        depths, seeds = list(by_depth), np.asarray(list(by_depth.values()))  # (depths, seeds)
        ax.plot(depths, np.exp(np.log(seeds).mean(1)), marker=marker, ms=5, color=color, label=name)
        ax.fill_between(depths, seeds.min(1), seeds.max(1), color=color, alpha=0.25, lw=0)
    ax.set(xscale="log", yscale="log", title=title, xlabel="3×3 layers")
    ax.set_ylim(bottom=floor)
    ax.set_ylabel("gradient norm below the first block,\nrelative to that above the last")
    depths = sorted({depth for by_depth in ratios.values() for depth in by_depth})
    ax.set_xticks(depths, [str(depth) for depth in depths])
    ax.xaxis.minorticks_off()
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    ax.grid(axis="y", alpha=0.3)
    return ax


def plot_profile(norms: Sequence[float], title: str = "", ax: Axes | None = None) -> Axes:
    """The gradient's norm after 0, 2, 4, … layers from the bottom, with 1 at the top."""
    ax = axes(ax, (6.5, 3.0))
    layers = 2 * np.arange(len(norms))
    ax.axhline(1, color="black", ls=":", lw=1)
    ax.plot(layers, norms, "o-", ms=3, color=BLUE)
    low, high = min(min(norms), 1e-2), max(max(norms), 1e2)
    ax.set(yscale="log", ylim=(low / 3, high * 3), title=title)
    ax.set(xlabel="layers below this place (the loss is at the right)", ylabel="gradient norm, top = 1")
    ax.grid(axis="y", alpha=0.3)
    return ax


def plot_paths_and_shares(counts: Sequence[int], shares: Mapping[str, Sequence[float]], title: str = "") -> np.ndarray:
    """Left the number of paths through 0, 1, 2, … branches, right the part of the gradient that they carry.

    `shares` are norms of those parts relative to the norm of the whole, one list for each network. Returns both axes.
    """
    figure, panels = plt.subplots(1, 2, figsize=(7.6, 3.1), layout="constrained")
    panels[0].bar(range(len(counts)), counts, color=GREY)
    panels[0].set(ylabel="paths", xlabel="branches on the path")
    for (name, values), marker, color in zip(shares.items(), MARKERS, (ORANGE, BLUE), strict=False):
        panels[1].plot(range(len(values)), values, marker=marker, ms=4, color=color, label=name)
    panels[1].set(xlabel="branches on the path", yscale="log")
    panels[1].set_ylabel("norm of their gradient,\nrelative to the whole")
    panels[1].legend(frameon=False, fontsize=9)
    panels[1].grid(axis="y", alpha=0.3)
    figure.suptitle(title, x=0.01, ha="left")
    return panels


def plot_block_costs(costs: Mapping[str, tuple[int, int]], title: str = "") -> np.ndarray:
    """Parameters (left) and multiply-adds (right) of several blocks, a bar each. Returns both axes."""
    figure, panels = plt.subplots(1, 2, figsize=(7.6, 0.36 * len(costs) + 1.2), sharey=True, layout="constrained")
    for ax, which, label in zip(
        panels, (0, 1), ("parameters, in thousands", "multiply-adds, in millions"), strict=True
    ):
        values = [one[which] / (1e3, 1e6)[which] for one in costs.values()]
        bars = ax.barh(list(costs), values, color=(BLUE, ORANGE)[which])
        ax.bar_label(bars, [f"{value:,.0f}" for value in values], padding=3, fontsize=8)
        ax.set(xlabel=label)
        ax.margins(x=0.22)
    panels[0].invert_yaxis()
    figure.suptitle(title, x=0.01, ha="left")
    return panels


class Trained(NamedTuple):
    """A network of a family: what it costs and what it reached, an accuracy (a share) for each seed."""

    parameters: int
    multiply_adds: int
    field: int | None  # side in pixels; None for the whole image
    accuracies: Sequence[float]


def plot_lineage(networks: Mapping[str, Trained], title: str = "", ax: Axes | None = None) -> Axes:
    """Accuracy against multiply-adds, a marker for each network, a dot for each seed; the legend names the fields.

    Both axes are logarithmic, the upright one in the errors.
    """
    ax = axes(ax, (7.4, 3.8))
    for (name, one), marker, color in zip(networks.items(), MARKERS, COLORS, strict=False):
        errors = 100 - 100 * np.asarray(one.accuracies)
        seen = "the whole image" if one.field is None else f"{one.field} pixels"
        ax.plot(one.multiply_adds, errors.mean(), marker, color=color, ms=9, zorder=3, label=f"{name}, sees {seen}")
        ax.plot([one.multiply_adds] * len(errors), errors, ".", color=color, alpha=0.6, ms=5)
    ax.set(xscale="log", yscale="log", xlabel="multiply-adds of one image", title=title)
    ax.set_ylabel("validation accuracy (%)\nlogarithmic in the errors")
    ticks, levels = [300_000, 500_000, 1_000_000, 2_000_000, 4_000_000], [50, 80, 90, 95, 98, 99]
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks], fontsize=8)
    ax.set_yticks([100 - level for level in levels], [str(level) for level in levels])
    ax.minorticks_off()
    ax.invert_yaxis()  # fewer errors above
    ax.margins(x=0.1)
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax
