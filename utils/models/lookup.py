"""A model of attention and nothing else: no feed-forward part, no norm. With switches for what lesson 10 compares.

Shapes: B sequences, T tokens, C channels, H heads of D = C / H channels each, V tokens that there are.
"""

import copy
import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from utils.models.text import rotate

Positions = Literal["none", "learned", "sinusoidal", "rotary"]
Visible = Tensor | list[Tensor | None] | None
LONGEST = 64  # positions that a learned table has, unless told


class Lookup(nn.Module):
    """Tokens (B, T) in, logits (B, T, answers) out: each layer adds to a token what it has looked up.

    A layer is x + attention(x), as in Vaswani et al. (2017) without all the rest. `positions` says how the model is
    told where a token stands: not at all, by a learned or a sinusoidal vector that is added to the embedding, or by
    turning queries and keys (Su et al. 2021). With `causal` a token sees itself and those before it.

    Raises ValueError for positions that are unknown and for a width that does not split into heads.
    """

    def __init__(
        self,
        tokens: int,
        answers: int,
        width: int = 32,
        heads: int = 1,
        layers: int = 1,
        positions: Positions = "none",
        causal: bool = False,
        longest: int = LONGEST,
    ):
        super().__init__()
        if positions not in ("none", "learned", "sinusoidal", "rotary"):
            raise ValueError(f"positions={positions!r} is unknown. Choose none, learned, sinusoidal or rotary.")
        if width % (2 * heads):
            raise ValueError(f"width={width} does not split into {heads} heads of an even number of channels.")
        self.positions, self.causal = positions, causal
        self.embedding = nn.Embedding(tokens, width)
        self.places = nn.Embedding(longest, width) if positions == "learned" else None
        looks = nn.ModuleList(Look(width, heads, positions == "rotary") for _ in range(layers))
        self.looks: Sequence[Look] = looks  # pyright: ignore[reportAttributeAccessIssue]
        self.head = nn.Linear(width, answers)

    def forward(self, tokens: Tensor, visible: Visible = None) -> Tensor:
        """`visible` (…, T, T), True where row may look at column, comes on top of the causal mask.

        One for all layers, or a list with one (or None) for each.
        """
        return self.read(self.vectors(tokens), visible)

    def vectors(self, tokens: Tensor) -> Tensor:
        """Embeddings, with those positions that are added: (B, T, C)."""
        x = self.embedding(tokens)
        where = torch.arange(tokens.shape[1], device=tokens.device)
        if self.places is not None:
            return x + self.places(where)
        return x + sinusoids(where, x.shape[-1]) if self.positions == "sinusoidal" else x

    def read(self, x: Tensor, visible: Visible = None) -> Tensor:
        """What follows: vectors (B, T, C) in, logits (B, T, answers) out."""
        for number, look in enumerate(self.looks):
            x = x + look(x, self.seen(x, visible, number))[0]
        return self.head(x)

    def seen(self, x: Tensor, visible: Visible, layer: int) -> Tensor | None:
        """Who may look at whom in this layer, (…, T, T), or None where everybody may look at everybody."""
        visible = visible[layer] if isinstance(visible, list) else visible
        if not self.causal:
            return visible
        past = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).tril()
        return past if visible is None else past & visible

    @torch.no_grad()
    def weights(self, tokens: Tensor, visible: Visible = None) -> Tensor:
        """Who looks at whom: (layers, B, H, T, T). Row i holds what token i takes from each j."""
        x, found = self.vectors(tokens), []
        for number, look in enumerate(self.looks):
            more, weights = look(x, self.seen(x, visible, number))
            x = x + more
            found.append(weights)
        return torch.stack(found)


class Look(nn.Module):
    """Self-attention with several heads: x (B, T, C) in; what was looked up (B, T, C) and the weights (B, H, T, T)."""

    def __init__(self, width: int, heads: int, rotary: bool = False):
        super().__init__()
        self.heads, self.rotary = heads, rotary
        self.farthest: int | None = None  # rotary keys farther back than that are turned as if they were there
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, visible: Tensor | None = None) -> tuple[Tensor, Tensor]:
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, H, T, D) each
        scores = self.products(q, k) / math.sqrt(q.shape[-1])  # (B, H, T, T)
        if visible is not None:
            scores = scores.masked_fill(~visible, -math.inf)
        weights = scores.softmax(-1)
        return self.out((weights @ v).transpose(1, 2).flatten(2)), weights

    def products(self, q: Tensor, k: Tensor) -> Tensor:
        """Each query times each key, (B, H, T, D) both; turned by their positions if this is rotary."""
        if not self.rotary:
            return q @ k.mT
        places = torch.arange(q.shape[-2], device=q.device)
        products = turned(q, places) @ turned(k, places).mT
        if self.farthest is None:
            return products
        as_if_nearer = turned(q, torch.full_like(places, self.farthest)) @ k.mT
        return torch.where(places[:, None] - places > self.farthest, as_if_nearer, products)


def clipped(model: Lookup, farthest: int) -> Lookup:
    """A copy of a causal rotary model that takes all larger distances for `farthest`. It still sees every key."""
    model = copy.deepcopy(model)
    for look in model.looks:
        look.farthest = farthest
    return model


def sinusoids(places: Tensor, width: int) -> Tensor:
    """Sine in the even channels and cosine in the odd ones, slower from pair to pair: places (T,) to (T, width).

    Vaswani et al. (2017), section 3.5.
    """
    speeds = 10_000.0 ** -(torch.arange(0, width, 2, device=places.device) / width)
    angles = places[:, None] * speeds  # (T, width / 2)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)


def turned(x: Tensor, places: Tensor) -> Tensor:
    """Queries or keys x (…, T, D), each pair of channels turned by its place (T,)."""
    half = x.shape[-1] // 2
    speeds = 10_000.0 ** -(torch.arange(half, device=x.device) / half)
    angles = places[:, None] * speeds  # (T, D / 2)
    return rotate(x, angles.cos(), angles.sin())
