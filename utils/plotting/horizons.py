"""Loss against visible context, and the horizons that are read off it."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from utils.plotting.style import COLORS, GREY, MARKERS, axes, draw_levels
from utils.reach import Horizon

LEAST = 5e-4  # bits: differences below this are drawn as if they were this large


def plot_horizons(curves: Mapping[str, Sequence[Horizon]], title: str = "", ax: Axes | None = None) -> Axes:
    """Bits per character against visible characters: mean of the seeds, a band from the lowest to the highest.

    A triangle on the axis marks each seed's horizon.
    """
    ax = axes(ax, (6.5, 3.8))
    for (name, horizons), marker in zip(curves.items(), MARKERS, strict=False):
        lengths = horizons[0].lengths
        bits = np.array([horizon.bits for horizon in horizons])
        (line,) = ax.plot(lengths, bits.mean(0), marker=marker, ms=4, label=name)
        ax.fill_between(lengths, bits.min(0), bits.max(0), color=line.get_color(), alpha=0.2, lw=0)
        found = [horizon.horizon for horizon in horizons]
        color, on_axis = line.get_color(), ax.get_xaxis_transform()
        ax.plot(found, [0.02] * len(found), "v", color=color, ms=8, alpha=0.6, transform=on_axis, clip_on=False)
    ax.set(xscale="log", xlabel="visible characters (triangles: horizons)", ylabel="bits per character", title=title)
    ticks = _powers_of_two(next(iter(curves.values()))[0].lengths)
    ax.set_xticks(ticks, [str(k) for k in ticks])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize=9)
    return ax


def plot_horizons_by_seed(
    horizons: Mapping[str, Sequence[Horizon]], mark: int | None = None, title: str = "", ax: Axes | None = None
) -> Axes:
    """Loss against visible context: a line for each seed, a band of one standard error, a dot at each horizon.

    `mark` draws a line at the length that the models were trained with.
    """
    ax = axes(ax, (6.5, 3.6))
    for (name, seeds), color, marker in zip(horizons.items(), COLORS, MARKERS, strict=False):
        for number, seed in enumerate(seeds):
            bits, spread = np.asarray(seed.bits), np.asarray(seed.spread)
            ax.plot(seed.lengths, bits, color=color, lw=1.2, label=name if number == 0 else None)
            ax.fill_between(seed.lengths, bits - spread, bits + spread, color=color, alpha=0.12, lw=0)
            at = seed.lengths.index(seed.horizon)
            ax.plot(seed.horizon, bits[at], marker, color=color, ms=8, mec="black")
    if mark is not None:
        ax.axvline(mark, color=GREY, ls=":", lw=1)
        ax.annotate("trained with", (mark, 1), (-3, -2), ("data", "axes fraction"), "offset points",
                    rotation=90, ha="right", va="top", fontsize=8)  # fmt: skip
    lengths = next(iter(horizons.values()))[0].lengths
    ax.set_xscale("log", base=2)
    ax.set_xticks(lengths, [str(k) for k in lengths])
    ax.set(xlabel="visible characters k", ylabel="bits per character", title=title)
    ax.legend(frameon=False, fontsize=9)
    return ax


def plot_horizon_panels(panels: Mapping[str, Mapping[str, Horizon]], title: str = "") -> np.ndarray:
    """Loss against visible context, a panel for each model: {model: {kind of context: horizon}}.

    Bands are one standard error, dots the horizons. Returns the axes.
    """
    figure, both = plt.subplots(1, len(panels), figsize=(3.8 * len(panels), 3.4), sharey=True, layout="constrained")
    both = np.atleast_1d(both)
    for ax, (name, curves) in zip(both, panels.items(), strict=True):
        plot_horizons_by_seed({kind: [horizon] for kind, horizon in curves.items()}, title=name, ax=ax)
        ax.grid(alpha=0.3)
    for ax in both[1:]:
        ax.set_ylabel("")
    figure.suptitle(title, x=0.01, ha="left")
    return both


def plot_excess(
    curves: Mapping[str, Sequence[Horizon]], tolerance: float, title: str = "", ax: Axes | None = None
) -> Axes:
    """How far each loss is above the lowest of its curve, one line for each seed; the tolerance as a dashed line."""
    ax = axes(ax, (6.5, 3.6))
    for (name, horizons), color, marker in zip(curves.items(), COLORS, MARKERS, strict=False):
        for number, horizon in enumerate(horizons):
            above = np.maximum(np.array(horizon.bits) - horizon.best, LEAST)
            label = name if number == 0 else None
            ax.plot(horizon.lengths, above, color=color, marker=marker, ms=4, lw=1.2, alpha=0.8, label=label)
    draw_levels(ax, {"tolerance": tolerance})
    ticks = _powers_of_two(next(iter(curves.values()))[0].lengths)
    ax.set(xscale="log", yscale="log", ylim=(0.8 * LEAST, None), xlabel="visible characters", title=title)
    ax.set_ylabel("bits per character above the best")
    ax.set_xticks(ticks, [str(k) for k in ticks])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize=9)
    return ax


def plot_tolerances(
    curves: Mapping[str, Sequence[Horizon]], tolerances: Sequence[float], title: str = "", ax: Axes | None = None
) -> Axes:
    """The horizon that each tolerance reads off the same curves: a dot for each seed, a line through their medians."""
    ax = axes(ax, (6.5, 3.0))
    for (name, horizons), marker in zip(curves.items(), MARKERS, strict=False):
        found = np.array([[horizon.within(tolerance) for horizon in horizons] for tolerance in tolerances])
        (line,) = ax.plot(tolerances, np.median(found, 1), marker=marker, ms=5, label=name)
        for column in found.T:
            ax.plot(tolerances, column, marker, color=line.get_color(), alpha=0.3, ms=5)
    ax.set(
        xscale="log", yscale="log", xlabel="tolerance (bits per character)", ylabel="horizon (characters)", title=title
    )
    ax.set_xticks(tolerances, [f"{tolerance:g}" for tolerance in tolerances])
    ticks = _powers_of_two(next(iter(curves.values()))[0].lengths)
    ax.set_yticks(ticks, [str(k) for k in ticks])
    ax.minorticks_off()
    ax.legend(frameon=False, fontsize=9)
    return ax


def _powers_of_two(lengths: Sequence[int]) -> list[int]:
    return [k for k in lengths if k & (k - 1) == 0]
