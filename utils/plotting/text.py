"""The figures of lesson 08: streams, bits per character, horizons, temperatures, cells, text coloured by a cell."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from torch import Tensor

from utils.notebook import COLORS
from utils.reach import Horizon

LEAST = 5e-4  # bits: differences below this are drawn as if they were this large
BLUE, ORANGE, GREEN, GREY = COLORS[0], COLORS[1], COLORS[2], "#57606a"
VISIBLE = str.maketrans({"\n": "↵", " ": "·"})


def _axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    return ax if ax is not None else plt.subplots(figsize=size, layout="constrained")[1]


def plot_streams(
    batches: Sequence[tuple[Tensor, Tensor]], alphabet: str, title: str = "", ax: Axes | None = None
) -> Axes:
    """The inputs (B, T) of the first batches, a row for each stream, with the target under each of them in grey."""
    streams = len(batches[0][0])
    lengths = [inputs.shape[1] for inputs, _ in batches]
    ax = _axes(ax, (max(5.0, 0.26 * sum(lengths) + 1.2), 0.5 * streams + 1.1))
    start = 0
    for number, ((inputs, targets), length) in enumerate(zip(batches, lengths, strict=True)):
        ax.axvspan(start - 0.5, start + length - 0.5, color=COLORS[number % len(COLORS)], alpha=0.12, lw=0)
        ax.text(start, -0.85, f"batch {number + 1}", color=COLORS[number % len(COLORS)], va="center", fontsize=9)
        for row in range(streams):
            for column in range(length):
                for token, below, color in ((inputs, -0.1, "black"), (targets, 0.28, GREY)):
                    letter = alphabet[int(token[row, column])].translate(VISIBLE)
                    ax.text(
                        start + column, row + below, letter, color=color, family="monospace", ha="center", va="center"
                    )
        start += length
    ax.set(xlim=(-0.6, start - 0.4), ylim=(streams - 0.4, -1.2), yticks=range(streams))
    ax.set(xlabel="step (black: input, grey below it: target)", ylabel="stream", title=title)
    return ax


def plot_training(
    curves: Mapping[str, Sequence[float]],
    levels: Mapping[str, float] | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Bits per character of every step, a running mean over 20 of them; `levels` to compare with, as dashed lines."""
    ax = _axes(ax, (6.5, 3))
    for name, bits in curves.items():
        window = min(20, len(bits))
        smooth = np.convolve(bits, np.ones(window) / window, "valid")
        ax.plot(np.arange(window, len(bits) + 1), smooth, label=name)
    for name, level in (levels or {}).items():
        ax.axhline(level, color="black", linestyle="--", linewidth=1)
        ax.annotate(name, (1, level), (-2, 3), ("axes fraction", "data"), "offset points", ha="right", fontsize=9)
    ax.set(xlabel="step", ylabel="bits per character", title=title)
    if len(curves) > 1:
        ax.legend(frameon=False, fontsize=9)
    return ax


def plot_bits(models: Mapping[str, Sequence[float]], title: str = "", ax: Axes | None = None) -> Axes:
    """Bits per character of several models, one row each: a dot for each seed, and their mean in figures."""
    ax = _axes(ax, (6.5, 0.3 * len(models) + 1.0))
    for row, (name, bits) in enumerate(models.items()):
        color = ORANGE if "LSTM" in name else BLUE
        ax.hlines(row, 0, np.mean(bits), color=color, lw=2, alpha=0.5)
        ax.plot(bits, [row] * len(bits), "o", color=color, ms=6, alpha=0.8)
        ax.annotate(
            f"{np.mean(bits):.2f}", (max(bits), row), (7, 0), textcoords="offset points", va="center", fontsize=9
        )
    ax.set(yticks=range(len(models)), yticklabels=models, ylim=(len(models) - 0.5, -0.5))
    ax.set_xlim(0, 1.1 * max(max(bits) for bits in models.values()))
    ax.set(xlabel="validation loss (bits per character)", title=title)
    return ax


def plot_horizons(curves: Mapping[str, Sequence[Horizon]], title: str = "", ax: Axes | None = None) -> Axes:
    """Bits per character against visible characters: mean of the seeds, a band from the lowest to the highest.

    A triangle on the axis marks each seed's horizon.
    """
    ax = _axes(ax, (6.5, 3.8))
    for (name, horizons), marker in zip(curves.items(), "os^dvP", strict=False):
        lengths = horizons[0].lengths
        bits = np.array([horizon.bits for horizon in horizons])
        (line,) = ax.plot(lengths, bits.mean(0), marker=marker, ms=4, label=name)
        ax.fill_between(lengths, bits.min(0), bits.max(0), color=line.get_color(), alpha=0.2, lw=0)
        found = [horizon.horizon for horizon in horizons]
        ends = dict(transform=ax.get_xaxis_transform(), clip_on=False)
        ax.plot(found, [0.02] * len(found), "v", color=line.get_color(), ms=8, alpha=0.6, **ends)
    ax.set(xscale="log", xlabel="visible characters (triangles: horizons)", ylabel="bits per character", title=title)
    ticks = _powers_of_two(next(iter(curves.values()))[0].lengths)
    ax.set_xticks(ticks, ticks)
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize=9)
    return ax


