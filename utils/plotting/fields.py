"""Receptive fields as pictures: pyramids seen from the side, fields seen from above, and how they grow."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from utils.plotting.style import BLUE, COLORS, GREY, ORANGE, axes
from utils.reach import Layer, output_sides, receptive_field
from utils.reach.fields import FullLayer, full_layer

PALE = "#b8bec6"  # of the many lines of a pyramid


def plot_pyramid(
    layers: Sequence[Layer],
    title: str = "",
    image: int | None = None,
    unit: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One unit at the top of a stack, seen from the side, and all that reaches it.

    Args:
        layers: (kernel, stride) or (kernel, stride, padding, dilation), input side first.
        title: what to see; the size of the field if empty.
        image: side of the input; padding is then shown hollow. None: an input that is large enough.
        unit: which unit of the last layer. None: the middle one of an image, the first one without.
        ax: where to draw; new axes if None.

    Raises ValueError where the image is too small for the layers.
    """
    layers = [full_layer(layer) for layer in layers]
    fields = [receptive_field(layers[:level]) for level in range(len(layers) + 1)]
    ax = axes(ax, (6.5, 0.8 + 0.5 * len(fields)))
    sides = output_sides(layers, image) if image else None
    cone = _cone(layers, sides, unit)
    first = fields[-1].start + (unit or 0) * fields[-1].jump
    pixels = range(image) if image else range(first, first + fields[-1].size)
    wide = max(len(pixels), *map(len, cone))
    dot = float(np.clip(2400 / wide, 12, 90))
    ax.scatter(list(pixels), [0] * len(pixels), s=dot, marker="s", color="#e4e7eb", zorder=2)
    for level, units in enumerate(cone):
        places = {unit: fields[level].centre + unit * fields[level].jump for unit in units}
        if level:
            below = fields[level - 1]
            lines = [
                [(below.centre + tap * below.jump, level - 1), (places[unit], level)]
                for unit, taps in units.items()
                for tap in taps
            ]
            ax.add_collection(LineCollection(lines, colors=PALE, linewidths=0.6, zorder=1))
        inside = [unit for unit in units if _inside(unit, level, sides)]
        outside = [unit for unit in units if not _inside(unit, level, sides)]
        color = BLUE if level else ORANGE
        ax.scatter([places[unit] for unit in inside], [level] * len(inside), s=dot, marker="s", color=color, zorder=3)
        ax.scatter(
            [places[unit] for unit in outside],
            [level] * len(outside),
            s=dot,
            marker="s",
            facecolors="white",
            edgecolors=color,
            zorder=3,
        )
    ax.set(
        title=title or _title(fields[-1].size, len(cone[0])),
        xlabel="position in the input (pixels)",
        yticks=range(len(fields)),
        yticklabels=["input", *map(_layer_name, range(1, len(fields)), layers)],
        ylim=(-0.4, len(layers) + 0.4),
    )
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return ax


def plot_paths(counts: Tensor, title: str = "", ax: Axes | None = None) -> Axes:
    """Paths from each pixel (W,) to one unit, as bars with their numbers. A cross marks a pixel without any."""
    ax = axes(ax, (6.5, 2.2))
    heights = counts.detach().cpu().numpy().astype(int)
    ax.bar(range(len(heights)), heights, color=BLUE)
    for pixel, count in enumerate(heights):
        ax.text(pixel, count, str(count) if count else "✕", ha="center", va="bottom", fontsize=9)
    ax.set(title=title, xlabel="position in the input (pixels)", ylabel="paths", ylim=(0, 1.2 * heights.max()))
    ax.set_xticks(range(0, len(heights), 1 if len(heights) <= 20 else 2))
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    return ax


def plot_field(field: Tensor, title: str = "", box: tuple[int, int] | None = None, ax: Axes | None = None) -> Axes:
    """Influence of each pixel (H, W) on one unit, from 0 to the largest.

    `box` is (first pixel, side) of the theoretical field, along both axes; it is drawn as a dashed square.
    """
    ax = axes(ax, (3.4, 3.2))
    shown = field.detach().cpu().float().numpy()
    ax.imshow(shown / max(shown.max(), 1e-30), vmin=0, vmax=1)
    if box is not None:
        first, side = box
        corner = (first - 0.5, first - 0.5)
        ax.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=ORANGE, linestyle="--", lw=1.8))
    ax.set(xlabel="column (pixels)", ylabel="row (pixels)")
    ax.set_title(title, fontsize=10)
    return ax


def plot_fields(fields: Mapping[str, Tensor], boxes: Sequence[tuple[int, int]]) -> np.ndarray:
    """Fields (H, W) side by side, under their titles, with a box each, as `plot_field` draws them. Returns the axes.

    Colours run from 0 to the largest influence of each field.
    """
    width = 3.2 * len(fields) + 0.9
    figure, panels = plt.subplots(1, len(fields), figsize=(width, 3.1), squeeze=False, layout="constrained")
    for ax, (title, field), box in zip(panels.flat, fields.items(), boxes, strict=True):
        plot_field(field, title, box, ax=ax)
    figure.colorbar(panels.flat[-1].images[0], ax=panels, shrink=0.8, label="influence, relative\nto the largest")
    return panels


