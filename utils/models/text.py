"""The text models of lessons 08 and 11, for the lessons that build on them, and the sampler that both share.

Shapes: B texts, T characters, V characters in the alphabet, C the width of a
transformer, H its heads of D = C / H numbers each; H the cells of an LSTM.
Logits at position t are for the character *after* it, and depend on the characters up to t.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

State = tuple[Tensor, Tensor]  # hidden state and cell of an LSTM, each (1, B, H)
Read = Callable[[Tensor], Tensor]


class CharLSTM(nn.Module):
    """One LSTM layer over characters: tokens (B, T) and a state in; logits (B, T, V) and the next state out.

    With an embedding of E numbers (`embedding`; as wide as the layer unless told) it has
    V E + 4 H (E + H + 2) + V (H + 1) parameters.
    """

    def __init__(self, vocabulary: int, width: int, embedding: int | None = None):
        super().__init__()
        embedding = width if embedding is None else embedding
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.lstm = nn.LSTM(embedding, width, batch_first=True)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Without a state the model starts with zeros: it knows nothing of what came before."""
        return self.read(self.embedding(tokens), state)  # (B, T) to (B, T, E) to (B, T, V)

    def read(self, vectors: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """What follows the embedding: vectors (B, T, E) in. `influence(model.read, model.embedding(tokens))`."""
        # Autocast would choose float16 on a GPU, too coarse for small gradients; some CPUs have no LSTM in bfloat16.
        with torch.autocast(vectors.device.type, enabled=False):
            hidden, next_state = (self._step if vectors.shape[1] == 1 else self.lstm)(vectors, state)  # (B, T, H)
        return self.head(hidden), next_state  # (B, T, V)

    def _step(self, vectors: Tensor, state: State | None) -> tuple[Tensor, State]:
        """What the layer does with one character (B, 1, E). On a CPU the layer would rearrange all weights first."""
        none = vectors.new_zeros(1, len(vectors), self.lstm.hidden_size)
        h, c = state or (none, none)
        h, c = torch.lstm_cell(vectors[:, 0], (h[0], c[0]), *self.lstm.all_weights[0])  # (B, H) each
        return h[:, None], (h[None], c[None])

    def reader(self) -> Read:
        """A function that reads a text piece by piece, (B, T) in and (B, T, V) out, and carries the state."""
        state = None

        def read(tokens: Tensor) -> Tensor:
            nonlocal state
            logits, state = self(tokens, state)
            return logits

        return read


class Transformer(nn.Module):
    """A decoder: each character reads itself and those before it. Tokens (B, T) in, logits (B, T, V) out.

    Each layer is two residual steps, x + attention(norm(x)) and x + mlp(norm(x)) (Vaswani et al. 2017), with
    the norm first (Xiong et al. 2020) as a root mean square (Zhang and Sennrich 2019), rotary positions (Su et
    al. 2021), and no biases. What ends a residual step starts at zero, so that a new layer changes nothing and
    a deep stack starts out as a shallow one (Bachlechner et al. 2021 and others).

    Without `causal` each character reads the whole text, those after it too: an encoder, for masked characters or
    for patches of an image, and not to generate with. `activation` stands in the middle of each mlp: GELU, or
    `SquaredReLU`, which a processor computes faster. With `lookback`, each embedded character has those of the
    `lookback` characters before it added, channel by channel times a number that is learned: a causal convolution of
    depth one a channel. What stands just before need then not be looked for by attention. (So et al. 2021 put such
    a convolution behind queries, keys and values, here it is one at the start.)

    It has 2 V C + layers (12 C² + 2 C) + C parameters, and `lookback` × C.
    Raises ValueError where the width does not split into heads of an even number of channels.
    """

    def __init__(
        self,
        vocabulary: int,
        width: int,
        heads: int,
        layers: int,
        causal: bool = True,
        activation: type[nn.Module] = nn.GELU,
        lookback: int = 0,
    ):
        super().__init__()
        if width % (2 * heads):
            raise ValueError(
                f"Transformer(width={width}, heads={heads}): rotary positions turn pairs of channels, so each head "
                f"needs an even number of them. Choose a width that {2 * heads} divides."
            )
        self.embedding = nn.Embedding(vocabulary, width)
        self.before = nn.Parameter(torch.randn(lookback, width)) if lookback else None  # row j - 1 for j before
        blocks = nn.ModuleList(Block(width, heads, causal, activation) for _ in range(layers))
        # ModuleList does not say what it is a list of.
        self.blocks: Sequence[Block] = blocks  # pyright: ignore[reportAttributeAccessIssue]
        self.norm = nn.RMSNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens: Tensor, cache: "Cache | None" = None) -> Tensor:
        """With a cache, the tokens follow those that it holds; afterwards it holds them too."""
        return self.read(self.embedding(tokens), cache)  # (B, T) to (B, T, C) to (B, T, V)

    def read(self, vectors: Tensor, cache: "Cache | None" = None) -> Tensor:
        """What follows the embedding: vectors (B, T, C) in. `influence(model.read, model.embedding(tokens))`."""
        rotation = self.rotation(vectors, past=len(cache) if cache else 0)
        x = self.with_those_before(vectors, cache)
        for block in self.blocks:
            x = block(x, rotation, cache)
        return self.head(self.norm(x))  # (B, T, V)

    def with_those_before(self, vectors: Tensor, cache: "Cache | None" = None) -> Tensor:
        """Vectors (B, T, C), each with the `lookback` vectors before it added, times `before`."""
        if self.before is None:
            return vectors
        (B, T, C), count = vectors.shape, len(self.before)
        past = cache.latest(self, vectors, count) if cache is not None else vectors.new_zeros(B, count, C)
        padded, x = torch.cat([past, vectors], 1), vectors  # (B, count + T, C)
        for distance, factor in enumerate(self.before, start=1):
            x = torch.addcmul(x, padded[:, count - distance : count - distance + T], factor)
        return x

    def rotation(self, vectors: Tensor, past: int = 0) -> tuple[Tensor, Tensor]:
        """Cosine and sine (T, D / 2) of the angles by which rotary positions turn each pair of channels."""
        half = vectors.shape[-1] // self.blocks[0].attention.heads // 2
        speeds = 10_000.0 ** -(torch.arange(half, device=vectors.device) / half)  # radians a character
        angles = torch.arange(past, past + vectors.shape[1], device=vectors.device)[:, None] * speeds  # (T, D / 2)
        return angles.cos().to(vectors.dtype), angles.sin().to(vectors.dtype)

    @torch.no_grad()
    def attention(self, tokens: Tensor) -> Tensor:
        """Who looks at whom: weights (layers, B, H, T, T). Row i holds what position i takes from each j ≤ i."""
        x, maps = self.with_those_before(self.embedding(tokens)), []  # (B, T, C)
        rotation = self.rotation(x)
        for block in self.blocks:
            maps.append(block.attention.weights(block.norm1(x), rotation))
            x = block(x, rotation)
        return torch.stack(maps)  # (layers, B, H, T, T)

    def reader(self) -> Read:
        """A function that reads a text piece by piece, (B, T) in and (B, T, V) out, and keeps a cache."""
        return partial(self, cache=Cache())


