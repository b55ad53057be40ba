"""A task with few labels: a text without spaces, and the question at which letters a new word begins."""

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from utils.text import encode

LENGTH = 48  # letters of a window


@dataclass(frozen=True)
class WordStarts:
    """Letters of a text one after the other, and whether a word begins at each.

    The first half serves for pre-training, where nobody asks for words. Labelled windows come from the third quarter;
    the last quarter is for measuring, its first half to choose by and its second half to report.
    """

    alphabet: str
    letters: Tensor  # (N,)
    begins: Tensor  # (N,), 0 or 1

    @property
    def mask(self) -> int:
        """The token that stands for a hidden letter: the one after all letters."""
        return len(self.alphabet)

    def windows(self, part: str, count: int, seed: int) -> tuple[Tensor, Tensor]:
        """`count` windows from random places of "unlabelled", "labelled", "choose" or "report": letters, begins.

        Both are (count, LENGTH). With one seed, the first windows of many are those of few.
        """
        first, last = {"unlabelled": (0, 4), "labelled": (4, 6), "choose": (6, 7), "report": (7, 8)}[part]
        eighth = len(self.letters) // 8
        draw = torch.Generator().manual_seed(seed)
        places = torch.randint(first * eighth, last * eighth - LENGTH, (count,), generator=draw)
        rows = places[:, None] + torch.arange(LENGTH)
        return self.letters[rows], self.begins[rows]


def word_starts(text: str) -> WordStarts:
    """The task, made of a text: small letters, without spaces and punctuation."""
    words = re.findall("[a-z']+", text.lower())
    joined = "".join(words)
    alphabet = "".join(sorted(set(joined)))
    begins = torch.zeros(len(joined), dtype=torch.long)
    begins[torch.tensor([0, *map(len, words[:-1])]).cumsum(0)] = 1
    return WordStarts(alphabet, encode(joined, alphabet), begins)


def next_letters(windows: Tensor) -> tuple[Tensor, Tensor]:
    """Pre-training as GPT's: inputs and targets (B, T - 1), each target the letter after its input."""
    return windows[:, :-1], windows[:, 1:]
