"""An encoder that reads and a decoder that writes, with one vector between them or with attention.

With attention it is the decoder of Bahdanau, Cho and Bengio, "Neural Machine Translation by Jointly Learning to Align
and Translate", ICLR 2015; without it, the same vector goes into every step, as in Cho et al., EMNLP 2014.

Shapes: B rows, S source tokens, T tokens to write, E numbers an embedding, H numbers a state, V symbols.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from utils.tasks.translation import DIGITS, PAD, START, VOCABULARY

Step = Callable[[int, Tensor], tuple[Tensor, Tensor]]
"""From a token and a state to logits and the next state."""


class AdditiveScore(nn.Module):
    """How well states of the encoder fit a state of the decoder: v · tanh(W query + U key), without biases."""

    def __init__(self, width: int):
        super().__init__()
        self.W = nn.Linear(width, width, bias=False)
        self.U = nn.Linear(width, width, bias=False)
        self.v = nn.Linear(width, 1, bias=False)

    def forward(self, query: Tensor, turned: Tensor) -> Tensor:
        """Queries (B, H) and U · keys (B, S, H), which are the same at every step, in; scores (B, S) out."""
        return self.v((self.W(query)[:, None] + turned).tanh())[..., 0]


class Reading(NamedTuple):
    """What the encoder leaves behind."""

    memory: Tensor  # (B, S, H), its state after each token, 0 behind a short source
    visible: Tensor  # (B, S), where the source has tokens
    last: Tensor  # (B, H), the state after its last token: the one vector
    turned: Tensor | None  # (B, S, H), U · memory, where there is attention


class EncoderDecoder(nn.Module):
    """Rows of tokens (B, S + T) in, logits (B, T, V) out. A row is a source, PAD behind it where it is short, START in
    the same column for all rows, and what the decoder is fed at its later steps: the right tokens, in training.

    At each step the decoder reads the token before and a *context* of H numbers. Without attention the context is the
    encoder's last state, every time; with attention it is a mean of all its states, weighed anew at each step. Its own
    state begins with the last state of the encoder, through a linear layer and tanh.
    """

    def __init__(self, width: int, attention: bool, embedding: int = 16, vocabulary: int = VOCABULARY):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.encoder = nn.GRU(embedding, width // 2, batch_first=True, bidirectional=True)
        self.begin = nn.Linear(width, width)
        self.score = AdditiveScore(width) if attention else None
        self.decoder = nn.GRU(embedding + width, width, batch_first=True)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens: Tensor) -> Tensor:
        source, fed = split(tokens)
        reading, state = self.read(source)
        if self.score is None:  # the context is known beforehand, so that all steps are one call
            contexts = reading.last[:, None].expand(-1, fed.shape[1], -1)
            states, _ = self.decoder(torch.cat([self.embedding(fed), contexts], 2), state[None])
            return self.head(states)
        logits = []
        for token in fed.unbind(1):
            one, state, _ = self.step(token, state, reading)
            logits.append(one)
        return torch.stack(logits, 1)

    def read(self, source: Tensor) -> tuple[Reading, Tensor]:
        """Source tokens (B, S), PAD behind short ones, in; what was read and the decoder's first state (B, H) out."""
        return self.read_vectors(self.embedding(source), source != PAD)

    def read_vectors(self, vectors: Tensor, visible: Tensor) -> tuple[Reading, Tensor]:
        """The same from vectors (B, S, E), for who asks how much depends on them."""
        if visible.all():
            memory, last = self.encoder(vectors)
        else:
            packed = pack_padded_sequence(vectors, visible.sum(1).cpu(), batch_first=True, enforce_sorted=False)
            states, last = self.encoder(packed)
            memory, _ = pad_packed_sequence(states, batch_first=True, total_length=vectors.shape[1])
        ends = last.transpose(0, 1).flatten(1)  # (B, H): the last state of each direction, next to each other
        turned = None if self.score is None else self.score.U(memory)
        return Reading(memory, visible, ends, turned), self.begin(ends).tanh()

    def step(self, token: Tensor, state: Tensor, reading: Reading) -> tuple[Tensor, Tensor, Tensor | None]:
        """Tokens (B,) and states (B, H) in; logits (B, V), the next states, and the weights (B, S) of attention out."""
        weights, context = None, reading.last
        if self.score is not None:
            scores = self.score(state, reading.turned).masked_fill(~reading.visible, -torch.inf)
            weights = scores.softmax(1)
            context = (weights[:, None] @ reading.memory)[:, 0]
        states, last = self.decoder(torch.cat([self.embedding(token), context], 1)[:, None], state[None])
        return self.head(states[:, 0]), last[0], weights