class Block(nn.Module):
    """One layer of a transformer, (B, T, C) in and out: look around, then think it over."""

    def __init__(self, width: int, heads: int, causal: bool = True, activation: type[nn.Module] = nn.GELU):
        super().__init__()
        self.norm1 = nn.RMSNorm(width)
        self.attention = Attention(width, heads, causal)
        self.norm2 = nn.RMSNorm(width)
        wider, back = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)
        nn.init.zeros_(back.weight)
        self.mlp = nn.Sequential(wider, activation(), back)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], cache: "Cache | None" = None) -> Tensor:
        x = x + self.attention(self.norm1(x), rotation, cache)
        return x + self.mlp(self.norm2(x))


class SquaredReLU(nn.Module):
    """max(x, 0)², an activation that So et al. (2021) found by search for transformers."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x).square()


class Attention(nn.Module):
    """Self-attention, causal unless told, with several heads and rotary positions, (B, T, C) in and out."""

    def __init__(self, width: int, heads: int, causal: bool = True):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], cache: "Cache | None" = None) -> Tensor:
        queries, keys, values = self.project(x, rotation)  # each (B, H, T, D)
        if cache is not None:
            keys, values = cache.extend(self, keys, values)
        new, past = queries.shape[2], keys.shape[2] - queries.shape[2]
        # One new character may look at everything, so it needs no mask.
        mask = torch.ones(new, past + new, dtype=torch.bool, device=x.device).tril(past) if past and new > 1 else None
        causal = self.causal and not past
        z = F.scaled_dot_product_attention(queries, keys, values, mask, is_causal=causal)  # (B, H, T, D)
        return self.out(z.transpose(1, 2).flatten(2))  # (B, H, T, D) to (B, T, H, D) to (B, T, C)

    def project(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each (B, H, T, D); the first two turned by their positions."""
        split = self.qkv(x).unflatten(-1, (3, self.heads, -1))  # (B, T, 3, H, D)
        split = split.permute(2, 0, 3, 1, 4)  # (3, B, H, T, D)
        queries, keys = rotate(split[:2], *rotation)  # one call for both is faster than two; each (B, H, T, D)
        return queries, keys, split[2]

    def weights(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """The attention weights (B, H, T, T) themselves, which the fused function above never writes down."""
        queries, keys, _ = self.project(x, rotation)
        scores = queries @ keys.transpose(-1, -2) / queries.shape[-1] ** 0.5  # (B, H, T, T)
        if self.causal:
            scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), -torch.inf)
        return scores.softmax(-1)


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn channel pairs (i, i + D / 2) of x (…, T, D): dot products then depend on distance alone (Su et al. 2021)."""
    swapped = x.roll(x.shape[-1] // 2, -1)  # each channel's partner in its place
    return x * torch.cat([cosine, cosine], -1) + swapped * torch.cat([-sine, sine], -1)


class Cache:
    """Keys and values of the characters read so far, so that a transformer need not read them again.

    It grows with each character; a state of an LSTM does not. `bytes` says by how much.
    """

    def __init__(self):
        self.kept: dict[nn.Module, tuple[Tensor, Tensor]] = {}  # for each layer, each (B, H, T, D)
        self.recent: dict[nn.Module, Tensor] = {}  # for each model that looks back, (B, lookback, C)

    def extend(self, layer: nn.Module, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Append to what this layer has; all of it comes back."""
        if layer in self.kept:
            past_keys, past_values = self.kept[layer]
            keys, values = torch.cat([past_keys, keys], 2), torch.cat([past_values, values], 2)  # (B, H, past + T, D)
        self.kept[layer] = keys, values
        return keys, values

    def latest(self, model: nn.Module, vectors: Tensor, count: int) -> Tensor:
        """The `count` vectors (B, count, C) before these, zeros where the text begins; the last ones are kept."""
        B, _, C = vectors.shape
        past = self.recent.get(model, vectors.new_zeros(B, count, C))
        self.recent[model] = torch.cat([past, vectors], 1)[:, -count:]
        return past

    def __len__(self) -> int:
        """How many characters it holds."""
        return next((keys.shape[2] for keys, _ in self.kept.values()), 0)

    @property
    def bytes(self) -> int:
        keys_and_values = sum(tensor.nbytes for pair in self.kept.values() for tensor in pair)
        return keys_and_values + sum(tensor.nbytes for tensor in self.recent.values())


