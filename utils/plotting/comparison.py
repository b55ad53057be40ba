"""The figures of lesson 11: races, horizons, costs against length, attention, what pre-training buys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from utils.notebook import COLORS
from utils.reach import Horizon

MARKERS = "os^dvP"


@dataclass(frozen=True)
class Run:
    """Bits per character on the validation text, against what training had used up by then."""

    tokens: Sequence[float]
    seconds: Sequence[float]
    bits: Sequence[float]


def _axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    return ax if ax is not None else plt.subplots(figsize=size, layout="constrained")[1]


def plot_race(
    runs: Mapping[str, Sequence[Run]], levels: Mapping[str, float] | None = None, title: str = ""
) -> np.ndarray:
    """Bits per character against tokens (left) and against seconds (right): a line for each seed.

    `levels` are values to compare with, as dashed lines. Returns both axes.
    """
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.4), sharey=True, layout="constrained")
    for (name, seeds), color, marker in zip(runs.items(), COLORS, MARKERS, strict=False):
        for number, run in enumerate(seeds):
            style = {"color": color, "marker": marker, "ms": 4, "lw": 1.2, "label": name if number == 0 else None}
            axes[0].plot(np.asarray(run.tokens) / 1000, run.bits, **style)
            axes[1].plot(run.seconds, run.bits, **style)
    for ax in axes:
        for name, level in (levels or {}).items():
            ax.axhline(level, color="black", linestyle="--", linewidth=1)
            ax.annotate(name, (1, level), (-2, 3), ("axes fraction", "data"), "offset points", ha="right", fontsize=8)
    axes[0].set(xlabel="training characters, in thousands", ylabel="bits per character (validation)")
    axes[1].set(xlabel="training time (s), validation not counted")
    axes[1].legend(frameon=False, fontsize=9)
    figure.suptitle(title, x=0.01, ha="left")
    return axes


def plot_budgets(budgets: Mapping[str, Mapping[str, Sequence[float]]], title: str = "", ax: Axes | None = None) -> Axes:
    """Bits at the end of training: for each budget a row for each model, a dot for each seed, a bar at the mean."""
    rows = [(budget, model) for budget, models in budgets.items() for model in models]
    ax = _axes(ax, (6.5, 0.45 * len(rows) + 1.1))
    colors = dict(zip(dict.fromkeys(model for _, model in rows), COLORS, strict=False))
    for row, (budget, model) in enumerate(rows):
        bits = np.asarray(budgets[budget][model])
        ax.plot(bits, np.full(len(bits), row), "o", color=colors[model], alpha=0.8)
        ax.plot([bits.mean()] * 2, [row - 0.3, row + 0.3], color="black", lw=2)
        ax.annotate(f"{bits.mean():.2f}", (bits.mean(), row - 0.32), ha="center", va="bottom", fontsize=8)
    ax.set(yticks=range(len(rows)), yticklabels=[f"{budget}: {model}" for budget, model in rows])
    ax.set(ylim=(len(rows) - 0.5, -0.75), xlabel="bits per character: a dot for each seed, a bar at the mean")
    ax.set_title(title)
    ax.margins(x=0.08)
    return ax


def plot_horizons(
    horizons: Mapping[str, Sequence[Horizon]], mark: int | None = None, title: str = "", ax: Axes | None = None
) -> Axes:
    """Loss against visible context: a line for each seed, a band of one standard error, a dot at each horizon.

    `mark` draws a line at the length that the models were trained with.
    """
    ax = _axes(ax, (6.5, 3.6))
    for (name, seeds), color, marker in zip(horizons.items(), COLORS, MARKERS, strict=False):
        for number, seed in enumerate(seeds):
            bits, spread = np.asarray(seed.bits), np.asarray(seed.spread)
            ax.plot(seed.lengths, bits, color=color, lw=1.2, label=name if number == 0 else None)
            ax.fill_between(seed.lengths, bits - spread, bits + spread, color=color, alpha=0.12, lw=0)
            at = seed.lengths.index(seed.horizon)
            ax.plot(seed.horizon, bits[at], marker, color=color, ms=8, mec="black")
    if mark is not None:
        ax.axvline(mark, color="#57606a", ls=":", lw=1)
        ax.annotate("trained with", (mark, 1), (-3, -2), ("data", "axes fraction"), "offset points", **_UP)
    lengths = next(iter(horizons.values()))[0].lengths
    ax.set_xscale("log", base=2)
    ax.set_xticks(lengths, lengths)
    ax.set(xlabel="visible characters k", ylabel="bits per character", title=title)
    ax.legend(frameon=False, fontsize=9)
    return ax


_UP = {"rotation": 90, "ha": "right", "va": "top", "fontsize": 8}


def slope(lengths: Sequence[float], values: Sequence[float]) -> float:
    """The exponent p of the power law value = a · length^p that fits best (least squares of the logarithms)."""
    return float(np.polyfit(np.log(lengths), np.log(values), 1)[0])


def plot_costs(
    costs: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    ylabel: str,
    title: str = "",
    last: int = 3,
    ax: Axes | None = None,
) -> Axes:
    """Costs against length on two logarithmic axes: for each name (lengths, values).

    The legend gives the exponent of the last `last` points; it is their slope in the figure.
    """
    ax = _axes(ax, (6.5, 3.4))
    for (name, (lengths, values)), marker in zip(costs.items(), MARKERS, strict=False):
        power = round(slope(lengths[-last:], values[-last:]), 2) + 0.0  # never "-0.00"
        ax.plot(lengths, values, marker=marker, ms=5, label=f"{name}: slope {power:.2f}")
    ticks = sorted({length for lengths, _ in costs.values() for length in lengths})
    ax.set(xscale="log", yscale="log", xlabel="length n, in characters", ylabel=ylabel, title=title)
    ax.set_xticks(ticks, ticks)
    ax.xaxis.minorticks_off()
    ax.legend(frameon=False, fontsize=9)
    ax.grid(alpha=0.3)
    return ax


def crossing(lengths: Sequence[float], one: Sequence[float], other: Sequence[float]) -> float:
    """The length where the first cost overtakes the second, between two measured ones; nan where it never does."""
    ahead, logs = np.log(np.asarray(one) / np.asarray(other)), np.log(lengths)
    for i in range(len(logs) - 1):
        if ahead[i] < 0 <= ahead[i + 1]:
            share = ahead[i] / (ahead[i] - ahead[i + 1])
            return float(np.exp(logs[i] + share * (logs[i + 1] - logs[i])))
    return float("nan")


def plot_attention(
    weights: Tensor, characters: str, title: str = "", row: int | None = None, ax: Axes | None = None
) -> Axes:
    """Who looks at whom: weights (T, T) of one head. `row` is framed."""
    ax = _axes(ax, (4.2, 4.0))
    ax.imshow(weights.detach().numpy(), cmap="Blues", vmin=0, vmax=1)
    labels = [{"\n": "⏎", " ": "␣"}.get(character, character) for character in characters]
    ax.set_xticks(range(len(labels)), labels, fontsize=7)
    ax.set_yticks(range(len(labels)), labels, fontsize=7)
    if row is not None:
        frame = plt.Rectangle((-0.5, row - 0.5), len(labels), 1, fill=False, edgecolor=COLORS[5], lw=1.5)
        ax.add_patch(frame)
    ax.set(xlabel="looked at: position j", ylabel="looks: position i")
    ax.set_title(title, fontsize=10)
    ax.spines[:].set_visible(False)
    return ax


def plot_few_labels(
    results: Mapping[str, Mapping[int, Sequence[float]]],
    xlabel: str,
    ylabel: str,
    title: str = "",
    level: tuple[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A score against the number of labels: a line through the means of each start, a dot for each seed.

    `level` names a value to compare with, drawn as a dashed line.
    """
    ax = _axes(ax, (6.5, 3.4))
    if level:
        ax.axhline(level[1], color="black", linestyle="--", linewidth=1, label=level[0])
    for (name, scores), marker in zip(results.items(), MARKERS, strict=False):
        counts = sorted(scores)
        (line,) = ax.plot(counts, [np.mean(scores[count]) for count in counts], marker=marker, ms=5, label=name)
        for count in counts:
            ax.plot([count] * len(scores[count]), scores[count], ".", color=line.get_color(), alpha=0.6)
    ax.set(xscale="log", xlabel=xlabel, ylabel=ylabel, title=title)
    ticks = sorted({count for scores in results.values() for count in scores})
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.xaxis.minorticks_off()
    ax.legend(frameon=False, fontsize=9)
    return ax


def plot_recorded(record: Mapping[str, Mapping[str, Sequence[float]]], title: str = "", ax: Axes | None = None) -> Axes:
    """Bits at the end of whole runs, against the seconds that each was given: {model: {seconds: bits of the seeds}}."""
    ax = _axes(ax, (6.5, 3.4))
    for (name, budgets), marker in zip(record.items(), MARKERS, strict=False):
        seconds = sorted(budgets, key=float)
        means = [np.mean(budgets[s]) for s in seconds]
        (line,) = ax.plot([float(s) for s in seconds], means, marker=marker, ms=5, label=name)
        for s in seconds:
            ax.plot([float(s)] * len(budgets[s]), budgets[s], ".", color=line.get_color(), alpha=0.6)
    ticks = sorted({float(s) for budgets in record.values() for s in budgets})
    ax.set(xscale="log", xlabel="training time of the whole run (s, one core)", ylabel="bits per character")
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.xaxis.minorticks_off()
    ax.set_title(title)
    ax.legend(frameon=False, fontsize=9)
    return ax
