"""What the trainings of text models share: a text in two parts, and windows of the first."""

from hashlib import sha256

import torch
from torch import Tensor

from tools.train_weights.trainer import M, Training
from utils.data import Corpus
from utils.text import encode


class TextTraining(Training[M]):
    """A model that learns a corpus, or the last 1 / `part` of its training text, with this alphabet or that of all."""

    unit = "bits per character"
    counted = "characters"

    def __init__(self, corpus: Corpus, alphabet: str | None = None, part: int = 1):
        self.alphabet: str = corpus.alphabet if alphabet is None else alphabet
        self.train_tokens = encode(corpus.train[-(len(corpus.train) // part) :], self.alphabet)
        self.validation_tokens = encode(corpus.validation, self.alphabet)
        self.data = {
            "name": corpus.name,
            "characters": len(corpus.text),
            "sha256": sha256(corpus.text.encode()).hexdigest(),
            "trained_on": len(self.train_tokens),
            "validation": len(self.validation_tokens),
        }

    def windows_at(self, starts: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets (B, length) that begin at these places (B,) of the training text."""
        windows = self.train_tokens[starts[:, None] + torch.arange(length + 1)]  # (B, length + 1)
        return windows[:, :-1], windows[:, 1:]
