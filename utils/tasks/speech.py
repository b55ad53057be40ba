"""Speech that we make: words of eight letters as spectrograms, whose letters last as long as they like.

Each letter is a vowel, two bands of the spectrum, or a consonant, a wide one. Nobody says where a letter begins: a
network gets the spectrogram and the word. Shapes: B utterances, T frames, F = 16 bands.
"""

import numpy as np
import torch
from torch import Tensor

ALPHABET = "-aeioukst"
"""Token 0 is CTC's blank, and also fills the words up to the same length."""

BANDS, FRAMES = 16, 48
CENTRES = {
    "a": (7, 10),
    "e": (4, 13),
    "i": (2, 14),
    "o": (4, 8),
    "u": (2, 6),
    "k": (9, 9),
    "s": (15, 13),
    "t": (12, 10),
}
WIDTHS = {letter: 0.8 if letter in "aeiou" else 2.0 for letter in CENTRES}


def spectrum(letter: str) -> np.ndarray:
    """How loud each of the bands is, (F,)."""
    bands = np.arange(BANDS)
    peaks = [np.exp(-(((bands - centre) / WIDTHS[letter]) ** 2)) for centre in CENTRES[letter]]
    return np.sum(peaks, axis=0)


SPECTRA = np.stack([np.zeros(BANDS), *(spectrum(letter) for letter in ALPHABET[1:])])


def utterances(count: int, seed: int, noise: float = 0.35) -> tuple[Tensor, Tensor, Tensor]:
    """Spectrograms (count, T, F), words (count, 6) of tokens with zeros after them, and what sounds when (count, T).

    A word has three to six letters, each of three to seven frames that swell and fade; neighbours run into each other.
    The last of the three is for looking alone: no training sees it.
    """
    rng = np.random.default_rng(seed)
    made = [_utter(rng, noise) for _ in range(count)]
    sounds, words, truth = (np.stack(part) for part in zip(*made, strict=True))
    return torch.from_numpy(sounds).float(), torch.from_numpy(words), torch.from_numpy(truth)


def _utter(rng: np.random.Generator, noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    word = rng.integers(1, len(ALPHABET), rng.integers(3, 7))
    truth, loud, time = np.zeros(FRAMES, int), np.zeros(FRAMES), int(rng.integers(1, 5))
    for token in word:
        lasts = int(rng.integers(3, 8))
        truth[time : time + lasts] = token
        loud[time : time + lasts] = rng.uniform(0.7, 1.3) * np.sin(np.pi * (np.arange(lasts) + 0.7) / (lasts + 0.4))
        time += lasts
    clean = loud[:, None] * SPECTRA[truth]
    around = np.pad(clean, ((1, 1), (0, 0)))
    blurred = 0.25 * around[:-2] + 0.5 * around[1:-1] + 0.25 * around[2:]
    return blurred + noise * rng.normal(size=clean.shape), np.pad(word, (0, 6 - len(word))), truth


def read_word(tokens: Tensor) -> str:
    """Tokens of a word as letters; blanks are left out."""
    return "".join(ALPHABET[token] for token in tokens.tolist() if token)


def edits(one: str, other: str) -> int:
    """How many letters have to be put in, taken out or changed: Levenshtein's distance."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]
