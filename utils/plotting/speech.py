"""Sounds over time, and what a network reads in them."""

import matplotlib.pyplot as plt
import numpy as np
from torch import Tensor

from utils.plotting.style import COLORS, GREY


def plot_utterance(sound: Tensor, probabilities: Tensor, truth: Tensor, alphabet: str, title: str = "") -> np.ndarray:
    """A spectrogram (T, F) above, what a network gives each token (T, V) below. Token 0 is the blank.

    Dotted lines show where letters really begin (`truth`, a token for each frame). Returns the axes.
    """
    figure, panels = plt.subplots(2, 1, figsize=(6.8, 4.2), sharex=True, layout="constrained")
    panels[0].imshow(sound.T.numpy(), origin="lower", aspect="auto", cmap="viridis")
    panels[0].set(ylabel="band", title=title)
    colors = [GREY, *COLORS, "#8c564b", "#7f7f7f"]
    for token, color in zip(range(probabilities.shape[1]), colors, strict=False):
        style = "--" if token == 0 else "-"
        name = "blank" if token == 0 else alphabet[token]
        panels[1].plot(probabilities[:, token].numpy(), style, color=color, lw=1 if token == 0 else 2, label=name)
    starts = np.flatnonzero(np.diff(truth.numpy(), prepend=0) != 0)
    for start in starts:
        for ax in panels:
            ax.axvline(start - 0.5, color="white" if ax is panels[0] else GREY, ls=":", lw=1)
        if token := int(truth[start]):
            panels[0].text(start, sound.shape[1] - 2, alphabet[token], color="white", fontsize=12, weight="bold")
    panels[1].set(xlabel="frame", ylabel="probability", ylim=(-0.03, 1.08))
    panels[1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return panels
