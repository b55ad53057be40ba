"""Sound: the wave, its spectrogram, and what one token hears."""

import matplotlib.pyplot as plt
import numpy as np
from torch import Tensor

from utils.plotting.style import ORANGE


def plot_spectrogram(
    sound: Tensor, mels: Tensor, rate: int, hop: int, window: int, field: tuple[float, float] | None = None
) -> np.ndarray:
    """A sound (samples,) above its log-mel spectrogram (mels, frames), on one axis of seconds. Returns the axes.

    `field`, in seconds, is framed in both: what one token hears.
    """
    figure, panels = plt.subplots(2, 1, figsize=(6.5, 4.2), layout="constrained", sharex=True, height_ratios=(1, 2))
    panels[0].plot(np.arange(len(sound)) / rate, sound.numpy(), lw=0.4)
    panels[0].set(ylabel="amplitude", title="The same second twice: as a wave and as a log-mel spectrogram")
    first = (window - hop) / 2 / rate  # the middle of a window belongs to its column
    extent = (first, first + mels.shape[1] * hop / rate, -0.5, len(mels) - 0.5)
    drawn = panels[1].imshow(mels.numpy(), "viridis", aspect="auto", origin="lower", extent=extent)
    panels[1].set(xlabel="time (s)", ylabel="mel band", xlim=(0, len(sound) / rate))
    figure.colorbar(drawn, ax=panels[1], label="power (powers of ten)", shrink=0.9)
    if field is not None:
        for ax in panels:
            ax.axvspan(*field, facecolor="none", edgecolor=ORANGE, lw=2, zorder=5)
    return panels
