"""Layers with a state: a whole sequence at once to train, one step at a time to generate, and the same numbers.

Shapes: B sequences, T steps, C channels, V tokens to choose from. `layer(x)` takes x (B, T, C) to (B, T, C), where
place t knows the places up to t. `layer.step(x, state)` takes one place (B, C) and gives its output and the next state,
a tuple of tensors that is never changed in place.
"""

from collections.abc import Callable, Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.models.text import rotate

State = tuple[Tensor, ...]


class Stateful(nn.Module):
    """What such a layer has: a state to begin with, a step, and (in a subclass) a faster way for a whole sequence."""

    def start(self, x: Tensor) -> State:
        """The state before the first step, for inputs like x (B, …, C)."""
        raise NotImplementedError

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One place (B, C) and the state before it in; the output (B, C) and the state after it out."""
        raise NotImplementedError

    def by_steps(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """A sequence x (B, T, C), one step after the other: outputs (B, T, C) and the last state."""
        state, outputs = self.start(x) if state is None else state, []
        for x_t in x.unbind(1):
            y, state = self.step(x_t, state)
            outputs.append(y)
        return torch.stack(outputs, 1), state

    def forward(self, x: Tensor) -> Tensor:
        return self.by_steps(x)[0]


def state_bytes(state: Iterable) -> int:
    """Bytes of all tensors in a state, or in states within states."""
    return sum(part.nbytes if isinstance(part, Tensor) else state_bytes(part) for part in state)


class LSTM(Stateful):
    """torch's LSTM, C cells wide."""

    def __init__(self, width: int):
        super().__init__()
        self.lstm = nn.LSTM(width, width, batch_first=True)

    def start(self, x: Tensor) -> State:
        return x.new_zeros(len(x), x.shape[-1]), x.new_zeros(len(x), x.shape[-1])

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = torch.lstm_cell(x, state, *self.lstm.all_weights[0])
        return h, (h, c)

    def forward(self, x: Tensor) -> Tensor:
        return self.lstm(x)[0]


class CausalAttention(Stateful):
    """Self-attention as in lesson 11, with rotary positions. Its state is the cache: all keys and values so far."""

    def __init__(self, width: int, heads: int = 2):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)

    def start(self, x: Tensor) -> State:
        empty = x.new_zeros(len(x), self.heads, 0, x.shape[-1] // self.heads)  # (B, H, 0, D)
        return empty, empty

    def project(self, x: Tensor, past: int = 0) -> Tensor:
        """Queries, keys and values (3, B, H, T, D); the first two are turned by their positions."""
        split = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        half, places = split.shape[-1] // 2, torch.arange(past, past + x.shape[1], device=x.device)
        angles = places[:, None] * 10_000.0 ** -(torch.arange(half, device=x.device) / half)  # (T, D / 2)
        return torch.cat([rotate(split[:2], angles.cos(), angles.sin()), split[2:]])

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        query, key, value = self.project(x[:, None], past=state[0].shape[2])  # (B, H, 1, D) each
        keys, values = torch.cat([state[0], key], 2), torch.cat([state[1], value], 2)  # one place longer
        z = F.scaled_dot_product_attention(query, keys, values)
        return self.out(z.flatten(1)), (keys, values)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.project(x)
        z = F.scaled_dot_product_attention(query, key, value, is_causal=True)  # (B, H, T, D)
        return self.out(z.transpose(1, 2).flatten(2))


class ShortConvolution(Stateful):
    """A causal convolution of each channel alone, over this step and a few before: its state is the last inputs."""

    def __init__(self, width: int, kernel: int = 4):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, kernel).uniform_(-1, 1) * kernel**-0.5)

    def start(self, x: Tensor) -> State:
        return (x.new_zeros(len(x), x.shape[-1], self.weight.shape[1] - 1),)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        window = torch.cat([state[0], x[..., None]], -1)  # (B, C, kernel)
        return (window * self.weight).sum(-1), (window[..., 1:],)

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x.mT, (self.weight.shape[1] - 1, 0))  # zeros in front: nothing looks ahead
        return F.conv1d(padded, self.weight[:, None], groups=len(self.weight)).mT


class Stack(nn.Module):
    """Tokens (B, T) in, logits (B, T, V) out, by any list of the layers above: x + layer(norm(x)), one by one.

    A layer of each kind among them makes a hybrid. With `asked`, there are logits at these places alone.
    """

    def __init__(self, vocabulary: int, width: int, layers: Sequence[Stateful], asked: slice | None = None):
        super().__init__()
        self.asked = slice(None) if asked is None else asked
        self.embedding = nn.Embedding(vocabulary, width)
        self.layers = nn.ModuleList(layers)
        self.norms = nn.ModuleList(nn.RMSNorm(width) for _ in layers)
        self.norm = nn.RMSNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.read(self.embedding(tokens))

    def read(self, vectors: Tensor) -> Tensor:
        """What follows the embedding: vectors (B, T, C) in. `influence(model.read, model.embedding(tokens))`."""
        x = vectors
        for norm, layer in zip(self.norms, self.layers, strict=True):
            x = x + layer(norm(x))
        return self.head(self.norm(x[:, self.asked]))

    def step(self, tokens: Tensor, states: list[State] | None = None) -> tuple[Tensor, list[State]]:
        """One token of each text (B,) in; logits (B, V) and the state of each layer out."""
        x, after = self.embedding(tokens), []
        if states is None:
            states = [layer.start(x) for layer in self.layers]  # pyright: ignore[reportCallIssue]
        for norm, layer, state in zip(self.norms, self.layers, states, strict=True):
            y, state = layer.step(norm(x), state)  # pyright: ignore[reportCallIssue]
            x = x + y
            after.append(state)
        return self.head(self.norm(x)), after

    def reader(self) -> Callable[[Tensor], Tensor]:
        """A function that reads texts piece by piece, (B, T) in and (B, T, V) out, and carries the states."""
        states = None

        def read(tokens: Tensor) -> Tensor:
            nonlocal states
            logits = []
            for token in tokens.unbind(1):
                one, states = self.step(token, states)
                logits.append(one)
            return torch.stack(logits, 1)

        return read


class Forecaster(Stack):
    """The same for a series of numbers: x (B, T, 1) in, and for each step the forecast of the next one, (B, T, 1)."""

    def __init__(self, width: int, layers: Sequence[Stateful]):
        super().__init__(1, width, layers)
        self.embedding = nn.Linear(1, width)
