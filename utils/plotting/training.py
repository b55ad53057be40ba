"""What a training run leaves behind: losses, accuracies over seeds, accuracy against size, confusions."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor, nn

from utils.notebook import COLORS


def _axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    return ax if ax is not None else plt.subplots(figsize=size, layout="constrained")[1]


def plot_losses(
    curves: Mapping[str, Sequence[float]],
    levels: Mapping[str, float] | None = None,
    title: str = "",
    log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """The loss of every step, one curve a name; `levels` are values to compare with, as dashed lines."""
    ax = _axes(ax, (6.5, 3))
    for name, losses in curves.items():
        ax.plot(range(1, len(losses) + 1), losses, label=name)
    for name, level in (levels or {}).items():
        ax.axhline(level, color="black", linestyle="--", linewidth=1)
        ax.annotate(name, (1, level), (-2, 3), ("axes fraction", "data"), "offset points", ha="right", fontsize=9)
    ax.set(xlabel="step", ylabel="loss (nats)", title=title, yscale="log" if log else "linear")
    if len(curves) > 1:
        ax.legend(frameon=False)
    return ax


def plot_parameters(model: nn.Sequential, title: str = "", ax: Axes | None = None) -> Axes:
    """How many parameters each layer of the model has, input side at the top."""
    layers = [(type(module).__name__, sum(p.numel() for p in module.parameters())) for module in leaves(model)]
    layers = [(f"{number}. {name}", count) for number, (name, count) in enumerate(layers, start=1) if count]
    ax = _axes(ax, (6.5, 0.34 * len(layers) + 1.1))
    bars = ax.barh(*zip(*layers, strict=True))
    ax.bar_label(bars, [f"{count:,}" for _, count in layers], padding=3, fontsize=9)
    ax.invert_yaxis()
    ax.margins(x=0.12)
    ax.set(xlabel="parameters", title=title)
    return ax


def leaves(model: nn.Module) -> list[nn.Module]:
    """The layers that are made of no other layers, in the order in which they were added."""
    return [module for module in model.modules() if not list(module.children())]


def plot_by_digit(shares: Sequence[float], title: str = "", ax: Axes | None = None) -> Axes:
    """The share of right answers for each digit, 0 to 9."""
    ax = _axes(ax, (6.5, 2.8))
    bars = ax.bar(range(len(shares)), [100 * share for share in shares])
    ax.bar_label(bars, [f"{100 * share:.0f}" for share in shares], padding=2, fontsize=9)
    ax.set(xticks=range(len(shares)), xlabel="true digit", ylabel="accuracy (%)", ylim=(0, 108), title=title)
    return ax


def plot_runs(runs: Mapping[str, Sequence[float]], title: str = "", ax: Axes | None = None) -> Axes:
    """Accuracies (shares) of several variants: a dot for each seed, a bar at their mean."""
    ax = _axes(ax, (6.5, 0.42 * len(runs) + 1.1))
    for row, shares in enumerate(runs.values()):
        percent = 100 * np.asarray(shares)
        spread = np.linspace(-0.15, 0.15, len(percent)) if len(percent) > 1 else [0]
        ax.plot(percent, row + np.asarray(spread), "o", color=COLORS[0], alpha=0.7, markersize=6)
        ax.plot([percent.mean()] * 2, [row - 0.3, row + 0.3], color=COLORS[5], linewidth=3)
        ax.annotate(f"{percent.mean():.2f}", (percent.mean(), row - 0.32), ha="center", va="bottom", fontsize=8)
    ax.set(yticks=range(len(runs)), yticklabels=runs, ylim=(len(runs) - 0.5, -0.75))
    ax.set(xlabel="validation accuracy (%): a dot for each seed, a bar at the mean", title=title)
    ax.margins(x=0.08)
    return ax


def plot_against_parameters(
    families: Mapping[str, Sequence[tuple[int, Sequence[float]]]],
    goal: float | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Validation accuracy against the number of parameters, both on scales of ratios.

    Args:
        families: for each family of models its sizes: (parameters, one accuracy for each seed).
        goal: an accuracy to mark.
        title: what to see.
        ax: where to draw; new axes if None.
    """
    ax = _axes(ax, (6.5, 4))
    for (name, sizes), marker in zip(families.items(), "osD^", strict=False):
        sizes = sorted(sizes)
        errors = [100 - 100 * np.asarray(shares) for _, shares in sizes]
        counts = [count for count, _ in sizes]
        (line,) = ax.plot(counts, [error.mean() for error in errors], marker=marker, label=name)
        for count, error in zip(counts, errors, strict=True):
            ax.plot([count] * len(error), error, ".", color=line.get_color(), alpha=0.6, markersize=5)
    if goal is not None:
        ax.axhline(100 - 100 * goal, color="black", linestyle="--", linewidth=1)
    ticks = [80, 90, 95, 98, 99, 99.5, 99.8]
    ax.set(xscale="log", yscale="log", xlabel="parameters", ylabel="validation accuracy (%)", title=title)
    ax.set_yticks([100 - tick for tick in ticks], labels=ticks)
    ax.yaxis.minorticks_off()
    ax.invert_yaxis()  # fewer errors above
    ax.legend(frameon=False)
    ax.grid(alpha=0.3)
    return ax


def plot_confusion(labels: Tensor, predictions: Tensor, title: str = "", ax: Axes | None = None) -> Axes:
    """How often each true digit was taken for each other one; the right answers are left out."""
    ax = _axes(ax, (4.6, 4.2))
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels.numpy(), predictions.numpy()), 1)
    np.fill_diagonal(counts, 0)
    ax.imshow(counts, cmap="Blues")
    for (true, predicted), count in np.ndenumerate(counts):
        if count:
            color = "white" if count > 0.6 * counts.max() else "black"
            ax.text(predicted, true, count, ha="center", va="center", color=color, fontsize=9)
    ax.set(xticks=range(10), yticks=range(10), xlabel="predicted digit", ylabel="true digit", title=title)
    return ax
