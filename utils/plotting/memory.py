"""What layers with a state achieve for the bytes that they keep, and how long each step of a stream takes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from utils.plotting.maps import plot_influence
from utils.plotting.style import BLUE, COLORS, GREEN, GREY, ORANGE, axes


def plot_by_bytes(
    found: Mapping[str, tuple[int, Sequence[float]]], guessing: float, title: str = "", ax: Axes | None = None
) -> Axes:
    """Accuracy against bytes kept, {name: (bytes, a share for each seed)}: a dot for each seed, a name at the mean."""
    ax = axes(ax, (6.8, 4.2))
    for name, (kept, shares) in found.items():
        color = _color(name)
        ax.plot([kept] * len(shares), 100 * np.asarray(shares), "o", color=color, alpha=0.6, ms=6)
        left = name.startswith(("LSTM", "fixed"))
        ax.annotate(
            name, (kept, 100 * float(np.mean(shares))), (-8 if left else 8, 0), textcoords="offset points",
            va="center", ha="right" if left else "left", fontsize=8, color=color,
        )  # fmt: skip
    ax.axhline(100 * guessing, color=GREY, ls="--", lw=1)
    place = ("axes fraction", "data")
    ax.annotate("guessing", (1, 100 * guessing), (-2, 3), place, "offset points", ha="right", fontsize=8)
    smallest, largest = (pick(kept for kept, _ in found.values()) for pick in (min, max))
    ax.set(xscale="log", xlim=(smallest / 2.2, largest * 3), ylim=(-3, 105), title=title)
    ax.set(xlabel="bytes that the model keeps at the end of a sequence", ylabel="right answers (%)")
    ax.grid(alpha=0.3)
    return ax


def _color(name: str) -> str:
    """One colour for each family, in all figures of this module."""
    families = {"attention": BLUE, "LSTM": ORANGE, "selective": GREEN, "RWKV": COLORS[3], "fixed": GREY}
    if name.startswith("mLSTM"):
        return COLORS[5]
    return next(color for family, color in families.items() if name.startswith(family))


def plot_delays(delays: Mapping[str, Sequence[float]], title: str = "", ax: Axes | None = None) -> Axes:
    """Milliseconds of each step of a stream, {name: one for each step}, against the steps read."""
    ax = axes(ax, (6.5, 3.2))
    for name, milliseconds in delays.items():
        ax.plot(range(1, len(milliseconds) + 1), milliseconds, ".", ms=3, color=_color(name), alpha=0.6, label=name)
    ax.set(xlabel="steps of the stream", ylabel="processor time of a step (ms)", title=title, yscale="log")
    ax.legend(frameon=False, fontsize=9, markerscale=4)
    ax.grid(alpha=0.3)
    return ax


def plot_openness(time: Mapping[str, Tensor], tokens: Sequence[str], title: str = "", ax: Axes | None = None) -> Axes:
    """How much time each token lets pass, {layer: one number for each token}, relative to the largest of a layer."""
    ax = axes(ax, (6.8, 2.8))
    for number, ((name, values), color) in enumerate(zip(time.items(), COLORS, strict=False)):
        width = 0.8 / len(time)
        places = np.arange(len(tokens)) + (number - (len(time) - 1) / 2) * width
        ax.bar(places, (values / values.max()).numpy(), width, color=color, label=name)
    ax.set_xticks(range(len(tokens)), tokens, fontsize=8)
    ax.set(xlabel="token", ylabel="mean Δ, relative to\nthe largest", title=title, ylim=(0, 1.35))
    ax.legend(frameon=False, fontsize=9, ncols=len(time), loc="upper left")
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
