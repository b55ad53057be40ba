"""A hidden Markov model: the recurrence that language models used before there were recurrent networks."""

import torch
from torch import Tensor

from utils.training.rehearsal import rehearsed


class HMM:
    """S hidden states; each emits a character and goes over to the next one, by tables of probabilities.

    The forward algorithm reads a text and carries P(state | characters so far), S numbers that sum to 1. Baum–Welch
    fits the tables: it reads forwards and backwards, asks how often each state and each transition was likely, and
    takes these counts for the new tables. No step lowers the likelihood (Baum et al. 1970; Rabiner 1989, "A Tutorial on
    Hidden Markov Models and Selected Applications in Speech Recognition").

    start (S,), transition (S, S) from row to column, emission (S, V): rows sum to 1. All in double precision.
    """

    def __init__(self, states: int, alphabet_size: int, seed: int = 0):
        draw = torch.Generator().manual_seed(seed)
        self.start = torch.full((states,), 1 / states, dtype=torch.float64)
        self.transition = _random_rows(states, states, draw)
        self.emission = _random_rows(states, alphabet_size, draw)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Beliefs P(state | x_1 … x_t), (B, T, S), and ln P(x_t | x_1 … x_{t−1}), (B, T): tokens (B, T) in."""
        belief = self.start.expand(len(tokens), -1)  # what is expected before the first character
        beliefs, surprises = [], []
        for token in tokens.unbind(1):
            joint = belief * self.emission.T[token]  # (B, S): P(state, character | what came before)
            total = joint.sum(1, keepdim=True)
            beliefs.append(joint / total)
            surprises.append(total.log())
            belief = beliefs[-1] @ self.transition
        return torch.stack(beliefs, 1), torch.cat(surprises, 1)

    def bits(self, tokens: Tensor) -> float:
        """Mean −log2 P of the characters of texts (B, T), each read from an empty start."""
        return float(-self.forward(tokens)[1].mean() / torch.tensor(2.0).log())

    def fit(self, tokens: Tensor, steps: int = 30) -> list[float]:
        """Take steps of Baum–Welch on texts (B, T); the bits per character before each of them."""
        return [self._step(tokens) for _ in range(rehearsed(steps, 1))]

    def _step(self, tokens: Tensor) -> float:
        beliefs, surprises = self.forward(tokens)
        given_all, pairs = self._backward(tokens, beliefs, surprises.exp())
        self.start = _as_rows(given_all[:, 0].sum(0))
        self.transition = _as_rows(self.transition * pairs)
        counts = torch.zeros_like(self.emission.T).index_add_(0, tokens.flatten(), given_all.flatten(0, 1))  # (V, S)
        self.emission = _as_rows(counts.T + 1e-6)  # a character that was never seen is not impossible
        return float(-surprises.mean() / torch.tensor(2.0).log())

    def _backward(self, tokens: Tensor, beliefs: Tensor, chances: Tensor) -> tuple[Tensor, Tensor]:
        """P(state | whole text), (B, T, S), and Σ beliefs_t · later_{t+1} over texts and steps, (S, S)."""
        later = torch.ones_like(beliefs[:, 0])  # P(what follows | state), scaled as the beliefs are
        given_all, pairs = [beliefs[:, -1]], torch.zeros_like(self.transition)
        for t in range(tokens.shape[1] - 2, -1, -1):
            ahead = self.emission.T[tokens[:, t + 1]] * later / chances[:, t + 1, None]  # (B, S)
            pairs += beliefs[:, t].T @ ahead
            later = ahead @ self.transition.T
            given_all.append(beliefs[:, t] * later)
        return torch.stack(given_all[::-1], 1), pairs


def _random_rows(rows: int, columns: int, draw: torch.Generator) -> Tensor:
    return _as_rows(-torch.rand(rows, columns, generator=draw, dtype=torch.float64).log())


def _as_rows(counts: Tensor) -> Tensor:
    """The same, with sums of 1 along the last axis."""
    return counts / counts.sum(-1, keepdim=True)
