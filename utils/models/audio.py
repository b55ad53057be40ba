"""Sound that we make, its log-mel spectrogram, and a front-end as Whisper's (Radford et al. 2022)."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

RATE = 16_000  # samples per second
WINDOW, HOP = 400, 160  # samples: 25 ms, every 10 ms
MELS = 80


def notes(pitches: Sequence[float], seconds: float = 0.25, rate: int = RATE) -> Tensor:
    """Notes one after the other, (samples,) between -1 and 1: a fundamental of `pitches` Hz and five overtones.

    Each is struck and dies away, as a string does. A pitch of 0 is a pause.
    """
    t = torch.arange(round(seconds * rate)) / rate
    envelope = (1 - (-t / 0.005).exp()) * (-t / 0.15).exp()
    tones = [sum(torch.sin(2 * math.pi * k * pitch * t) / k for k in range(1, 7)) * envelope for pitch in pitches]
    sound = torch.cat([torch.as_tensor(tone) for tone in tones])
    return sound / sound.abs().max()


def mel(hertz: Tensor) -> Tensor:
    """Hz to mel, in the form of O'Shaughnessy (1987): nearly linear below 700 Hz, logarithmic far above."""
    return 2595 * torch.log10(1 + hertz / 700)


def mel_filters(mels: int = MELS, window: int = WINDOW, rate: int = RATE) -> Tensor:
    """Triangles (mels, window / 2 + 1) that sum the bins of a spectrum into bands of equal width in mel."""
    bins = mel(torch.linspace(0, rate / 2, window // 2 + 1))
    edges = torch.linspace(0, mel(torch.tensor(rate / 2)).item(), mels + 2)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    return torch.minimum(rising, falling).clamp(min=0)


def log_mel(sound: Tensor, mels: int = MELS) -> Tensor:
    """The log-mel spectrogram (mels, frames) of a sound (samples,): one column for each window of 25 ms.

    Base 10, and nothing more than 8 powers of ten below the loudest, as Whisper does it. Windows that would stick out
    at an end are left out.
    """
    spectrum = torch.stft(
        sound, WINDOW, HOP, window=torch.hann_window(WINDOW), center=False, return_complex=True
    )  # (window / 2 + 1, frames)
    power = mel_filters(mels) @ spectrum.abs().square()
    loud = power.clamp(min=1e-10).log10()
    return loud.clamp(min=loud.max().item() - 8)


def front_end(width: int = 64, mels: int = MELS) -> nn.Sequential:
    """Two convolutions over frames, the second with stride 2: (N, mels, frames) in, (N, width, tokens) out."""
    return nn.Sequential(
        nn.Conv1d(mels, width, 3, padding=1), nn.GELU(), nn.Conv1d(width, width, 3, stride=2, padding=1), nn.GELU()
    )