def split(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (B, S + T) as the sources (B, S) and what the decoder is fed, (B, T), from START on."""
    column = int((tokens[0] == START).nonzero()[0])
    return tokens[:, :column], tokens[:, column:]


class Written(NamedTuple):
    """What a decoder has written on its own."""

    tokens: Tensor  # (B, T), the likeliest at each step
    logits: Tensor  # (B, T, V)
    weights: Tensor | None  # (B, T, S), of attention


@torch.no_grad()
def write(model: EncoderDecoder, source: Tensor, steps: int) -> Written:
    """Read sources (B, S) and write this many tokens, each time feeding back the likeliest one: greedy search.

    It does not stop at END; `utils.tasks.translation.text_of` cuts there.
    """
    reading, state = model.read(source)
    token = torch.full((len(source),), START)
    tokens, logits, weights = [], [], []
    for _ in range(steps):
        one, state, looked = model.step(token, state, reading)
        token = one.argmax(1)
        tokens.append(token)
        logits.append(one)
        weights.append(looked)
    looked = None if model.score is None else torch.stack(weights, 1)
    return Written(torch.stack(tokens, 1), torch.stack(logits, 1), looked)


def stepper(model: EncoderDecoder, source: Tensor) -> tuple[Step, Tensor]:
    """For one source (S,): a step, with states (1, H) and logits (V,), and the state to begin with."""
    with torch.no_grad():
        reading, first = model.read(source[None])

    @torch.no_grad()
    def step(token: int, state: Tensor) -> tuple[Tensor, Tensor]:
        logits, state, _ = model.step(torch.tensor([int(token)]), state, reading)
        return logits[0], state

    return step, first


def next_symbol(model: EncoderDecoder, source: Tensor) -> Callable[[list[int]], Tensor]:
    """For one source (S,): a function from what has been written, a list of tokens, to log-probabilities (V,).

    It keeps each state that it has been in, so that one more token costs one more step.
    """
    step, first = stepper(model, source)

    @cache
    def after(*tokens: int) -> tuple[Tensor, Tensor]:
        return step(tokens[-1], after(*tokens[:-1])[1] if len(tokens) > 1 else first)

    return lambda written: after(START, *map(int, written))[0].log_softmax(0)


def as_function(model: EncoderDecoder, tokens: Tensor) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """For rows without padding (B, S + T): a function from the vectors of the sources (B, S, E) to the logits of the
    digits (B, T, 10), and these vectors. What the decoder is fed stays as it is.
    """
    source, fed = split(tokens)

    def logits(vectors: Tensor) -> Tensor:
        reading, state = model.read_vectors(vectors, torch.ones_like(source, dtype=torch.bool))
        rows = []
        for token in fed.unbind(1):
            one, state, _ = model.step(token, state, reading)
            rows.append(one[:, DIGITS.start : DIGITS.stop])
        return torch.stack(rows, 1)

    return logits, model.embedding(source).detach()


class SelfFed(nn.Module):
    """An `EncoderDecoder` that is fed its own likeliest tokens in training, at a share of the places drawn at random.

    With a share of 1 it never sees the right ones; between 0 and 1 it is the scheduled sampling of Bengio et al.
    (NeurIPS 2015) without a schedule. Takes and gives what the model itself does.
    """

    def __init__(self, model: EncoderDecoder, share: float):
        super().__init__()
        self.model, self.share = model, share

    def forward(self, tokens: Tensor) -> Tensor:
        source, fed = split(tokens)
        reading, state = self.model.read(source)
        token, logits = fed[:, 0], []
        for place in range(fed.shape[1]):
            one, state, _ = self.model.step(token, state, reading)
            logits.append(one)
            if place + 1 < fed.shape[1]:
                own = torch.rand(len(fed), device=fed.device) < self.share
                token = torch.where(own, one.argmax(1), fed[:, place + 1])
        return torch.stack(logits, 1)
