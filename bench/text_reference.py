"""The well-known recipe for a character transformer on a CPU, that of nanoGPT, written down from its description.

Four layers of four heads, 128 wide, 64 characters of context, 12 windows a step, no dropout. AdamW with rate 1e-3,
betas 0.9 and 0.99 and weight decay 0.1 on matrices only, gradients clipped at norm 1; the rate rises for 100 steps
and falls along a cosine to 1e-4 at step 2,000. Positions are learned, norms are LayerNorm without a bias, the
activation is GELU, and the embedding serves as the last layer too.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CONTEXT, STEPS, BATCH = 64, 2_000, 12
WARM_UP, PEAK_RATE, LAST_RATE = 100, 1e-3, 1e-4


class Reference(nn.Module):
    """Tokens (B, T) in, logits (B, T, V) out. With 65 characters it has 804,096 parameters."""

    def __init__(self, vocabulary: int, width: int = 128, heads: int = 4, layers: int = 4):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(CONTEXT, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width, bias=False)
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.embedding.weight
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:  # what ends a residual step starts smaller, as 2 × layers of them add up
                ends = name.endswith(("attended.weight", "narrow.weight"))
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * layers) if ends else 0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens) + self.positions.weight[: tokens.shape[1]]  # (B, T, C)
        return self.head(self.norm(self.blocks(x)))  # (B, T, V)


class Block(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = (nn.LayerNorm(width, bias=False) for _ in range(2))
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.attended = nn.Linear(width, width, bias=False)
        self.wide = nn.Linear(width, 4 * width, bias=False)
        self.narrow = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.qkv(self.norm1(x)).chunk(3, -1)  # each (B, T, C)
        queries, keys, values = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)  # (B, H, T, D)
        z = F.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        x = x + self.attended(z.transpose(1, 2).flatten(2))  # (B, H, T, D) to (B, T, C)
        return x + self.narrow(F.gelu(self.wide(self.norm2(x))))


def optimizer_of(model: nn.Module) -> torch.optim.Optimizer:
    matrices = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, PEAK_RATE, (0.9, 0.99), fused=True)


def rate(step: int) -> float:
    """The learning rate of steps 0 to 1,999, as a fraction of its peak."""
    if step < WARM_UP:
        return (step + 1) / (WARM_UP + 1)
    done = (step - WARM_UP) / (STEPS - WARM_UP)
    last = LAST_RATE / PEAK_RATE
    return last + (1 - last) * (1 + math.cos(math.pi * done)) / 2


def random_windows(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """One batch from anywhere in the text: inputs and targets, each (12, 64)."""
    cut = tokens.unfold(0, CONTEXT + 1, 1)[torch.randint(len(tokens) - CONTEXT, (BATCH,))]
    return cut[:, :-1], cut[:, 1:]
