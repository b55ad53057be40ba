"""Text as a picture: words, streams, distributions over characters, characters coloured by a value."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from torch import Tensor

from utils.plotting.style import COLORS, GREEN, GREY, VISIBLE, axes


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


def plot_colored_text(
    text: str,
    values: Tensor,
    title: str = "",
    columns: int = 84,
    underlined: Tensor | None = None,
    label: str = "value of the cell",
    ax: Axes | None = None,
) -> Axes:
    """A text, each character on the colour of its value (N,): brown high, violet low, white between.

    Letters are white on dark colours. Lines break where the text does, and after `columns` characters. Characters for
    which `underlined` (N,) is true have a line below them.
    """
    places, row, column = [], 0, 0
    for character in text:
        if column == columns:
            row, column = row + 1, 0
        places.append((column, row))
        row, column = (row + 1, 0) if character == "\n" else (row, column + 1)
    rows = max(place[1] for place in places) + 1
    ax = axes(ax, (0.084 * columns + 1.0, 0.2 * rows + 0.7))
    grid = np.full((rows, columns), np.nan)
    for (x, y), value in zip(places, values.tolist(), strict=True):
        grid[y, x] = value
    norm = Normalize(*np.nanquantile(grid, [0.02, 0.98]), clip=True)
    drawn = ax.imshow(grid, cmap="PuOr_r", norm=norm, aspect="auto")
    for (x, y), character in zip(places, text, strict=True):
        ink = "white" if _is_dark(np.asarray(drawn.cmap(norm(grid[y, x])))) else "black"
        letter = character.translate({10: "↵"})
        if letter != " ":  # the colour of a blank is all of it, and letters take long to draw
            ax.text(x, y, letter, color=ink, family="monospace", fontsize=8.5, ha="center", va="center")
    if underlined is not None:
        marked = np.array(places)[underlined.numpy()].reshape(-1, 2)
        ax.hlines(marked[:, 1] + 0.42, marked[:, 0] - 0.5, marked[:, 0] + 0.5, color=GREEN, lw=2)
    ax.figure.colorbar(drawn, ax=ax, label=label, shrink=min(1.0, 8 / rows + 0.3), pad=0.01)
    ax.set(xticks=[], yticks=[], xlim=(-0.6, columns - 0.4), ylim=(rows - 0.45, -0.55), title=title)
    ax.spines[:].set_visible(False)
    return ax


def _is_dark(color: np.ndarray) -> bool:
    """Whether white letters are easier to read on it: by its luminance (ITU-R BT.709)."""
    return 0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2] < 0.5
