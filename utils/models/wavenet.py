"""A causal dilated CNN for text, after WaveNet: van den Oord et al. 2016, arXiv:1609.03499.

Shapes: B texts, T characters, V characters in the alphabet, C channels. Logits at position t are for the character
after it, and depend on the characters up to t, and no further back than the receptive field.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CausalConv(nn.Conv1d):
    """A convolution over (B, C, T) that is padded on the left alone, so that position t reads no later one."""

    def __init__(self, channels: int, out: int, kernel: int, dilation: int = 1):
        super().__init__(channels, out, kernel, dilation=dilation)
        self.past = (kernel - 1) * dilation

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(F.pad(input, (self.past, 0)))


class GatedBlock(nn.Module):
    """WaveNet's block: tanh of one convolution times sigmoid of another, then a skip and the way on."""

    def __init__(self, channels: int, kernel: int, dilation: int):
        super().__init__()
        self.both = CausalConv(channels, 2 * channels, kernel, dilation)
        self.out = nn.Conv1d(channels, 2 * channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        new, gate = self.both(x).chunk(2, 1)
        on, skip = self.out(new.tanh() * gate.sigmoid()).chunk(2, 1)
        return x + on, skip


class WaveNet(nn.Module):
    """A gated block for each dilation; the sum of all skips is read out. Tokens (B, T) in, logits (B, T, V) out."""

    def __init__(self, vocabulary: int, channels: int, dilations: Sequence[int], kernel: int = 2):
        super().__init__()
        self.layers = [(kernel, 1, (kernel - 1) * dilation, dilation) for dilation in dilations]
        self.embedding = nn.Embedding(vocabulary, channels)
        self.blocks = nn.ModuleList(GatedBlock(channels, kernel, dilation) for dilation in dilations)
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, vocabulary))

    def forward(self, tokens: Tensor) -> Tensor:
        return self.read(self.embedding(tokens))

    def read(self, vectors: Tensor) -> Tensor:
        """What follows the embedding: vectors (B, T, C) in. `influence(model.read, model.embedding(tokens))`."""
        x, total = vectors.mT, 0.0
        for block in self.blocks:
            x, skip = block(x)
            total = total + skip
        return self.head(torch.as_tensor(total).mT)
