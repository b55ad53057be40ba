"""Small language models whose behaviour is known, to see what an answer does with one.

Each takes tokens (B, T) and a state, None at the start of a text, and gives logits (B, T, V) and the state after them,
a pair of tensors as an LSTM's is.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

State = tuple[Tensor, Tensor]


class Summing(nn.Module):
    """The next token is almost surely (by `gap`) one more than the sum of all so far, or, as likely, 2, …, `choices`
    more; else it follows `logits` (V,)."""

    def __init__(self, logits: Tensor, gap: float, choices: int = 1):
        super().__init__()
        likely = sum(torch.eye(len(logits)).roll(more, 1) for more in range(choices))
        self.logits = logits + gap * likely  # one row for each next token

    def forward(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        total = tokens.cumsum(1) + (0 if state is None else state[0])  # (B, T)
        return self.logits[(total + 1) % len(self.logits)], (total[:, -1:], total[:, -1:])


class Echo(nn.Module):
    """Its memory is known: what stood j characters ago adds strengths[j - 1] to its own logit; nothing else does."""

    def __init__(self, vocabulary: int, strengths: Tensor):
        super().__init__()
        self.vocabulary, self.strengths = vocabulary, strengths

    def forward(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        seen = tokens if state is None else torch.cat([state[0], tokens], 1)
        known = F.pad(F.one_hot(seen, self.vocabulary).float(), (0, 0, len(self.strengths) - 1, 0))
        heard = (s * known.roll(ago, 1) for ago, s in enumerate(self.strengths.tolist()))
        logits = sum(heard, torch.zeros_like(known))
        return logits[:, -tokens.shape[1] :], (seen, seen)


class Rated(nn.Module):
    """Its loss is known: after it has read k characters, a 0 costs bits_after_reading[k - 1], or the last of these."""

    def __init__(self, bits_after_reading: Tensor):
        super().__init__()
        self.bits = bits_after_reading

    def forward(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        read = torch.ones_like(tokens).cumsum(1) + (0 if state is None else state[0])  # (B, T)
        p = (-self.bits[read.clamp(max=len(self.bits)) - 1]).exp2()  # (B, T)
        return torch.stack([p, 1 - p], -1).log(), (read[:, -1:], read[:, -1:])
