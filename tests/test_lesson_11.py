"""Lesson 11: right answers of other styles, wrong ones that have no name, the figures, the widgets, the record."""

import json
import math
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bench import record_comparison as recorder
from utils import costs, models
from utils.checking import Status
from utils.checks import tiny_transformer as check
from utils.plotting import costs as cost_plots
from utils.plotting import curves, horizons, runs, scaling
from utils.reach import Horizon
from utils.training import LearningCurve, count_parameters
from utils.widgets import attention_viewer as viewer
from utils.widgets import side_by_side as sides


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


# --- right answers in other styles ------------------------------------------------------------------------------


def attention_by_loops(x, w_in, w_out, heads):
    batch, time, width = x.shape
    size = width // heads
    q, k, v = (x @ w_in.T).split(width, dim=-1)
    z = torch.zeros_like(x)
    for b in range(batch):
        for h in range(heads):
            part = slice(h * size, (h + 1) * size)
            for i in range(time):
                scores = torch.stack([q[b, i, part] @ k[b, j, part] / size**0.5 for j in range(i + 1)])
                z[b, i, part] = sum(a * v[b, j, part] for j, a in enumerate(scores.softmax(0)))
    return z @ w_out.T


def attention_by_einsum(x, w_in, w_out, heads):
    q, k, v = (x.double() @ w_in.double().T).unflatten(-1, (3, heads, -1)).unbind(2)  # (B, T, H, D)
    scores = torch.einsum("bihd,bjhd->bhij", q, k) / q.shape[-1] ** 0.5
    future = torch.triu(torch.full(scores.shape[-2:], -1e9, dtype=scores.dtype), 1)
    return torch.einsum("bhij,bjhd->bihd", (scores + future).softmax(-1), v).flatten(2) @ w_out.double().T


def attention_by_torch(x, w_in, w_out, heads):
    layer = nn.MultiheadAttention(x.shape[-1], heads, bias=False, batch_first=True)
    with torch.no_grad():
        layer.in_proj_weight.copy_(w_in)
        layer.out_proj.weight.copy_(w_out)
    mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
    return layer(x, x, x, attn_mask=mask, need_weights=False)[0]


def attention_in_numpy(x, w_in, w_out, heads):
    x, w_in, w_out = x.numpy(), w_in.numpy(), w_out.numpy()
    q, k, v = (part.reshape(*x.shape[:2], heads, -1) for part in np.split(x @ w_in.T, 3, axis=-1))
    scores = np.einsum("bihd,bjhd->bhij", q, k) / np.sqrt(q.shape[-1])
    weights = np.exp(scores - scores.max(-1, keepdims=True)) * np.tri(x.shape[1])
    weights /= weights.sum(-1, keepdims=True)
    return np.einsum("bhij,bjhd->bihd", weights, v).reshape(x.shape) @ w_out.T


def rotary_in_pairs(x):
    """Pair by pair, with a matrix for each position."""
    half, turned = x.shape[-1] // 2, torch.empty_like(x)
    for i in range(half):
        for t in range(x.shape[-2]):
            angle = t * 10_000 ** (-2 * i / x.shape[-1])
            matrix = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
            turned[..., t, [i, i + half]] = x[..., t, [i, i + half]] @ matrix.T
    return turned


def rotary_by_a_roll(x):
    """With the partner of each channel in its place, as the course's model does."""
    half = x.shape[-1] // 2
    angles = torch.outer(torch.arange(x.shape[-2]).double(), 10_000.0 ** -(torch.arange(half).double() / half))
    return models.text.rotate(x.double(), angles.cos(), angles.sin())


def rotary_in_numpy(x):
    x = x.numpy()
    z = x[..., : x.shape[-1] // 2] + 1j * x[..., x.shape[-1] // 2 :]
    z = z * np.exp(1j * np.arange(x.shape[-2])[:, None] / 1e4 ** np.linspace(0, 1, z.shape[-1], endpoint=False))
    return np.concatenate([z.real, z.imag], -1)


def block_with_rms_norm(x, attend, w_up, w_down):
    x = attend(F.rms_norm(x, x.shape[-1:])) + x
    return F.linear(F.relu(F.linear(F.rms_norm(x, (x.shape[-1],), eps=1e-6), w_up)), w_down) + x


def block_with_a_large_eps(x, attend, w_up, w_down):
    x = x + attend(F.rms_norm(x, x.shape[-1:], eps=1e-5))
    return x + (F.rms_norm(x, x.shape[-1:], eps=1e-5) @ w_up.mT).clamp(min=0) @ w_down.mT


class BlockInDouble:
    def __call__(self, stream, look, up, down):
        stream = stream.double()
        for part in (look, lambda s: (s @ up.double().T).relu() @ down.double().T):
            stream = stream + part(nn.RMSNorm(stream.shape[-1], dtype=torch.float64)(stream)).double()
        return stream


class Sinusoidal(nn.Module):
    """Positions as waves, post-norm blocks of torch, mask as -inf."""

    def __init__(self, vocabulary, width, heads, layers):
        super().__init__()
        self.width, self.embed = width, nn.Embedding(vocabulary, width)
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, 0.1, batch_first=True)
        self.body = nn.TransformerEncoder(layer, layers)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens):
        T = tokens.shape[1]
        angles = torch.arange(T)[:, None] / 100 ** (torch.arange(self.width) / self.width)
        mask = nn.Transformer.generate_square_subsequent_mask(T)
        return self.head(self.body(self.embed(tokens) + angles.sin(), mask=mask, is_causal=True))


