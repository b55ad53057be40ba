"""What a recurrent network holds: its states word by word, what can be read from them, what it makes of them."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from utils.plotting.style import BLUE, COLORS, GREY, MARKERS, ORANGE, axes, draw_levels

SIGNED = "PuOr_r"  # brown above 0, violet below, white at 0


def plot_unrolled(words: Sequence[str], outputs: str = "every", title: str = "", ax: Axes | None = None) -> Axes:
    """One cell drawn once for each word, with the same weights. `outputs` is "every" step, or the "last" alone."""
    ax = axes(ax, (6.5, 2.4))
    last = len(words) - 1
    for t, word in enumerate(words):
        ax.annotate("", (t, 0.74), (t, 0.12), arrowprops=_arrow(BLUE))
        ax.annotate("", (t - 0.2, 1), (t - 0.8, 1), arrowprops=_arrow(ORANGE))
        ax.text(t, 1, f"$h_{{{t + 1}}}$", ha="center", va="center", bbox={"boxstyle": "round,pad=0.45", "fc": "white"})
        ax.text(t, 0, word, ha="center", va="center")
        if outputs == "every" or t == last:
            ax.annotate("", (t, 1.88), (t, 1.26), arrowprops=_arrow(GREY))
            ax.text(t, 2, f"$y_{{{t + 1}}}$" if outputs == "every" else "$y$", ha="center", va="center")
    ax.text(-0.5, 1.16, "$W_h$", color=ORANGE, ha="center", fontsize=9)
    ax.text(0.06, 0.42, "$W_x$", color=BLUE, fontsize=9)
    ax.text(last + 0.06, 1.55, "$W_y$", color=GREY, fontsize=9)
    ax.text(-0.9, 1, "0", ha="right", va="center")
    ax.set(xlim=(-1.1, last + 0.5), ylim=(-0.25, 2.25), title=title)
    ax.axis("off")
    return ax


def _arrow(color: str) -> dict:
    return {"arrowstyle": "-|>", "color": color, "lw": 1.3, "shrinkA": 0, "shrinkB": 0}


def plot_slopes(slopes: Mapping[str, Tensor], title: str = "", ax: Axes | None = None) -> Axes:
    """How often tanh has which slope, 1 − h², over many steps and units: one outline for each name."""
    ax = axes(ax, (6.5, 2.8))
    for name, style in zip(slopes, ("-", "--", ":"), strict=False):
        shares, edges = np.histogram(slopes[name].detach().flatten().numpy(), bins=25, range=(0, 1))
        ax.stairs(100 * shares / shares.sum(), edges, ls=style, lw=1.8, label=name)
    ax.set(xlabel="slope of tanh where the unit stands, 1 − h²", ylabel="share of states (%)", xlim=(0, 1), title=title)
    ax.legend(frameon=False, fontsize=9)
    return ax


def plot_states(
    states: Tensor, words: Sequence[str], title: str = "", ax: Axes | None = None, bar: bool = True
) -> Axes:
    """States (T, H), a column for each word and a row for each unit; words beyond the last state stay empty."""
    ax = axes(ax, (6.5, 0.22 * states.shape[1] + 1.1))
    grid = np.full((states.shape[1], len(words)), np.nan)
    grid[:, : len(states)] = states.detach().numpy().T
    drawn = ax.imshow(grid, cmap=SIGNED, vmin=-1, vmax=1, aspect="auto")
    ax.set_xticks(range(len(words)), words, rotation=30, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(states.shape[1]), [str(unit) for unit in range(states.shape[1])], fontsize=8)
    ax.set(ylabel="unit", title=title)
    if bar:
        ax.figure.colorbar(drawn, ax=ax, label="state, −1 to 1")
    return ax


def plot_accuracies(
    curves: Mapping[str, Sequence[Sequence[float]]],
    places: Sequence[float],
    xlabel: str,
    title: str = "",
    chance: float | None = None,
    seen: float | None = None,
    log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Accuracy (a share) along an axis: {name: [a row for each seed: one value for each place]}.

    A line goes through the means, each seed is a dot. `chance` is what guessing gives; what lies beyond `seen` was not
    in the training.
    """
    ax = axes(ax, (6.3, 2.7))
    for (name, seeds), marker in zip(curves.items(), MARKERS, strict=False):
        percent = 100 * np.asarray(seeds)
        (line,) = ax.plot(places, percent.mean(0), marker=marker, ms=5, label=name)
        for row in percent if len(percent) > 1 else ():
            ax.plot(places, row, ".", color=line.get_color(), alpha=0.5, ms=5)
    if seen is not None:
        ax.axvspan(seen, max(places) + 0.5, color=GREY, alpha=0.12, lw=0)
        ax.annotate("not in training", (seen, 0), (4, 4), ("data", "axes fraction"), "offset points", fontsize=8)
    draw_levels(ax, {} if chance is None else {"guessing": 100 * chance})
    ax.set(xlabel=xlabel, ylabel="accuracy (%)", ylim=(0, 105), title=title, xscale="log" if log else "linear")
    if len(places) < 10:
        ax.set_xticks(places, [f"{place:g}" for place in places])
        ax.minorticks_off()
    ax.margins(x=0.03)
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def plot_lines_by_word(
    lines: Mapping[str, Tensor],
    words: Sequence[str],
    ylabel: str,
    title: str = "",
    xlabel: str = "",
    ax: Axes | None = None,
) -> Axes:
    """A number for each word, (T,), or several rows of them, (seeds, T): lines through the means, dots for the rows."""
    ax = axes(ax, (6.5, 2.8))
    for (name, values), marker in zip(lines.items(), MARKERS, strict=False):
        rows = np.atleast_2d(values.detach().numpy())
        (line,) = ax.plot(rows.mean(0), marker=marker, ms=5, label=name)
        for row in rows if len(rows) > 1 else ():
            ax.plot(row, ".", color=line.get_color(), alpha=0.5, ms=5)
    ax.set_xticks(range(len(words)), words, rotation=30, ha="right", rotation_mode="anchor")
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title, ylim=(0, None))
    ax.legend(frameon=False, fontsize=9)
    return ax


