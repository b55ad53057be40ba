"""Sound: the wave, its spectrogram, and what one token hears."""

import matplotlib.pyplot as plt
import numpy as np
from torch import Tensor

from utils.plotting.style import ORANGE

STEP = 64  # samples: a wave is drawn from its least to its largest value in each piece of this length


def plot_spectrogram(
    sound: Tensor, mels: Tensor, rate: int, hop: int, window: int, field: tuple[float, float] | None = None
) -> np.ndarray:
    """A sound (samples,) above its log-mel spectrogram (mels, frames), on one axis of seconds. Returns the axes.

    `field`, in seconds, is framed in both: what one token hears.
    """
    figure, panels = plt.subplots(2, 1, figsize=(6.2, 3.6), layout="constrained", sharex=True, height_ratios=(1, 2))
    pieces = sound[: len(sound) // STEP * STEP].view(-1, STEP).numpy()
    times = (np.arange(len(pieces)) + 0.5) * STEP / rate
    panels[0].fill_between(times, pieces.min(1), pieces.max(1), lw=0)
    panels[0].set(ylabel="amplitude", title="The same sound twice: as a wave and as a log-mel spectrogram")
    first = (window - hop) / 2 / rate  # the middle of a window belongs to its column
    extent = (first, first + mels.shape[1] * hop / rate, -0.5, len(mels) - 0.5)
    drawn = panels[1].imshow(mels.numpy(), plt.get_cmap("viridis", 24), aspect="auto", origin="lower", extent=extent)
    panels[1].set(xlabel="time (s)", ylabel="mel band", xlim=(0, len(sound) / rate))
    figure.colorbar(drawn, ax=panels[1], label="power (powers of ten)", shrink=0.9)
    if field is not None:
        for ax in panels:
            ax.axvspan(*field, facecolor="none", edgecolor=ORANGE, lw=2, zorder=5)
    return panels
