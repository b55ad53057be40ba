"""What a model costs: time, memory and operations against length, parameters by layer and by side."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from torch import nn

from utils.costs import slope
from utils.plotting.style import MARKERS, axes


def plot_costs(
    costs: Mapping[str, Mapping[int, float]],
    ylabel: str,
    title: str = "",
    xlabel: str = "length T, in characters",
    last: int = 3,
    ax: Axes | None = None,
) -> Axes:
    """Costs against length on two logarithmic axes: {name: {length: cost}}.

    The legend gives the exponent of the last `last` points; it is their slope in the figure.
    """
    ax = axes(ax, (6.5, 3.4))
    for (name, by_length), marker in zip(costs.items(), MARKERS, strict=False):
        power = round(slope(dict(list(by_length.items())[-last:])), 2) + 0.0  # never "-0.00"
        ax.plot(list(by_length), list(by_length.values()), marker=marker, ms=5, label=f"{name}: slope {power:.2f}")
    ticks = sorted({length for by_length in costs.values() for length in by_length})
    ax.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel, title=title)
    ax.set_xticks(ticks, [str(length) for length in ticks])
    ax.xaxis.minorticks_off()
    ax.legend(frameon=False, fontsize=9)
    ax.grid(alpha=0.3)
    return ax


def plot_parameter_counts(sides: Sequence[int], counts: Sequence[Mapping[str, int]], ax: Axes | None = None) -> Axes:
    """Parameters against the side of the image, a line for each kind of layer in `counts`."""
    ax = axes(ax)
    for marker, name in zip(MARKERS, counts[0], strict=False):
        ax.loglog(sides, [count[name] for count in counts], marker=marker, label=name, base=10)
    ax.set_xticks(sides, labels=[str(side) for side in sides], minor=False)
    ax.minorticks_off()
    ax.set(xlabel="side of the image, in pixels", ylabel="parameters")
    ax.set_title("Where weights are shared, the size of the image does not matter")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize=9)
    return ax


def plot_parameters(model: nn.Sequential, title: str = "", ax: Axes | None = None) -> Axes:
    """How many parameters each layer of the model has, input side at the top."""
    layers = [(type(module).__name__, sum(p.numel() for p in module.parameters())) for module in _leaves(model)]
    layers = [(f"{number}. {name}", count) for number, (name, count) in enumerate(layers, start=1) if count]
    ax = axes(ax, (6.5, 0.34 * len(layers) + 1.1))
    bars = ax.barh(*zip(*layers, strict=True))
    ax.bar_label(bars, [f"{count:,}" for _, count in layers], padding=3, fontsize=9)
    ax.invert_yaxis()
    ax.margins(x=0.12)
    ax.set(xlabel="parameters", title=title)
    return ax


def _leaves(model: nn.Module) -> list[nn.Module]:
    """The layers that are made of no other layers, in the order in which they were added."""
    return [module for module in model.modules() if not list(module.children())]