def plot_bright_and_moved(states: Tensor, influences: Tensor, title: str = "", ax: Axes | None = None) -> Axes:
    """Units as dots: how bright they are, `|h|`, against how strongly an earlier word still moves them; both (N,)."""
    ax = axes(ax, (6.5, 2.9))
    ax.plot(states.abs().detach().numpy(), influences.detach().numpy(), ".", color=BLUE, alpha=0.4, ms=5)
    ax.set(xlabel="activation of the unit, |h|", ylabel="influence of the subject on it", yscale="log")
    ax.set(xlim=(0, 1.02), title=title)
    return ax


def plot_forecasts(series: Mapping[str, tuple[Tensor, Tensor]], read: int, title: str = "") -> np.ndarray:
    """For each name, the truth (T,) and what a network says (T,), which reads `read` steps and goes on alone.

    Returns the axes.
    """
    figure, panels = plt.subplots(
        len(series), 1, figsize=(6.5, 1.3 * len(series) + 0.6), sharex=True, layout="constrained"
    )
    for ax, (name, (truth, said)) in zip(np.atleast_1d(panels), series.items(), strict=True):
        ax.axvspan(0, read, color=GREY, alpha=0.12, lw=0)
        ax.plot(truth.numpy(), color=GREY, lw=2.5, alpha=0.6, label="truth")
        ax.plot(np.arange(read, len(said)), said.numpy()[read:], color=ORANGE, lw=1.5, label="the network, alone")
        ax.set_title(name, fontsize=10)
        ax.set(ylabel="value", ylim=(-1.5, 1.5))
    ax.set(xlabel="step (grey: read; white: the network reads its own forecasts)")
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, fontsize=8, loc="upper right", ncols=2)
    figure.suptitle(title, x=0.01, ha="left")
    return np.atleast_1d(panels)


def plot_shares(shares: Tensor, labels: str, title: str = "", ax: Axes | None = None) -> Axes:
    """How much of each character, (V,) from 0 to 1, one of two hidden states emits: sorted, a bar for each."""
    ax = axes(ax, (6.5, 2.2))
    order = shares.argsort()
    values = shares[order].numpy()
    ax.bar(range(len(values)), 100 * values, color=[COLORS[int(value > 0.5)] for value in values])
    ax.axhline(50, color=GREY, lw=1, ls="--")
    ax.set_xticks(range(len(values)), [labels[i].replace(" ", "·") for i in order.tolist()], family="monospace")
    ax.set(xlabel="character", ylabel="share of one state (%)", ylim=(0, 100), title=title)
    return ax
