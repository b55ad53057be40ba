"""Loss against visible context, and the horizons that are read off it."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from utils.plotting.style import COLORS, GREY, MARKERS, axes, draw_levels
from utils.reach import Excess, Horizon

LEAST = 1e-3  # bits: differences below this are drawn as if they were this large


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
    curves: Mapping[str, Excess], tolerance: float | None = None, title: str = "", ax: Axes | None = None
) -> Axes:
    """What is lost when only the last k characters are known, on a logarithmic axis, with a band of one standard error.

    A hollow marker stands where the excess is smaller than its standard error: nothing is left to see there.
    """
    ax = axes(ax, (6.5, 3.8))
    for (name, excess), color, marker in zip(curves.items(), COLORS, MARKERS, strict=False):
        bits, spread = np.asarray(excess.bits), np.asarray(excess.spread)
        drawn, seen = np.maximum(bits, LEAST), bits > np.maximum(spread, LEAST)
        ax.plot(excess.lengths, drawn, color=color, lw=1.2, alpha=0.8)
        ax.fill_between(
            excess.lengths, np.maximum(bits - spread, LEAST), np.maximum(bits + spread, LEAST), color=color, alpha=0.2,
            lw=0,
        )  # fmt: skip
        lengths = np.asarray(excess.lengths)
        ax.plot(lengths[seen], drawn[seen], marker, color=color, ms=5, label=name)
        ax.plot(lengths[~seen], drawn[~seen], marker, color=color, mfc="white", ms=5)
    if tolerance is not None:
        draw_levels(ax, {"tolerance": tolerance})
    ticks = _powers_of_two(next(iter(curves.values())).lengths)
    ax.set(xscale="log", yscale="log", ylim=(0.8 * LEAST, None), title=title)
    ax.set(xlabel="true characters visible (k)", ylabel="bits per character more than with all of them")
    ax.set_xticks(ticks, [str(k) for k in ticks])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize=9)
    return ax


def _powers_of_two(lengths: Sequence[int]) -> list[int]:
    return [k for k in lengths if k & (k - 1) == 0]
