"""What layers with a state achieve for the bytes that they keep, and how long each step of a stream takes."""

from collections.abc import Collection, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from utils.plotting.maps import plot_influence
from utils.plotting.style import BLUE, COLORS, GREEN, GREY, MARKERS, ORANGE, axes


def plot_by_bytes(
    found: Mapping[str, tuple[int, Sequence[float]]],
    guessing: float,
    title: str = "",
    left: Collection[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """Accuracy against bytes kept, {name: (bytes, a share for each seed)}: a dot for each seed, the name at the best.

    The names in `left` stand left of their dots, the others right of them.
    """
    ax = axes(ax, (6.8, 4.2))
    for name, (kept, shares) in found.items():
        side, color = -1 if name in left else 1, _color(name)
        ax.plot([kept] * len(shares), 100 * np.asarray(shares), "o", color=color, alpha=0.6, ms=6)
        ax.annotate(
            name,
            (kept, 100 * max(shares)),
            (8 * side, 0),
            textcoords="offset points",
            va="center",
            ha="left" if side > 0 else "right",
            fontsize=8,
            color=color,
        )
    ax.axhline(100 * guessing, color=GREY, ls="--", lw=1)
    place = ("axes fraction", "data")
    ax.annotate("guessing", (1, 100 * guessing), (-2, 3), place, "offset points", ha="right", fontsize=8)
    smallest, largest = (pick(kept for kept, _ in found.values()) for pick in (min, max))
    ax.set(xscale="log", xlim=(smallest / 3.6, largest * 6), ylim=(-3, 106), title=title)
    ax.set(xlabel="bytes that the model keeps at the end of a sequence", ylabel="right answers (%)")
    ax.grid(alpha=0.3)
    return ax


def _color(name: str) -> str:
    """One colour for each family, in all figures of this module."""
    if "+" in name:  # a hybrid
        return COLORS[5]
    families = {"attention": BLUE, "LSTM": ORANGE, "selective": GREEN, "RWKV": COLORS[3], "mLSTM": COLORS[4]}
    return next((color for family, color in families.items() if name.startswith(family)), GREY)


def plot_delays(delays: Mapping[str, Sequence[float]], title: str = "", ax: Axes | None = None) -> Axes:
    """Milliseconds of each step of a stream, {name: one for each step}, against the steps read."""
    ax = axes(ax, (6.5, 3.2))
    for name, milliseconds in delays.items():
        ax.plot(range(1, len(milliseconds) + 1), milliseconds, ".", ms=3, color=_color(name), alpha=0.6, label=name)
    ax.set(xlabel="steps of the stream", ylabel="processor time of a step (ms)", title=title, yscale="log")
    slowest = max(max(milliseconds) for milliseconds in delays.values())
    ax.set_ylim(top=3 * slowest)  # room for the legend
    ax.legend(frameon=False, fontsize=9, markerscale=4, ncols=len(delays), loc="upper right")
    ax.grid(alpha=0.3)
    return ax


def plot_openness(passed: Mapping[str, Tensor], tokens: Sequence[str], title: str = "", ax: Axes | None = None) -> Axes:
    """How much time each token lets pass, {layer: one number for each token}, relative to a token of no meaning."""
    ax = axes(ax, (6.8, 2.8))
    for (name, values), color, marker in zip(passed.items(), COLORS, MARKERS, strict=False):
        ax.plot(range(len(tokens)), values.numpy(), marker, color=color, ms=6, alpha=0.8, label=name)
    ax.axhline(1, color=GREY, ls="--", lw=1)
    ax.set_xticks(range(len(tokens)), tokens, fontsize=8)
    ax.set(xlabel="token", ylabel="Δ, relative to a dot", title=title, yscale="log")
    ax.set_ylim(top=8 * max(float(values.max()) for values in passed.values()))
    ax.legend(frameon=False, fontsize=9, ncols=len(passed), loc="upper left")
    ax.grid(axis="y", alpha=0.3)
    return ax


def plot_answers(maps: Mapping[str, Tensor], tokens: Sequence[str]) -> np.ndarray:
    """What the answers to a few questions heard of all tokens, {title: (questions, T)}: wide maps."""
    height = sum(0.2 * len(one) + 1.2 for one in maps.values())
    _, panels = plt.subplots(len(maps), 1, figsize=(7.4, height), layout="constrained", squeeze=False)
    for ax, (title, one) in zip(panels.flat, maps.items(), strict=True):
        plot_influence(one, title=title, ax=ax, bar=False)
        ax.set_aspect("auto")
        ax.set_xticks(range(len(tokens)), tokens, fontsize=8)
        ax.set_yticks(range(len(one)), [str(number + 1) for number in range(len(one))])
        ax.set(xlabel="input: tokens in their order", ylabel="question")
    figure = panels.flat[0].figure
    figure.colorbar(
        panels.flat[0].images[0], ax=list(panels.flat), shrink=0.8, label="influence, relative\nto the largest"
    )
    return panels.ravel()