def plot_profiles(fields: Mapping[str, Tensor], box: tuple[int, int], title: str = "", ax: Axes | None = None) -> Axes:
    """Share of the influence in each column, mean over seeds, with a band from the least to the largest.

    `fields` are named tensors (seeds, H, W). `box` is (first pixel, side) of the theoretical field: the dashed line
    is what a unit would show that uses all of it alike.
    """
    ax = axes(ax)
    first, side = box
    for color, (name, maps) in zip(COLORS[::2], fields.items(), strict=False):
        columns = maps.detach().cpu().sum(1).numpy()
        shares = 100 * columns / columns.sum(1, keepdims=True)
        ax.plot(shares.mean(0), label=name, color=color, lw=2)
        ax.fill_between(range(shares.shape[1]), shares.min(0), shares.max(0), color=color, alpha=0.3, lw=0)
    edges = [first - 0.5, first - 0.5, first + side - 0.5, first + side - 0.5]
    ax.plot(edges, [0, 100 / side, 100 / side, 0], "--", color=ORANGE, label="all of the field alike")
    ax.set(title=title, xlabel="column (pixels)", ylabel="share of the influence (%)")
    ax.legend(frameon=False, fontsize=9)
    return ax


def plot_growth(
    depths: Sequence[int],
    sizes: Sequence[int],
    expected: Sequence[int],
    sides: Sequence[Sequence[int]],
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Size of the theoretical field, and effective sides, against depth, on logarithmic axes.

    `expected` are the sides if influence goes with the square root of the number of paths; `sides` (seeds, depths)
    are measured.
    """
    ax = axes(ax)
    measured = np.asarray(sides, dtype=float)
    ax.plot(depths, sizes, "--o", color=ORANGE, label="theoretical field")
    ax.plot(depths, expected, ":", color="black", label="if influence were the square root of the paths")
    ax.plot(depths, measured.mean(0), "-s", color=BLUE, label=f"effective field, mean of {len(measured)} seeds")
    ax.fill_between(depths, measured.min(0), measured.max(0), color=BLUE, alpha=0.25, lw=0)
    ax.set(title=title, xlabel="layers", ylabel="side (pixels)", xscale="log", yscale="log")
    ticks = sorted({*sizes})
    ax.set_xticks(depths, [str(depth) for depth in depths])
    ax.set_yticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.legend(frameon=False, fontsize=9)
    return ax


def plot_by_distance(
    accuracies: Mapping[str, Sequence[Sequence[float]]], reaches: Sequence[int], title: str = ""
) -> np.ndarray:
    """Accuracy (seeds, distances from 1 on) of each network in a panel of its own, under its name. Returns the axes.

    A dashed line marks how far the network reaches by the formula, one for each of `reaches`.
    """
    size = (2.9 * len(accuracies), 2.7)
    figure, panels = plt.subplots(1, len(accuracies), figsize=size, squeeze=False, sharey=True, layout="constrained")
    for ax, (name, runs), reach in zip(panels.flat, accuracies.items(), reaches, strict=True):
        measured = 100 * np.asarray(runs)
        distances = np.arange(1, measured.shape[1] + 1)
        ax.plot(distances, measured.mean(0), "-", color=BLUE, lw=1)
        for run in measured:
            ax.plot(distances, run, "o", color=BLUE, markersize=3.5, alpha=0.6)
        ax.axvline(reach + 0.5, color=ORANGE, linestyle="--")
        ax.axhline(50, color=GREY, linestyle=":", lw=1)
        ax.set(xlabel="distance of the marks (pixels)", ylim=(35, 105), xticks=range(0, distances[-1] + 1, 4))
        ax.set_title(name, fontsize=10)
    panels.flat[0].set(ylabel="accuracy (%)")
    figure.suptitle(title, x=0.02, ha="left")
    return panels


def _cone(layers: Sequence[FullLayer], sides: list[int] | None, unit: int | None) -> list[dict[int, list[int]]]:
    """For each level, input first: the units that reach the one at the top, and the units that each of them reads."""
    top = (sides[-1] // 2 if sides else 0) if unit is None else unit
    wanted, levels = {top}, []
    for level in range(len(layers), 0, -1):
        kernel, stride, padding, dilation = layers[level - 1]
        reads = {
            unit: [unit * stride - padding + tap * dilation for tap in range(kernel)]
            if _inside(unit, level, sides)
            else []  # padding is zeros: it reads nothing
            for unit in wanted
        }
        levels.insert(0, reads)
        wanted = {tap for taps in reads.values() for tap in taps}
    return [dict.fromkeys(wanted, []), *levels]


def _inside(unit: int, level: int, sides: list[int] | None) -> bool:
    return sides is None or 0 <= unit < sides[level]


def _title(size: int, seen: int) -> str:
    holes = seen < size
    return (
        f"A field of {size} pixels, of which one unit sees {seen}" if holes else f"One unit sees {size} pixels in a row"
    )


def _layer_name(number: int, layer: FullLayer) -> str:
    kernel, stride, _, dilation = layer
    name = f"{number}: kernel {kernel}, stride {stride}"
    return name if dilation == 1 else f"{name}, dilation {dilation}"
