"""The baseline of the text lessons: an n-gram model, which counts."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor


class NGram:
    """The baseline that counts: which character followed the last `order` − 1 characters, and how often?

    Interpolated Kneser–Ney smoothing. After the context h, of which h' is all but the first character::

        P(c | h) = (max(count(h c) − D, 0) + D kinds(h) P(c | h')) / count(h)

    where kinds(h) is the number of different characters that were seen after h. Each pays the discount D, and what
    is paid goes to the shorter context. There, count(h' c) is the number of different characters that were seen
    *before* h' c, so that a frequent "u" counts little where it only ever follows "q". Below the empty context
    stands 1 / V for each character. D = (n1 + 1) / (n1 + 2 n2 + 2), where n1 and n2 n-grams were counted once and
    twice: the usual estimate, kept above 0 and below 1.

    (Kneser and Ney 1995, "Improved Backing-Off for M-Gram Language Modeling"; in this form Chen and Goodman 1998,
    "An Empirical Study of Smoothing Techniques for Language Modeling". Their version with three discounts gains
    another 0.05 bits on tiny Shakespeare at order 6.)

    Raises ValueError where order or alphabet is below 1, or so large that an n-gram has no number of 63 bits.
    """

    def __init__(self, order: int, alphabet_size: int):
        if order < 1 or alphabet_size < 1 or alphabet_size**order >= 2**63:
            raise ValueError(
                f"NGram(order={order}, alphabet_size={alphabet_size}): both must be at least 1, and "
                "alphabet_size to the power of order below 2^63. Take a lower order."
            )
        self.order, self.alphabet_size, self.levels = order, alphabet_size, []

    def fit(self, tokens: Tensor) -> Self:
        """Count a text (N,). Counts of an earlier call are forgotten."""
        text = self._checked(tokens, at_least=self.order)
        self.levels = [self._count(text, n) for n in range(1, self.order + 1)]
        return self

    def _count(self, text: np.ndarray, n: int) -> "Counts":
        if n == self.order:
            return Counts.of(self._codes(text, n), self.alphabet_size)
        with_one_before = np.unique(self._codes(text, n + 1))
        return Counts.of(with_one_before % self.alphabet_size**n, self.alphabet_size)

    def bits(self, tokens: Tensor) -> float:
        """Mean −log2 P of the characters of a text (N,); the first ones have less context than the others."""
        text = self._checked(tokens, at_least=1)
        probabilities = np.full(len(text), 1 / self.alphabet_size)
        for n, counts in enumerate(self._fitted()[: len(text)], start=1):
            contexts = self._codes(text, n) // self.alphabet_size
            probabilities[n - 1 :] = counts.mixed_with(probabilities[n - 1 :], contexts, text[n - 1 :])
        return float(-np.log2(probabilities).mean())

    def __call__(self, tokens: Tensor) -> Tensor:
        """Logits of the character that follows each text, here ln P: tokens (B, T) in, (B, 1, V) out."""
        texts = self._checked(tokens, at_least=1)
        probabilities = np.full((len(texts), self.alphabet_size), 1 / self.alphabet_size)
        for n, counts in enumerate(self._fitted()[: texts.shape[-1] + 1], start=1):
            contexts = self._codes(texts[:, texts.shape[-1] - n + 1 :], n - 1)  # (B, 1), the last n − 1 characters
            probabilities = counts.mixed_with(probabilities, contexts, np.arange(self.alphabet_size))
        return torch.from_numpy(np.log(probabilities)).float()[:, None]

    def _codes(self, text: np.ndarray, n: int) -> np.ndarray:
        """Each n characters in a row of (…, N) as one number, with V as the base: (…, N − n + 1)."""
        places = text.shape[-1] - n + 1
        codes = np.zeros((*text.shape[:-1], places), dtype=np.int64)
        for i in range(n):
            codes = codes * self.alphabet_size + text[..., i : i + places]
        return codes

    def _fitted(self) -> list["Counts"]:
        if not self.levels:
            raise ValueError("this NGram has counted nothing yet: call fit(tokens) first.")
        return self.levels

    def _checked(self, tokens: Tensor, at_least: int) -> np.ndarray:
        text = torch.as_tensor(tokens).numpy()
        if text.shape[-1] < at_least:
            raise ValueError(f"Got {text.shape[-1]} characters; an NGram of order {self.order} needs {at_least} here.")
        if text.min() < 0 or text.max() >= self.alphabet_size:
            raise ValueError(
                f"tokens run from {text.min()} to {text.max()}; expected 0 to {self.alphabet_size - 1}, "
                "for the alphabet size that this NGram was made for."
            )
        return text


@dataclass(frozen=True)
class Counts:
    """The n-grams of one length, each a number; the arrays are sorted by it, to be searched."""

    alphabet_size: int
    grams: np.ndarray  # each n-gram that was seen
    times: np.ndarray  # how often
    contexts: np.ndarray  # each context (an n-gram without its last character) that was seen
    total: np.ndarray  # how often
    kinds: np.ndarray  # how many different characters followed it
    discount: float

    @classmethod
    def of(cls, codes: np.ndarray, alphabet_size: int) -> Self:
        grams, times = np.unique(codes, return_counts=True)
        contexts, first, kinds = np.unique(grams // alphabet_size, return_index=True, return_counts=True)
        once, twice = np.count_nonzero(times == 1), np.count_nonzero(times == 2)
        discount = (once + 1) / (once + 2 * twice + 2)
        return cls(alphabet_size, grams, times, contexts, np.add.reduceat(times, first), kinds, discount)

    def mixed_with(self, shorter: np.ndarray, contexts: np.ndarray, characters: np.ndarray) -> np.ndarray:
        """P(character | context), where `shorter` is what the shorter context says. Shapes broadcast."""
        times = look_up(contexts * self.alphabet_size + characters, self.grams, self.times)
        total = look_up(contexts, self.contexts, self.total)
        kinds = look_up(contexts, self.contexts, self.kinds)
        mixed = np.maximum(times - self.discount, 0) + self.discount * kinds * shorter
        return np.where(total > 0, mixed / np.maximum(total, 1), shorter)


def look_up(wanted: np.ndarray, keys: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The value of each wanted key, 0 where there is none; keys are sorted."""
    found = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[found] == wanted, values[found], 0)
