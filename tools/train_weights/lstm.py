"""A character LSTM that reads a text as streams."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tools.train_weights.text import TextTraining
from utils.data import Corpus
from utils.models import CharLSTM
from utils.modes import evaluation_mode
from utils.training import cross_entropy


class LSTMTraining(TextTraining[CharLSTM]):
    """A `CharLSTM` by truncated backpropagation: several streams, the state carried on through each pass.

    Each pass cuts the streams anew, `offset` characters further on, so that the states are detached elsewhere.
    Dropout (Srivastava et al. 2014) falls on what goes into the layer and on what comes out, as in Zaremba et al.
    2014, never on the state.
    """

    method = (
        "AdamW (betas 0.9 and 0.99); gradients shortened to norm 1; dropout on the embedding and on the layer's "
        "output; the text in streams, the state carried along and detached after each batch"
    )
    how = "The whole validation text but its first character, read as one stream from a zero state."

    def __init__(
        self,
        corpus: Corpus,
        *,
        width: int = 512,
        embedding: int = 128,
        dropout: float = 0.4,
        epochs: int = 12,
        lr: float = 4e-3,
        weight_decay: float = 0.01,
        streams: int = 16,
        length: int = 128,
        seed: int = 0,
        alphabet: str | None = None,
        part: int = 1,
    ):
        super().__init__(corpus, alphabet, part)
        self.recipe = dict(
            text=self.data["sha256"],
            width=width,
            embedding=embedding,
            dropout=dropout,
            epochs=epochs,
            lr=lr,
            weight_decay=weight_decay,
            streams=streams,
            length=length,
            seed=seed,
        )
        self.streams, self.length, self.dropout, self.seed = streams, length, dropout, seed
        self.stream = (len(self.train_tokens) - 1) // streams  # characters of one
        self.look_every = (self.stream - length) // length  # steps of a pass, whatever its offset
        self.steps, self.reads = epochs * self.look_every, streams * length
        torch.manual_seed(seed)
        arguments: dict[str, Any] = dict(vocabulary=len(self.alphabet), width=width, embedding=embedding)
        self.architecture = {"class": "CharLSTM", "arguments": arguments}
        self.model = CharLSTM(**arguments)
        parameters = self.model.parameters()
        self.optimizers = [torch.optim.AdamW(parameters, lr, (0.9, 0.99), weight_decay=weight_decay, fused=True)]

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets (B, T) of a step, which depend on its number alone."""
        epoch, place = divmod(step, self.look_every)
        offset = torch.randint(self.length, (), generator=torch.Generator().manual_seed(1000 * self.seed + epoch))
        starts = torch.arange(self.streams) * self.stream + place * self.length + offset  # (B,)
        return self.windows_at(starts, self.length)

    def loss(self, step: int) -> Tensor:
        inputs, targets = self.batch(step)
        state = self.carried if step % self.look_every else None
        vectors = F.dropout(self.model.embedding(inputs), self.dropout)  # (B, T, E)
        hidden, (h, c) = self.model.lstm(vectors, state)  # (B, T, C)
        self.carried = h.detach(), c.detach()
        return cross_entropy(self.model.head(F.dropout(hidden, self.dropout)), targets)

    def measure(self) -> float:
        """In 32 streams, which is faster; each starts from a zero state."""
        return lstm_bits(self.model, self.validation_tokens, streams=32)

    def final(self) -> float:
        return lstm_bits(self.model, self.validation_tokens)


@torch.no_grad()
def lstm_bits(model: CharLSTM, tokens: Tensor, streams: int = 1, length: int = 256) -> float:
    """Bits per character of a text (N,), read as so many streams, each from a zero state to its end.

    One stream reads the text as it stands. Every character but the first is predicted, and N − 1 modulo `streams`
    at the end are left out.
    """
    size = (len(tokens) - 1) // streams
    inputs, targets = (part[: streams * size].view(streams, size) for part in (tokens[:-1], tokens[1:]))
    nats, state = 0.0, None
    with evaluation_mode(model):
        for read, wanted in zip(inputs.split(length, 1), targets.split(length, 1), strict=True):
            logits, state = model(read, state)
            nats += cross_entropy(logits, wanted).item() * wanted.numel()
    return nats / targets.numel() / math.log(2)
