"""Gates: what they do at each character, how far from the middle they stand, and what their cells are worth."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from torch import Tensor

from utils.plotting.style import BLUE, GREY, ORANGE, VISIBLE


def plot_gates(gates: Mapping[str, Tensor], text: str, title: str = "") -> np.ndarray:
    """Gates (T, cells) from 0 to 1 under their names, one below the other: a column for each character of the text.

    Returns the axes.
    """
    size = (8.2, 0.13 * sum(values.shape[1] for values in gates.values()) + 1.2)
    figure, panels = plt.subplots(len(gates), 1, figsize=size, squeeze=False, sharex=True, layout="constrained")
    for ax, (name, values) in zip(panels.flat, gates.items(), strict=True):
        drawn = ax.imshow(
            values.detach().T.numpy(), vmin=0, vmax=1, aspect="auto", cmap="viridis", interpolation="nearest"
        )
        ax.set(ylabel=name, yticks=[])
    panels.flat[-1].set_xticks(range(len(text)), list(text.translate(VISIBLE)), fontsize=7)
    panels.flat[-1].set_xlabel("the character that has just been read; in each panel a row for each cell")
    figure.colorbar(drawn, ax=list(panels.flat), label="gate: 0 shut, 1 open", shrink=0.8)
    figure.suptitle(title, x=0.02, ha="left")
    return panels.ravel()


def plot_saturation(trained: Mapping[str, Tensor], untrained: Mapping[str, Tensor], title: str = "") -> np.ndarray:
    """How often each gate has which value, before training and after: a panel for each name. Returns the axes."""
    size = (2.5 * len(trained), 2.6)
    figure, panels = plt.subplots(1, len(trained), figsize=size, sharey=True, squeeze=False, layout="constrained")
    bins = np.linspace(0, 1, 21)
    for ax, name in zip(panels.flat, trained, strict=True):
        for values, color, label in ((untrained[name], GREY, "untrained"), (trained[name], BLUE, "trained")):
            shares = np.histogram(values.detach().numpy().ravel(), bins)[0] / values.numel()
            ax.stairs(100 * shares, bins, color=color, fill=True, alpha=0.55, label=label)
        ax.set(xlabel="value of the gate")
        ax.set_title(name, fontsize=10)
    panels.flat[0].set(ylabel="share of all values (%)")
    panels.flat[0].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(0.58, 1.05))
    figure.suptitle(title, x=0.02, ha="left")
    return panels


def plot_ablations(costs: Sequence[float], groups: Mapping[int, Sequence[float]], title: str = "") -> np.ndarray:
    """What it costs to take cells away, in bits: one at a time (left), and many at once (right). Returns the axes."""
    _, panels = plt.subplots(1, 2, figsize=(7.4, 2.9), layout="constrained")
    panels[0].bar(range(1, len(costs) + 1), sorted(costs, reverse=True), color=BLUE)
    panels[0].axhline(0, color=GREY, lw=0.8)
    panels[0].set(xlabel="one cell taken away, the costliest first", ylabel="costs (bits per character)")
    for number, bits in enumerate(groups.values()):
        panels[1].plot([number] * len(bits), bits, "o", color=ORANGE, alpha=0.7)
    panels[1].set(xlabel="cells taken away at once, drawn at random", ylabel="costs (bits per character)")
    panels[1].set_xticks(range(len(groups)), [str(count) for count in groups])
    panels[0].figure.suptitle(title, x=0.02, ha="left")
    return panels