@torch.no_grad()
def generate(
    model: nn.Module | Callable[[Tensor], Tensor],
    prompt: Tensor,
    count: int,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
    context: int | None = None,
    keep: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Continue a prompt (T,) by `count` characters, one after the other: tokens (count,).

    Each is drawn from softmax(logits / temperature): below 1 likely characters become likelier, and at 0 the
    likeliest is taken. The models above read each character once, as a state or a cache carries what came before.
    With `context`, a model reads just the last `context` characters, anew for each one: that is what a transformer
    trained on such windows is good at. Any other function from tokens (B, T) to logits (B, T, V) reads anew, too.
    `keep` changes the probabilities (V,) before a draw, as top-k and top-p do.

    Raises ValueError for an empty prompt, a negative count or temperature, or a context below 1.
    """
    if prompt.dim() != 1 or len(prompt) == 0:
        raise ValueError(f"prompt has shape {tuple(prompt.shape)}; expected (T,), at least one character to continue.")
    if count < 0 or temperature < 0 or (context is not None and context < 1):
        raise ValueError(
            f"Got count={count}, temperature={temperature}, context={context}; "
            "expected the first two to be at least 0, and the context at least 1."
        )
    reader = getattr(model, "reader", None) if context is None else None
    read = reader() if reader else model
    text = unread = prompt
    for _ in range(count):
        if reader is None:
            unread = text if context is None else text[-context:]
        output = read(unread[None])  # (1, T, V)
        logits = (output[0] if isinstance(output, tuple) else output)[0, -1]  # (V,)
        if temperature == 0:
            unread = logits.argmax(-1, keepdim=True)  # (1,)
        else:
            probabilities = (logits / temperature).softmax(-1)  # (V,)
            probabilities = keep(probabilities) if keep else probabilities
            unread = torch.multinomial(probabilities, 1, generator=generator)  # (1,)
        text = torch.cat([text, unread])  # (T + 1,)
    return text[len(prompt) :]
