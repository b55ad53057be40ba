"""Text as a picture: words, streams, distributions over characters, characters coloured by a value."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from torch import Tensor

from utils.plotting.style import COLORS, GREY, VISIBLE, axes


def plot_words(values: Sequence[float], words: Sequence[str], ylabel: str, title: str, ax: Axes | None = None) -> Axes:
    """One bar for each word, with its value written above it."""
    ax = axes(ax, (6.5, 2.4))
    bars = ax.bar(range(len(words)), values, color=COLORS[0])
    ax.bar_label(bars, fmt="%.3g", fontsize=9)
    ax.margins(y=0.15)
    ax.set_xticks(range(len(words)), words, rotation=30)
    ax.set(ylabel=ylabel, title=title)
    return ax


def plot_streams(
    batches: Sequence[tuple[Tensor, Tensor]], alphabet: str, title: str = "", ax: Axes | None = None
) -> Axes:
    """The inputs (B, T) of the first batches, a row for each stream, with the target under each of them in grey."""
    streams = len(batches[0][0])
    lengths = [inputs.shape[1] for inputs, _ in batches]
    ax = axes(ax, (max(5.0, 0.26 * sum(lengths) + 1.2), 0.5 * streams + 1.1))
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


def plot_probabilities(
    distributions: Mapping[str, Tensor], alphabet: str, count: int = 8, title: str = "", ax: Axes | None = None
) -> Axes:
    """Distributions (V,) over the next character, as bars side by side; the `count` likeliest of the first one."""
    ax = axes(ax, (6.5, 2.8))
    top = next(iter(distributions.values())).argsort(descending=True)[:count]
    width = 0.8 / len(distributions)
    for number, (name, chances) in enumerate(distributions.items()):
        ax.bar(np.arange(len(top)) + number * width, chances[top].numpy(), width, label=name)
    letters = [alphabet[token].translate(VISIBLE) for token in top.tolist()]
    ax.set_xticks(np.arange(len(top)) + 0.4 - width / 2, letters, family="monospace")
    ax.set(xlabel="next character (· space, ↵ new line)", ylabel="probability", title=title)
    ax.legend(frameon=False, fontsize=9)
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
    ax = axes(ax, (8.2, 0.19 * rows + 0.75))
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