class ByHand(nn.Module):
    """A loop over heads with a mask that is kept, learned positions, and the embedding as the last map too."""

    def __init__(self, vocabulary, width, heads, layers):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.places = nn.Parameter(torch.zeros(256, width))
        self.register_buffer("hidden", torch.ones(256, 256).triu(1).bool())
        self.blocks = nn.ModuleList()
        for _ in range(layers):
            looks = [nn.ModuleList(nn.Linear(width, width // heads) for _ in range(3)) for _ in range(heads)]
            think = nn.Sequential(nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, width), nn.Dropout())
            norms = nn.ModuleList([nn.LayerNorm(width), nn.RMSNorm(width)])
            self.blocks.append(nn.ModuleList([nn.ModuleList(looks), nn.Linear(width, width), think, norms]))
        self.last = nn.Linear(width, vocabulary, bias=False)
        self.last.weight = self.embed.weight

    def forward(self, tokens):
        T = tokens.size(1)
        x = self.embed(tokens) + self.places[:T]
        for looks, join, think, (before, between) in self.blocks:
            y, found = before(x), []
            for q, k, v in looks:
                scores = q(y) @ k(y).transpose(-2, -1) * q(y).size(-1) ** -0.5
                found.append(scores.masked_fill(self.hidden[:T, :T], float("-inf")).softmax(-1) @ v(y))
            x = x + join(torch.cat(found, -1))
            x = x + think(between(x))
        return self.last(x)


def turned_as_pairs(part, angle):
    turn = torch.polar(torch.ones(angle.shape), angle)
    return torch.view_as_real(torch.view_as_complex(part.reshape(*part.shape[:-1], -1, 2)) * turn).flatten(-2)


def turned_by_parts(part, angle):
    turned = torch.complex(*part.chunk(2, -1)) * torch.polar(torch.ones_like(angle), angle)
    return torch.cat([turned.real, turned.imag], -1)


def turned_by_exponentials(part, angle):
    turned = torch.complex(*part.chunk(2, -1)) * torch.exp(1j * angle)
    return torch.cat([turned.real, turned.conj().imag * -1], -1)


class Turning(nn.Module):
    """Rotary positions as complex numbers, the mask as a large negative number, numbers of one head in a view."""

    def __init__(self, vocabulary, width, heads, layers, turn=turned_as_pairs):
        super().__init__()
        self.turn = turn
        self.heads, self.embed, self.head = heads, nn.Embedding(vocabulary, width), nn.Linear(width, vocabulary)
        self.maps = nn.ParameterList(torch.randn(4, width, width) / width**0.5 for _ in range(layers))
        self.mlps = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 8 * width), nn.GLU(), nn.Linear(4 * width, width)) for _ in range(layers)
        )

    def forward(self, tokens):
        x = self.embed(tokens)
        B, T, C = x.shape
        angle = torch.outer(torch.arange(T), 0.1 ** torch.arange(C // self.heads // 2))
        for maps, mlp in zip(self.maps, self.mlps, strict=True):
            *split, out = maps
            q, k, v = ((x @ m).view(B, T, self.heads, -1).transpose(1, 2) for m in split)
            q, k = self.turn(q, angle.float()), self.turn(k, angle.float())
            seen = torch.ones(T, T).tril()
            weights = ((q @ k.mT) / math.sqrt(q.shape[-1]) + (seen - 1) * 1e9).softmax(-1)
            x = x + (weights @ v).permute(0, 2, 1, 3).contiguous().view(B, T, C) @ out
            x = x + mlp(F.layer_norm(x, (C,)))
        return self.head(x)


def cached_with_torch(x, keys, values, w_in, w_out, heads):
    q, k, v = w_in.view(3, len(x), len(x)) @ x
    keys, values = torch.vstack([keys, k]), torch.vstack([values, v])
    split = [t.view(-1, heads, len(x) // heads).transpose(0, 1) for t in (q, keys, values)]
    return w_out @ F.scaled_dot_product_attention(*split).flatten(), keys, values


def width_by_formula(budget, vocabulary):
    b = 2 * vocabulary + 8
    return np.int64(math.isqrt(b * b + 32 * (budget - vocabulary)) - b) // 16


def by_building(budget, vocabulary):
    width = 0
    while count_parameters(models.CharLSTM(vocabulary, width + 1).to("meta")) <= budget:
        width += 1
    return width


class Free(nn.Module):
    """A decoder with a place for each decision that the exercise leaves open, or that an answer may get wrong."""

    def __init__(
        self, vocabulary, width, heads, layers, *,
        inside=4, bend=F.gelu, scale=None, bias=lambda scores: 0, places=256, mask=torch.tril, residuals=(1, 1),
        norm=lambda x: F.layer_norm(x, x.shape[-1:]), last_norm=lambda x: x, share=(), place=lambda at: at,
    ):  # fmt: skip
        super().__init__()
        self.heads, self.bend, self.bias, self.mask = heads, bend, bias, mask
        self.residuals, self.norm, self.last_norm, self.place = residuals, norm, last_norm, place
        self.scale = (width // heads) ** -0.5 if scale is None else scale
        self.embed, self.head = nn.Embedding(vocabulary, width), nn.Linear(width, vocabulary)
        self.places = nn.Embedding(places, width) if places else None
        shapes = {"w_in": (3 * width, width), "w_out": (width, width)}
        shapes |= {"up": (inside * width, width), "down": (width, bend(torch.ones(inside * width)).numel())}
        self.layers = nn.ModuleList(
            nn.ParameterDict({name: nn.Parameter(torch.randn(shape) / width**0.5) for name, shape in shapes.items()})
            for _ in range(layers)
        )
        for layer in self.layers:
            layer.update({name: self.layers[0][name] for name in share})

    def attend(self, x, w_in, w_out):
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (x @ w_in.T).chunk(3, -1))
        scores = q @ k.mT * self.scale
        scores = (scores + self.bias(scores)).masked_fill(self.mask(torch.ones_like(scores)) == 0, -math.inf)
        return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2) @ w_out.T

    def forward(self, tokens):
        x = self.embed(tokens)
        if self.places:
            x = x + self.places(self.place(torch.arange(tokens.shape[1])))
        first, second = self.residuals
        for p in self.layers:
            x = first * x + self.attend(self.norm(x), p["w_in"], p["w_out"])
            x = second * x + self.bend(self.norm(x) @ p["up"].T) @ p["down"].T
        return self.head(self.last_norm(x))


class Attends(Free):
    """`look(q, k, v)`, of (B, H, T, D), instead of the usual attention."""

    def __init__(self, look, *case):
        super().__init__(*case)
        self.look = look

    def attend(self, x, w_in, w_out):
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (x @ w_in.T).chunk(3, -1))
        return self.look(q, k, v).transpose(1, 2).flatten(2) @ w_out.T


def attends(look):
    return partial(Attends, look)


def of(q, k):
    """Scores of all pairs."""
    return q @ k.mT / q.shape[-1] ** 0.5


def past(scores):
    return scores.masked_fill(torch.ones_like(scores).tril() == 0, -math.inf)


def made_stable(q, k, v):
    shares = (past(of(q, k)) - past(of(q, k)).amax(-1, keepdim=True)).exp()
    return shares / shares.sum(-1, keepdim=True) @ v


def row_by_row(q, k, v):
    seen = [(of(q[:, :, i : i + 1], k[:, :, : i + 1]).softmax(-1) @ v[:, :, : i + 1]) for i in range(q.shape[2])]
    return torch.cat(seen, 2)


def columns_of_weights(q, k, v):
    return past(of(q, k)).mT.softmax(-2).mT @ v


def rows_in_a_list(q, k, v):
    scores = past(of(q, k))
    return scores.reshape(-1, scores.shape[-1]).softmax(-1).view(scores.shape) @ v


def with_a_mask(hidden):
    return lambda q, k, v: F.scaled_dot_product_attention(q, k, v, torch.full(q.shape[2:3] * 2, hidden).triu(1))


def one_key_for_all_heads(q, k, v):
    return F.scaled_dot_product_attention(q, k[:, :1], v[:, :1], is_causal=True)


def with_a_sink(q, k, v):
    scores = past(of(q, k))
    return torch.cat([0 * q[..., :1], scores], -1).softmax(-1)[..., 1:] @ v


class Tempered(Attends):
    """A scale of the scores that is learned, and begins at 0."""

    def __init__(self, *case):
        super().__init__(lambda q, k, v: past(of(q, k) * self.scale_of_scores).softmax(-1) @ v, *case)
        self.scale_of_scores = nn.Parameter(torch.zeros(()))


class BeginsAtZero(Free):
    def __init__(self, *case):
        super().__init__(*case)
        for layer in self.layers:
            for name in ("w_out", "down"):
                nn.init.zeros_(layer[name])


class Waves(Free):
    """Waves for places, made anew in each call, by an exponential that is no attention."""

    def __init__(self, vocabulary, width, heads, layers):
        super().__init__(vocabulary, width, heads, layers, places=0)
        self.words = self.embed
        del self.embed
        self.embed = lambda tokens: self.words(tokens) + self.waves(tokens.shape[1], width)

    def waves(self, length, width):
        angles = torch.arange(length)[:, None] * torch.exp(torch.arange(0, width, 2) * (-math.log(1e4) / width))
        return torch.cat([angles.sin(), angles.cos()], -1)


def silu_by_hand(x):
    return x / (1 + torch.exp(-x))


def distance(scores):
    """How far a key (column) lies behind a query (row)."""
    places = torch.arange(scores.shape[-1])
    return (places[:, None] - places).clamp(min=0)


def alibi(*slopes):
    return lambda scores: -torch.tensor(slopes[: scores.shape[1]])[:, None, None] * distance(scores)


def swiglu(x):
    a, b = x.chunk(2, -1)
    return F.silu(a) * b


class Layers(nn.Module):
    """torch's attention with its weights asked for, a feed-forward part of convolutions, positions in each layer."""

    def __init__(self, vocabulary, width, heads, layers):
        super().__init__()
        self.embed, self.places = nn.Embedding(vocabulary, width), nn.Embedding(300, width)
        self.looks = nn.ModuleList(nn.MultiheadAttention(width, heads, 0.1, batch_first=True) for _ in range(layers))
        self.thinks = nn.ModuleList(
            nn.Sequential(nn.Conv1d(width, 4 * width, 1), nn.ReLU(inplace=True), nn.Conv1d(4 * width, width, 1))
            for _ in range(layers)
        )

    def forward(self, tokens):
        T, x = tokens.shape[1], self.embed(tokens)
        mask = torch.ones(T, T, dtype=torch.bool).triu(1)
        for look, think in zip(self.looks, self.thinks, strict=True):
            x = x + self.places.weight[:T]
            x = x + look(x, x, x, attn_mask=mask)[0]
            x = x + think(x.mT).mT
        return x @ self.embed.weight.T


class Stacked(nn.Module):
    """The weights of all layers in one tensor, one-hot tokens, no softmax and no activation of torch's."""

    def __init__(self, vocabulary, width, heads, layers):
        super().__init__()
        self.heads, self.places = heads, nn.Parameter(torch.zeros(256, width))
        self.ends = nn.Parameter(torch.randn(2, vocabulary, width) / 8)
        self.look = nn.Parameter(torch.randn(layers, 4, width, width) / 8)
        self.up = nn.Parameter(torch.randn(layers, 4 * width, width) / 8)
        self.down = nn.Parameter(torch.randn(layers, width, 4 * width) / 8)

    def forward(self, tokens):
        first, last = self.ends
        x = F.one_hot(tokens, len(first)).float() @ first + self.places[: tokens.shape[1]]
        for look, up, down in zip(self.look, self.up, self.down, strict=True):
            y = F.rms_norm(x, x.shape[-1:])
            q, k, v = ((y @ w).unflatten(-1, (self.heads, -1)) for w in look[:3])
            shares = torch.einsum("bihd,bjhd->bhij", q, k).exp().tril()
            z = torch.einsum("bhij,bjhd->bihd", shares / shares.sum(-1, keepdim=True), v)
            x = x + z.flatten(2) @ look[3]
            h = F.rms_norm(x, x.shape[-1:]) @ up.T
            x = x + (h * torch.sigmoid(1.702 * h)) @ down.T
        return F.rms_norm(x, x.shape[-1:]) @ last.T


class Half(nn.Module):
    """bfloat16 inside; the texts as a list of columns."""

    def __init__(self, *case):
        super().__init__()
        self.model = models.Transformer(*case).double()

    def forward(self, tokens):
        return self.model(torch.stack(tokens.unbind(1), 1))


def attention_over_columns(x, w_in, w_out, heads):
    """Head by head, exponentials without a softmax, in half precision at the end."""
    outputs = []
    for q, k, v in zip(*(part.chunk(heads, -1) for part in F.linear(x, w_in).tensor_split(3, -1)), strict=True):
        shares = (torch.einsum("bid,bjd->bij", q, k) / q.shape[-1] ** 0.5).exp().tril()
        outputs.append(torch.einsum("bij,bjd->bid", shares / shares.sum(2, keepdim=True), v))
    return F.linear(torch.cat(outputs, -1), w_out).half()


def cached_by_loops(x, keys, values, w_in, w_out, heads):
    C = len(x)
    q, k, v = (torch.stack([row @ x for row in third]) for third in w_in.split(C))
    keys, values, output = [*keys, k], [*values, v], []
    for head in torch.arange(C).chunk(heads):
        shares = torch.stack([q[head] @ key[head] / len(head) ** 0.5 for key in keys]).softmax(0)
        output += sum(share * value[head] for share, value in zip(shares, values, strict=True))
    return [w_out @ torch.stack(output), torch.stack(keys), torch.stack(values)]


RIGHT = {
    "causal_attention": {
        "loops": attention_by_loops,
        "einsum in float64": attention_by_einsum,
        "torch's layer, copied weights": attention_by_torch,
        "numpy": attention_in_numpy,
        "head by head, float16": attention_over_columns,
    },
    "rotary": {
        "pair by pair": rotary_in_pairs,
        "a roll, float64": rotary_by_a_roll,
        "complex numbers, numpy": rotary_in_numpy,
    },
    "block": {
        "F.rms_norm": block_with_rms_norm,
        "a large eps": block_with_a_large_eps,
        "an object, float64": BlockInDouble(),
    },
    "build_transformer": {
        "the course's": models.Transformer,
        "sinusoidal, post-norm": Sinusoidal,
        "by hand, head by head": ByHand,
        "rotary, complex": Turning,
        "rotary, real and imaginary parts": partial(Turning, turn=turned_by_parts),
        "rotary, e to the i": partial(Turning, turn=turned_by_exponentials),
        "free": Free,
        "no scale": partial(Free, scale=1.0),
        "scaled by the width": lambda v, w, h, n: Free(v, w, h, n, scale=w**-0.5),
        "no norm": partial(Free, norm=lambda x: x),
        "squared ReLU": partial(Free, bend=lambda x: x.relu() ** 2),
        "gated": partial(Free, inside=8, bend=swiglu),
        "ALiBi, slopes of 1/2 and 1/4": partial(Free, places=0, bias=alibi(1 / 2, 1 / 4, 1 / 8)),
        "ALiBi, slopes of the paper": lambda v, w, h, n: Free(
            v, w, h, n, places=0, bias=alibi(*(2 ** (-8 * (i + 1) / h) for i in range(h)))
        ),
        "torch's attention, convolutions, positions in each layer, tied ends": Layers,
        "stacked weights, one-hot, exponentials": Stacked,
        "in double precision": Half,
        "a softmax made by hand": attends(made_stable),
        "row by row": attends(row_by_row),
        "a softmax over columns": attends(columns_of_weights),
        "rows in a list": attends(rows_in_a_list),
        "torch's function with a mask": attends(with_a_mask(-math.inf)),
        "torch's function with a large number": attends(with_a_mask(-1e9)),
        "one key for all heads": attends(one_key_for_all_heads),
        "an attention sink": attends(with_a_sink),
        "a learned temperature that begins at 0": Tempered,
        "last matrices begin at 0": BeginsAtZero,
        "waves made in each call": Waves,
        "SiLU by hand": partial(Free, bend=silu_by_hand),
        "leaky ReLU by hand": partial(Free, bend=lambda x: torch.maximum(x, 0.1 * x)),
        "tanh": partial(Free, bend=torch.tanh),
    },
    "lstm_width": {"formula": width_by_formula, "real models": by_building},
    "cached_attention": {"torch's function": cached_with_torch, "loops": cached_by_loops},
}


# --- wrong answers that are not among the mistakes, or make one in another way ----------------------------------


def masked_attention(mask, hidden=-math.inf, share=lambda scores: scores.softmax(-1)):
    """Attention for a mask (T, T) of ones and zeros."""

    def attention(x, w_in, w_out, heads):
        q, k, v = ((x @ w_in.T).unflatten(-1, (3, heads, -1))).permute(2, 0, 3, 1, 4)
        scores = q @ k.mT / q.shape[-1] ** 0.5
        weights = share(scores.masked_fill(mask(torch.ones_like(scores)) == 0, hidden))
        return (weights @ v).transpose(1, 2).flatten(2) @ w_out.T

    return attention


def rotary_of(angle):
    """Rotary positions whose angles are a function of position, pair and channels."""

    def turn(x):
        T, D = x.shape[-2:]
        angles = torch.tensor([[angle(t, i, D) for i in range(D // 2)] for t in range(T)], dtype=torch.float32)
        return models.text.rotate(x, angles.cos(), angles.sin())

    return turn


def in_place(x, keys, values, w_in, w_out, heads):
    if len(keys):
        keys[0] = 0
    return check.cached_attention.reference(x, keys, values, w_in, w_out, heads)


class Table(nn.Module):
    """A bigram table: no attention, no blocks."""

    def __init__(self, vocabulary, width, heads, layers):
        super().__init__()
        self.table = nn.Embedding(vocabulary, vocabulary)

    def forward(self, tokens):
        return self.table(tokens)


class Hidden(Sinusoidal):
    """Keeps its blocks in a plain list, where no optimizer finds them."""

    def __init__(self, vocabulary, width, heads, layers):
        super().__init__(vocabulary, width, heads, 1)
        body = self.body
        del self.body
        self.kept = [body]

    def forward(self, tokens):
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        return self.head(self.kept[0](self.embed(tokens), mask=mask))


class Changed(nn.Module):
    """A right model, of which one thing is changed."""

    def __init__(self, change, *case):
        super().__init__()
        self.model, self.change = Free(*case), change

    def forward(self, tokens):
        return self.change(self.model, tokens)


def changed(change):
    return partial(Changed, change)


def by_place(q, k, v):
    return past(-distance(of(q, k)) + 0 * of(q, k)).softmax(-1) @ v


def by_the_word_that_asks(q, k, v):
    ways = torch.linspace(-1, 1, k.shape[2] * k.shape[3]).view(k.shape[2:])
    return past(of(q, ways)).softmax(-1) @ v


def by_the_word_that_is_asked(q, k, v):
    return past(k.sum(-1)[..., None, :] + q.sum(-1)[..., None]).softmax(-1) @ v


def one_head_by_place(q, k, v):
    if q.shape[1] == 1:
        return past(of(q, k)).softmax(-1) @ v
    return torch.cat([by_place(q[:, :1], k[:, :1], v[:, :1]), past(of(q, k)).softmax(-1)[:, 1:] @ v[:, 1:]], 1)


def one_score_in_two_by_place(q, k, v):
    scores = of(q, k)
    return past(torch.cat([0 * scores[:, :1] - distance(scores), scores[:, 1:]], 1)).softmax(-1) @ v


def hardly_by_words(q, k, v):
    return past(1e-6 * of(q, k) - distance(of(q, k))).softmax(-1) @ v


def beside_the_mean(share, rest):
    """`share` of true attention, `rest` of a running mean that no softmax makes."""

    def look(q, k, v):
        mean = v.cumsum(2) / torch.arange(1, v.shape[2] + 1)[:, None]
        return share * past(of(q, k)).softmax(-1) @ v + rest * mean

    return look


def even(q, k, v):
    return past(0 * of(q, k)).softmax(-1) @ v


class BlindBehind(Attends):
    """Attention in the first block; further ones take the mean."""

    def __init__(self, *case):
        super().__init__(lambda q, k, v: next(self.looks)(q, k, v), *case)

    def forward(self, tokens):
        self.looks = iter([one_key_for_all_heads, *[even] * len(self.layers)])
        return super().forward(tokens)


class BentOnce(Free):
    """Two nonlinearities in the first block, none in the others."""

    def forward(self, tokens):
        bends = iter([lambda x: F.gelu(F.gelu(x)), *[lambda x: x] * len(self.layers)])
        self.bend = lambda x: next(bends)(x)
        return super().forward(tokens)


def mean_of_the_past(scores):
    return scores.masked_fill(scores > -math.inf, 0.0).softmax(-1)


WRONG = {
    "causal_attention": {
        "itself hidden by a large number": (
            masked_attention(lambda s: s.tril(-1), -1e9),
            "token_hidden_by_a_large_number",
        ),
        "sees one ahead": (masked_attention(lambda s: s.tril(1)), "next_one_visible"),
        "sees two ahead": (masked_attention(lambda s: s.tril(2)), "future_visible"),
        "forgets what is two back": masked_attention(lambda s: s.tril().triu(-1)),
        "dropout": (masked_attention(torch.tril, share=lambda s: F.dropout(s.softmax(-1), 0.5)), None),
        "equal weights": masked_attention(torch.tril, share=mean_of_the_past),
        "softmax over the batch": masked_attention(torch.tril, share=lambda s: s.softmax(0)),
        "the input": lambda x, w_in, w_out, heads: x,
        "one text": lambda x, w_in, w_out, heads: x[0],
        "a list": lambda x, w_in, w_out, heads: x.tolist(),
        "softmax over the heads": (masked_attention(torch.tril, share=lambda s: s.softmax(1)), None, "are nan"),
    },
    "rotary": {
        "nothing turned": lambda x: x,
        "degrees": rotary_of(lambda t, i, D: math.radians(t * 1e4 ** (-2 * i / D))),
        "another base": rotary_of(lambda t, i, D: t * 1e3 ** (-2 * i / D)),
        "pairs counted from 1": rotary_of(lambda t, i, D: t * 1e4 ** (-2 * (i + 1) / D)),
        "positions from 1": (rotary_of(lambda t, i, D: (t + 1) * 1e4 ** (-2 * i / D)), "first_position_is_one"),
        "one speed": (rotary_of(lambda t, i, D: t), "one_speed_for_all"),
        "the angles": lambda x: torch.arange(x.shape[-2])[:, None].expand(x.shape).float(),
        "the first half alone": lambda x: check.rotary.reference(x)[..., : x.shape[-1] // 2],
    },
    "block": {
        "one inside the other": lambda x, attend, up, down: attend((x @ up.T).relu() @ down.T),
        "norm over axis 1": (
            lambda x, attend, up, down: (
                (n := lambda s: s / s.square().mean(1, keepdim=True).sqrt())
                and (y := x + attend(n(x))) + (n(y) @ up.T).relu() @ down.T
            ),
            "norm_over_axis_1",
        ),
        "norm over all but the text": lambda x, attend, up, down: (
            (n := lambda s: F.rms_norm(s, s.shape[1:])) and (y := x + attend(n(x))) + (n(y) @ up.T).relu() @ down.T
        ),
        "GELU": lambda x, attend, up, down: (
            (y := x + attend(F.rms_norm(x, x.shape[-1:]))) + F.gelu(F.rms_norm(y, y.shape[-1:]) @ up.T) @ down.T
        ),
    },
    "build_transformer": {
        "a bigram table": (Table, "width_not_handed_on"),
        "hidden blocks": (Hidden, "layer_without_weights"),
        "an LSTM": (lambda v, w, h, n: models.CharLSTM(v, w), "pair_returned"),
        "no mask": (lambda *case: models.Transformer(*case, causal=False), "model_sees_the_future"),
        "a number": lambda v, w, h, n: 3,
        "a finished model": (models.Transformer(5, 8, 2, 1), "", "finished model"),
        "1 × width": (partial(Free, inside=1), "feed_forward_of_another_width"),
        "2 × width": (partial(Free, inside=2), "feed_forward_of_another_width"),
        "3 × width": (partial(Free, inside=3), "feed_forward_of_another_width"),
        "16 × width": (partial(Free, inside=16), "feed_forward_of_another_width"),
        "no nonlinearity": (partial(Free, bend=nn.Identity()), "feed_forward_without_nonlinearity"),
        "dropout for a nonlinearity": (partial(Free, bend=nn.Dropout(0.1)), "feed_forward_without_nonlinearity"),
        "a layer too many": (lambda v, w, h, n: Free(v, w, h, n + 1), "number_of_blocks"),
        "two layers always": (lambda v, w, h, n: Free(v, w, h, 2), "layer_without_weights"),
        "no residuals": (partial(Free, residuals=(0, 0)), "residual_missing"),
        "no first residual": (partial(Free, residuals=(0, 1)), "residual_missing"),
        "no second residual": (partial(Free, residuals=(1, 0)), "residual_missing"),
        "100 places": (partial(Free, places=100), "too_few_positions"),
        "255 places": (partial(Free, places=255), "too_few_positions"),
        "128 tokens are read": (changed(lambda model, tokens: model(tokens[:, :128])), "too_few_positions"),
        "places above 127 are one": (partial(Free, place=lambda at: at.clamp(max=127)), "positions_missing"),
        "w_in shared": (partial(Free, share=["w_in"]), "layer_without_weights"),
        "w_out shared": (partial(Free, share=["w_out"]), "weights_shared_by_blocks"),
        "width ignored": (lambda v, w, h, n: Free(v, 48, h, n), "width_not_handed_on"),
        "two heads always": (lambda v, w, h, n: Free(v, w, 2, n), "heads_not_handed_on"),
        "heads of four": (lambda v, w, h, n: Free(v, w, w // 4, n), "heads_not_handed_on"),
        "width // heads heads": (lambda v, w, h, n: Free(v, w, w // h, n), "heads_not_handed_on"),
        "last norm over positions": (
            partial(Free, last_norm=lambda x: x / x.std(1, keepdim=True)),
            "model_sees_the_future",
        ),
        "sees one ahead": (partial(Free, mask=lambda s: s.tril(1)), "model_sees_the_future"),
        "looks three back": (partial(Free, mask=lambda s: s.tril().triu(-3)), None),
        "mean of the past": (
            changed(lambda model, tokens: model.embed(tokens).cumsum(1) @ model.head.weight.T),
            "layer_left_out",
        ),
        "a text alone is squeezed": changed(lambda model, tokens: model(tokens).squeeze()),
        "one number for all texts": (
            changed(lambda model, tokens: model(tokens) * 0 + model.head.bias),
            "same_for_all",
        ),
        "softmax": (changed(lambda model, tokens: model(tokens).softmax(-1)), "softmax_at_the_end"),
        "random": (changed(lambda model, tokens: F.dropout(model(tokens), 0.1)), "dropout_never_off"),
        "weights by place": (attends(by_place), "weights_without_words"),
        "weights by the word that asks": (attends(by_the_word_that_asks), "weights_without_words"),
        "weights by the word that is asked": (attends(by_the_word_that_is_asked), "weights_without_words"),
        "one head by place": (attends(one_head_by_place), "weights_without_words"),
        "one row of scores by place": (attends(one_score_in_two_by_place), "weights_without_words"),
        "hardly by words": (attends(hardly_by_words), "weights_without_words"),
        "attention beside a mean": (attends(beside_the_mean(0.1, 1)), "weights_without_words"),
        "next to no attention beside a mean": (attends(beside_the_mean(1e-12, 1)), "weights_without_words"),
        "a mean by torch's function": (
            attends(lambda q, k, v: F.scaled_dot_product_attention(0 * q, k, v, is_causal=True)),
            "mean_of_the_past",
        ),
        "a mean by a softmax": (attends(even), "mean_of_the_past"),
        "a running mean": (attends(beside_the_mean(0, 1)), None),
        "blind behind the first block": (BlindBehind, None),
        "nonlinearities in the first block": (BentOnce, "feed_forward_without_nonlinearity"),
        "a ReLU far from its kink": (
            partial(Free, bend=lambda x: F.relu(x + 1000) - 1000),
            "feed_forward_without_nonlinearity",
        ),
        "next to no nonlinearity": (
            partial(Free, bend=lambda x: x + 1e-9 * F.relu(x)),
            "feed_forward_without_nonlinearity",
        ),
    },
    "lstm_width": {
        "a number": lambda budget, vocabulary: 3,
        "rounded up": (
            lambda b, v: math.ceil((math.sqrt((2 * v + 8) ** 2 + 32 * (b - v)) - 2 * v - 8) / 16),
            "rounded_up",
        ),
        "at most 200": lambda budget, vocabulary: min(200, width_by_formula(budget, vocabulary)),
    },
    "cached_attention": {
        "two things": lambda x, keys, values, *rest: (x, keys),
        "the output alone": (lambda *case: check.cached_attention.reference(*case)[0], "", "(output, keys, values)"),
        "another order": lambda *case: check.cached_attention.reference(*case)[::-1],
        "changed in place": (in_place, "", "changed"),
    },
}


def test_an_unfinished_forward_is_not_attempted():
    class Half(Table):
        def forward(self, tokens):
            raise NotImplementedError

    assert check.build_transformer.judge(Half).status is Status.NOT_ATTEMPTED


# --- figures ------------------------------------------------------------------------------------------------------

RUN = LearningCurve([1000, 2000], [0.5, 1.0], [3.0, 2.5])


def test_a_race_has_a_line_for_each_seed_on_both_rulers():
    curves.plot_race({"a": [RUN, RUN], "b": [RUN]}, {"5-gram": 2.2}, "title")
    left, right = plt.gcf().axes
    assert list(left.lines[0].get_xdata()) == [1, 2]
    assert list(right.lines[0].get_xdata()) == [0.5, 1.0]
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["a", "b"]


def test_further_runs_of_a_model_have_its_colour_and_are_dashed():
    curves.plot_race({"a": [RUN], "b": [RUN], "a, longer": [RUN]})
    solid, _, _, _, dashed, _ = plt.gcf().axes[0].lines  # each line, and the mark at its end
    assert solid.get_color() == dashed.get_color()
    assert (solid.get_linestyle(), dashed.get_linestyle()) == ("-", "--")


def test_scores_are_drawn_against_the_distance():
    ax = curves.plot_scores_by_distance({"here": [3.0, 1.0, 2.0], "there": [3.0, 1.0, 2.0]})
    assert [list(line.get_xdata()) for line in ax.lines] == [[0, 1, 2]] * 2


def test_each_model_has_a_panel_for_its_horizons():
    seed = Horizon((1, 2), (3.0, 2.0), (0.1, 0.1), (0.1, 0.0), 0.01)
    panels = horizons.plot_horizon_panels({"LSTM": {"plain": seed, "control": seed}, "transformer": {"plain": seed}})
    assert [ax.get_title() for ax in panels] == ["LSTM", "transformer"]
    assert [text.get_text() for text in panels[0].get_legend().get_texts()] == ["plain", "control"]


def test_heads_have_a_row_for_each_layer():
    ax = runs.plot_heads({"layer 1": [3.0, 50.0], "layer 2": [2.0]}, even=96.5)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["layer 1", "layer 2"]
    assert list(ax.lines[0].get_xdata()) == [3.0, 50.0]


def test_memory_counts_what_the_way_back_needs_and_no_parameters():
    layer = nn.Linear(4, 4, bias=False)
    x = torch.ones(3, 4)
    assert costs.memory_kept(lambda: layer(x).square().sum(), layer) == 2 * x.nbytes  # the input, and what is squared


def test_each_horizon_is_marked():
    seed = Horizon((1, 2, 4), (3.0, 2.0, 2.0), (0.1, 0.1, 0.1), (0.1, 0.0, 0.0), 0.01)
    ax = horizons.plot_horizons_by_seed({"LSTM": [seed]}, mark=2)
    assert [tuple(line.get_xdata()) for line in ax.lines][:2] == [(1, 2, 4), (2,)]


@pytest.mark.parametrize("power", [0, 1, 2])
def test_slopes_are_powers(power):
    work = {length: 3.0 * length**power for length in (10, 20, 40, 80)}
    assert costs.slope(work) == pytest.approx(power)
    ax = cost_plots.plot_costs({"work": work}, "seconds")
    assert ax.get_legend().get_texts()[0].get_text() == f"work: slope {power:.2f}"


def test_power_laws_cross_where_they_are_equal():
    linear = {length: 50.0 * length for length in (40, 80, 160)}
    square = {length: 0.5 * length**2 for length in linear}
    assert costs.crossing(square, linear) == pytest.approx(100)
    assert math.isnan(costs.crossing(linear, {length: 2 * cost for length, cost in linear.items()}))
    with pytest.raises(ValueError, match="expected the same"):
        costs.crossing(square, {40: 1.0})


def test_amounts_are_drawn_in_order():
    ax = scaling.plot_against({"a": {100: [0.8, 0.9], 10: [0.5]}}, "labels", "share", level=("never", 0.7))
    line = next(line for line in ax.lines if line.get_label() == "a")
    assert list(line.get_xdata()) == [10, 100]
    assert list(line.get_ydata()) == pytest.approx([0.5, 0.85])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["10", "100"]


# --- the widgets ------------------------------------------------------------------------------------------------------

WEIGHTS = torch.eye(3).repeat(2, 2, 1, 1)
WEIGHTS[1, 0, 2] = torch.tensor([0.7, 0.1, 0.2])


@pytest.fixture
def shown(monkeypatch):
    calls = []
    monkeypatch.setattr("utils.widgets.still.show", lambda widget, still, alt, book: calls.append((widget, still, alt)))
    return calls


def test_what_a_position_looks_at_in_words():
    said = viewer.describe(WEIGHTS[1, 0], "a b", 2)
    assert said == "Position 2, “b”, looks at “a” 2 back (70%), “b” itself (20%), a space 1 back (10%)."
    assert viewer.describe(WEIGHTS[0, 0], "a b", 0) == "Position 0, “a”, looks at “a” itself (100%)."


def test_the_viewer_follows_layer_head_and_position(shown):
    viewer.attention_viewer(WEIGHTS, "a b")
    ((widget, _, alt),) = shown
    layer, head, slider, caption, canvas = widget.children
    assert "all 4 heads" in alt
    assert "“b” itself (100%)" in caption.value
    before = canvas.value
    layer.value = 1
    assert "“a” 2 back (70%)" in caption.value and canvas.value != before
    head.value = 1
    assert "“b” itself (100%)" in caption.value
    slider.value = 1
    assert "a space" in caption.value


def echo(prompt, count, temperature, seed):
    return f"<{prompt}|{count}|{temperature:.1f}|{seed}>"


def test_texts_stand_side_by_side_and_are_escaped():
    page = sides.columns("a<b", {"one": "<i>", "two": "x"})
    assert "a&lt;b" in page and "&lt;i&gt;" in page and page.count("<section") == 2


def test_the_writers_follow_prompt_temperature_and_seed(shown):
    sides.side_by_side({"one": echo, "two": echo}, "to be", "to be", count=5)
    ((widget, still, alt),) = shown
    controls, said, output = widget.children
    entry, column = controls.children
    temperature, seed, button = column.children
    assert "'to be'" in alt and len(still.axes) == 2
    assert "|5|0.8|0" in output.value
    temperature.value = 0.2
    seed.value = 3
    assert "|5|0.2|3" in output.value and "temperature 0.2" in said.value
    entry.value = "tobe"
    button.click()
    assert "tobe|5" in output.value
    entry.value = "x"
    button.click()
    assert "has no 'x'" in said.value and "tobe|5" in output.value
    entry.value = ""
    button.click()
    assert "at least one character" in said.value


# --- the record ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("builders", [recorder.builders, recorder.small_builders])
def test_the_recorded_models_are_of_equal_size(builders):
    lstm, transformer = (count_parameters(build()) for build in builders(65).values())
    assert lstm == pytest.approx(transformer, rel=0.05)


@pytest.fixture(scope="module")
def record():
    return json.loads(recorder.RECORD.read_text())


def test_the_record_is_complete_and_names_its_command(record):
    assert record["command"] == "python -m bench.record_comparison"
    assert set(record["runs"]) == {"LSTM", "transformer"}
    for budgets in (*record["runs"].values(), *record["sizes"].values()):
        assert len(budgets) >= 2
        assert all(len(seeds) >= 3 for seeds in budgets.values())


def test_the_recorded_runs_had_equal_seconds(record):
    lstm, transformer = record["runs"].values()
    for budget in lstm:
        used = [[run["seconds"] for run in runs[budget]] for runs in (lstm, transformer)]
        assert np.mean(used[0]) == pytest.approx(np.mean(used[1]), rel=0.25)


def test_the_recorded_recipes_are_the_best_of_as_many_for_both(record):
    lstm, transformer = record["tuning"].values()
    assert len(lstm) == len(transformer) == len(recorder.recipes("LSTM"))
    for tried in (lstm, transformer):
        assert tried[0]["bits"] == min(recipe["bits"] for recipe in tried)


def test_a_short_record_is_written_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # main() sets it
    monkeypatch.setattr(recorder, "RECORD", tmp_path / "recorded/race.json")
    monkeypatch.setattr(recorder, "TUNED_WITH", 0.5)
    corpus = type("Text", (), {"name": "abc", "alphabet": "abcd", "train": "abcd" * 600, "validation": "dcba" * 600})
    monkeypatch.setattr(recorder.data, "corpus", lambda name: corpus)
    monkeypatch.setattr(recorder, "SIZES", (2,))
    monkeypatch.setattr(recorder.Race, "steps", lambda race, seconds, build, recipe: round(2 * seconds))
    assert recorder.main(["--budgets", "1", "2", "--characters", "512", "--seeds", "2"]) == 0
    record = json.loads((tmp_path / "recorded/race.json").read_text())
    assert record["data"] == "abc"
    for budgets in record["runs"].values():
        assert [[run["characters"] for run in seeds] for seeds in budgets.values()] == [[256] * 2, [512] * 2]
        assert all(0 < run["bits_in_windows"] < 10 for run in budgets["2"])
    assert all("bits_carried" in run for run in record["runs"]["LSTM"]["2"])
    assert {len(bits) for sizes in record["sizes"].values() for bits in sizes.values()} == {2}
    assert [file.name for file in (tmp_path / "recorded").iterdir()] == ["race.json"]


def test_twice_the_seconds_are_twice_the_steps():
    race = recorder.Race(torch.arange(4000) % 5, torch.arange(1000) % 5)
    build, recipe = recorder.builders(5)["LSTM"], recorder.recipes("LSTM")[0]
    few, many = (race.steps(seconds, build, recipe, tried=20) for seconds in (10, 1000))
    assert 0 < 10 * few < many


def test_as_many_recipes_are_tried_for_each_model():
    lstm, transformer = (recorder.recipes(name) for name in recorder.RATES)
    assert len(lstm) == len(transformer) == 18
    assert len({tuple(recipe.items()) for recipe in lstm}) == 18
