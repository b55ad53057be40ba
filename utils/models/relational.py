"""The course's transformer block on sets and on graphs: without positions, and with edges as the mask."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.models.text import Attention, Block


def nowhere(x: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """The rotation (T, D / 2) that turns nothing, so that no element of x (B, T, C) has a place."""
    pairs = x.shape[1], x.shape[2] // heads // 2
    return x.new_ones(pairs), x.new_zeros(pairs)


class EdgeAttention(Attention):
    """The same attention, in which row i may look at j where `edges` (T, T) is True."""

    edges: Tensor | None = None

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], cache=None) -> Tensor:
        queries, keys, values = self.project(x, rotation)
        z = F.scaled_dot_product_attention(queries, keys, values, self.edges)
        return self.out(z.transpose(1, 2).flatten(2))


class SetNetwork(nn.Module):
    """Elements (B, T, inputs) in, (B, T, outputs) out: layers of the block, with no position anywhere.

    With `edges` (T, T) it reads a graph, else a set: everyone sees everyone. With `positions` each place of the first
    `positions` has a vector of its own, added at the start, as in a transformer for text.
    """

    def __init__(self, inputs: int, outputs: int, width: int = 24, heads: int = 2, layers: int = 2, positions: int = 0):
        super().__init__()
        self.heads = heads
        self.embedding, self.head = nn.Linear(inputs, width), nn.Linear(width, outputs)
        self.places = nn.Parameter(torch.randn(positions, width)) if positions else None
        self.looks = [EdgeAttention(width, heads, causal=False) for _ in range(layers)]
        self.blocks = nn.ModuleList(Block(width, heads, causal=False) for _ in range(layers))
        for block, attention in zip(self.blocks, self.looks, strict=True):
            block.attention = attention

    def forward(self, elements: Tensor, edges: Tensor | None = None) -> Tensor:
        x = self.embedding(elements)
        x = x if self.places is None else x + self.places[: x.shape[1]]
        rotation = nowhere(x, self.heads)
        for block, attention in zip(self.blocks, self.looks, strict=True):
            attention.edges = edges
            x = block(x, rotation)
        return self.head(x)


class OneAnswer(SetNetwork):
    """Elements (B, T, inputs) in, logits (B, outputs) of the whole out: the mean over the elements."""

    def forward(self, elements: Tensor, edges: Tensor | None = None) -> Tensor:
        return super().forward(elements, edges).mean(1)


class OnGraph(nn.Module):
    """A network on one graph, nodes (B, T, inputs) in: what `fit` trains."""

    def __init__(self, network: SetNetwork, edges: Tensor):
        super().__init__()
        self.network, self.edges = network, edges

    def forward(self, nodes: Tensor) -> Tensor:
        return self.network(nodes, self.edges)


def path_graph(nodes: int) -> Tensor:
    """Who sees whom (T, T) on a path: each node itself and its neighbours."""
    return torch.ones(nodes, nodes, dtype=torch.bool).triu(-1).tril(1)
