"""How finished trainings compare: a row for each variant, a dot for each seed."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from utils.plotting.style import BLUE, COLORS, GREEN, GREY, MARKERS, ORANGE, axes


def plot_runs(
    runs: Mapping[str, Sequence[float]],
    title: str = "",
    ax: Axes | None = None,
    xlabel: str = "validation accuracy (%): a dot for each seed, a bar at the mean",
) -> Axes:
    """Accuracies (shares) of several variants: a dot for each seed, a bar at their mean."""
    ax = axes(ax, (6.5, 0.42 * len(runs) + 1.1))
    for row, shares in enumerate(runs.values()):
        percent = 100 * np.asarray(shares)
        spread = np.linspace(-0.15, 0.15, len(percent)) if len(percent) > 1 else [0]
        ax.plot(percent, row + np.asarray(spread), "o", color=COLORS[0], alpha=0.7, markersize=6)
        ax.plot([percent.mean()] * 2, [row - 0.3, row + 0.3], color=COLORS[5], linewidth=3)
        ax.annotate(f"{percent.mean():.2f}", (percent.mean(), row - 0.32), ha="center", va="bottom", fontsize=8)
    ax.set(yticks=range(len(runs)), yticklabels=runs, ylim=(len(runs) - 0.5, -0.75))
    ax.set(xlabel=xlabel, title=title)
    ax.margins(x=0.08)
    return ax


def plot_heads(seen: Mapping[str, Sequence[float]], even: float, title: str = "", ax: Axes | None = None) -> Axes:
    """To how many characters each head listens: {layer: a number for each head}. `even`: for equal weights."""
    ax = axes(ax, (6.5, 0.5 * len(seen) + 1.3))
    for row, (heads, color, marker) in enumerate(zip(seen.values(), COLORS, MARKERS, strict=False)):
        ax.plot(heads, [row] * len(heads), marker, color=color, ms=9, alpha=0.7, mec="black")
    ax.axvline(even, color="black", ls="--", lw=1)
    ax.annotate(
        "all alike", (even, 1), (-3, -2), ("data", "axes fraction"), "offset points", ha="right", va="top", fontsize=9
    )
    ax.set(yticks=range(len(seen)), yticklabels=seen, ylim=(len(seen) - 0.5, -0.6), xscale="log", title=title)
    ticks = [1, 2, 5, 10, 20, 50, 100]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.set(xlabel="characters that a head listens to ($e^{entropy}$), a mark for each head", xlim=(0.95, 1.3 * even))
    return ax


def plot_bits(
    models: Mapping[str, Sequence[float]],
    title: str = "",
    levels: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Bits per character of several models, one row each: a dot for each seed, and their mean in figures.

    The axis begins just below the smallest. `levels` are values to compare with, as dashed lines.
    """
    levels = levels or {}
    ax = axes(ax, (6.5, 0.3 * len(models) + 1.1))
    smallest = min(min(bits) for bits in [*models.values(), list(levels.values()) or [np.inf]])
    largest = max(max(bits) for bits in models.values())
    left = np.floor(10 * smallest - 1) / 10
    for row, (name, bits) in enumerate(models.items()):
        color = ORANGE if "LSTM" in name else BLUE
        height = row + (np.linspace(-0.16, 0.16, len(bits)) if len(bits) > 1 else np.zeros(1))
        ax.hlines(row, left, np.mean(bits), color=color, lw=2, alpha=0.4)
        ax.plot(bits, height, "o", color=color, ms=6, alpha=0.8)
        ax.annotate(
            f"{np.mean(bits):.2f}", (max(bits), row), (7, 0), textcoords="offset points", va="center", fontsize=9
        )
    for name, level in levels.items():
        ax.axvline(level, color=GREY, ls="--", lw=1)
        ax.annotate(name, (level, 1), (3, -2), ("data", "axes fraction"), "offset points", va="top", fontsize=8)
    ax.set(yticks=range(len(models)), yticklabels=models, ylim=(len(models) - 0.4, -0.9 if levels else -0.5))
    ax.set_xlim(left, largest + 0.12 * (largest - left) + 0.02)
    ax.set(xlabel="validation loss (bits per character)", title=title)
    return ax


def plot_by_digit(shares: Sequence[float], title: str = "", ax: Axes | None = None) -> Axes:
    """The share of right answers for each digit, 0 to 9."""
    ax = axes(ax, (6.5, 2.8))
    bars = ax.bar(range(len(shares)), [100 * share for share in shares])
    ax.bar_label(bars, [f"{100 * share:.0f}" for share in shares], padding=2, fontsize=9)
    ax.set(xticks=range(len(shares)), xlabel="true digit", ylabel="accuracy (%)", ylim=(0, 108), title=title)
    return ax


def plot_strengths(
    rows: Mapping[str, Mapping[str, float | Sequence[float]]], title: str = "", ax: Axes | None = None
) -> Axes:
    """How well a property is told, 0 (chance) to 1 (perfectly): a row for each property, a marker for each reader.

    Args:
        rows: {property: {reader: strength, or several of them, drawn as small dots}}.
        title: what to see.
        ax: where to draw; new axes if None.
    """
    ax = axes(ax, (6.5, 0.75 * len(rows) + 1.7))
    readers = list(dict.fromkeys(reader for row in rows.values() for reader in row))
    for (reader, marker), color in zip(
        zip(readers, MARKERS, strict=False), [ORANGE, BLUE, GREEN, *COLORS[3:]], strict=False
    ):
        for height, row in enumerate(rows.values()):
            values = np.atleast_1d(row[reader])
            place = height + 0.12 * (readers.index(reader) - (len(readers) - 1) / 2)
            many = len(values) > 1
            ax.plot(values, [place] * len(values), "." if many else marker, color=color, ms=5 if many else 8,
                    alpha=0.5 if many else 1, label=reader if height == 0 else None)  # fmt: skip
    ax.set(yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.4, -0.6), xlim=(-0.02, 1.02))
    ax.set(xlabel="strength: 0 is chance, 1 tells every place apart", title=title)
    ax.grid(axis="x", alpha=0.3)
    ax.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.45, -0.13))
    return ax