def plot_excess(
    curves: Mapping[str, Sequence[Horizon]], tolerance: float, title: str = "", ax: Axes | None = None
) -> Axes:
    """How far each loss is above the lowest of its curve, one line for each seed; the tolerance as a dashed line."""
    ax = _axes(ax, (6.5, 3.6))
    for (name, horizons), color, marker in zip(curves.items(), COLORS, "os^dvP", strict=False):
        for number, horizon in enumerate(horizons):
            above = np.maximum(np.array(horizon.bits) - horizon.best, LEAST)
            style = dict(color=color, marker=marker, ms=4, lw=1.2, alpha=0.8)
            ax.plot(horizon.lengths, above, label=name if number == 0 else None, **style)
    ax.axhline(tolerance, color="black", linestyle="--", linewidth=1)
    ax.annotate(
        "tolerance", (1, tolerance), (-2, 3), ("axes fraction", "data"), "offset points", ha="right", fontsize=9
    )
    ticks = _powers_of_two(next(iter(curves.values()))[0].lengths)
    ax.set(xscale="log", yscale="log", ylim=(0.8 * LEAST, None), xlabel="visible characters", title=title)
    ax.set_ylabel("bits per character above the best")
    ax.set_xticks(ticks, ticks)
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize=9)
    return ax


def _powers_of_two(lengths: Sequence[int]) -> list[int]:
    return [k for k in lengths if k & (k - 1) == 0]


def plot_tolerances(
    curves: Mapping[str, Sequence[Horizon]], tolerances: Sequence[float], title: str = "", ax: Axes | None = None
) -> Axes:
    """The horizon that each tolerance reads off the same curves: a dot for each seed, a line through their medians."""
    ax = _axes(ax, (6.5, 3.0))
    for (name, horizons), marker in zip(curves.items(), "os^dvP", strict=False):
        found = np.array([[read_horizon(horizon, tolerance) for horizon in horizons] for tolerance in tolerances])
        (line,) = ax.plot(tolerances, np.median(found, 1), marker=marker, ms=5, label=name)
        for column in found.T:
            ax.plot(tolerances, column, marker, color=line.get_color(), alpha=0.3, ms=5)
    ax.set(
        xscale="log", yscale="log", xlabel="tolerance (bits per character)", ylabel="horizon (characters)", title=title
    )
    ax.set_xticks(tolerances, [f"{tolerance:g}" for tolerance in tolerances])
    ticks = _powers_of_two(next(iter(curves.values()))[0].lengths)
    ax.set_yticks(ticks, ticks)
    ax.minorticks_off()
    ax.legend(frameon=False, fontsize=9)
    return ax


def read_horizon(horizon: Horizon, tolerance: float) -> int:
    """The smallest length whose loss is within another tolerance of the best."""
    return next(k for k, bits in zip(horizon.lengths, horizon.bits, strict=True) if bits <= horizon.best + tolerance)


def plot_probabilities(
    distributions: Mapping[str, Tensor], alphabet: str, count: int = 8, title: str = "", ax: Axes | None = None
) -> Axes:
    """Distributions (V,) over the next character, as bars side by side; the `count` likeliest of the first one."""
    ax = _axes(ax, (6.5, 2.8))
    top = next(iter(distributions.values())).argsort(descending=True)[:count]
    width = 0.8 / len(distributions)
    for number, (name, chances) in enumerate(distributions.items()):
        ax.bar(np.arange(len(top)) + number * width, chances[top].numpy(), width, label=name)
    letters = [alphabet[token].translate(VISIBLE) for token in top.tolist()]
    ax.set_xticks(np.arange(len(top)) + 0.4 - width / 2, letters, family="monospace")
    ax.set(xlabel="next character (· space, ↵ new line)", ylabel="probability", title=title)
    ax.legend(frameon=False, fontsize=9)
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
    ax = _axes(ax, (6.5, 0.75 * len(rows) + 1.7))
    readers = list(dict.fromkeys(reader for row in rows.values() for reader in row))
    for (reader, marker), color in zip(
        zip(readers, "oDs^vPX", strict=False), [ORANGE, BLUE, GREEN, *COLORS[3:]], strict=False
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
    ax.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.45, -0.2))
    return ax


def plot_colored_text(text: str, values: Tensor, title: str = "", columns: int = 84, ax: Axes | None = None) -> Axes:
    """A text, each character on the colour of its value (N,): orange high, violet low, white between.

    Lines break where the text does, and after `columns` characters.
    """
    places, row, column = [], 0, 0
    for character in text:
        if column == columns:
            row, column = row + 1, 0
        places.append((column, row))
        row, column = (row + 1, 0) if character == "\n" else (row, column + 1)
    rows = max(place[1] for place in places) + 1
    ax = _axes(ax, (8.2, 0.19 * rows + 0.75))
    grid = np.full((rows, columns), np.nan)
    for (x, y), value in zip(places, values.tolist(), strict=True):
        grid[y, x] = value
    low, high = np.nanquantile(grid, [0.02, 0.98])
    drawn = ax.imshow(grid, cmap="PuOr_r", norm=Normalize(low, high, clip=True), aspect="auto", alpha=0.75)
    for (x, y), character in zip(places, text, strict=True):
        ax.text(x, y, character.translate({10: "↵"}), family="monospace", fontsize=7.5, ha="center", va="center")
    ax.figure.colorbar(drawn, ax=ax, label="value of the cell", shrink=min(1.0, 8 / rows + 0.3), pad=0.01)
    ax.set(xticks=[], yticks=[], title=title)
    ax.spines[:].set_visible(False)
    return ax
