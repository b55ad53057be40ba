"""A character transformer that reads windows of a text."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tools.train_weights.muon import Muon
from tools.train_weights.text import TextTraining
from utils.data import Corpus
from utils.models import Transformer
from utils.modes import evaluation_mode
from utils.training import cross_entropy


class TransformerTraining(TextTraining[Transformer]):
    """A `Transformer` on windows of a text, in a new random order each pass, cut `offset` characters further on.

    Muon (Jordan et al. 2024) moves the matrices between the residual stream and itself; AdamW the rest. Dropout falls
    on the embedding and on what each residual step adds.
    """

    method = (
        "Muon (momentum 0.95) on the matrices of the blocks, AdamW (betas 0.9 and 0.99) on the rest; gradients "
        "shortened to norm 1; dropout on the embedding and on what each residual step adds; windows of the text in a "
        "new order each pass"
    )
    how = (
        "The whole validation text but its first character, in windows of 256 that overlap by half: each character is "
        "predicted once, from the 129 to 256 before it, or all there are in the first half of the first window."
    )

    def __init__(
        self,
        corpus: Corpus,
        *,
        width: int = 128,
        heads: int = 4,
        layers: int = 2,
        context: int = 256,
        dropout: float = 0.05,
        epochs: int = 15,
        muon: float = 0.05,
        lr: float = 0.01,
        weight_decay: float = 0.01,
        batch: int = 4,
        seed: int = 0,
    ):
        super().__init__(corpus)
        self.recipe = dict(
            text=self.data["sha256"],
            context=context,
            dropout=dropout,
            epochs=epochs,
            muon=muon,
            lr=lr,
            weight_decay=weight_decay,
            batch=batch,
            seed=seed,
        )
        self.context, self.rows, self.dropout, self.seed = context, batch, dropout, seed
        self.windows = (len(self.train_tokens) - 1) // context - 1  # of a pass, whatever its offset
        self.look_every = self.windows // batch
        self.steps, self.reads = epochs * self.look_every, batch * context
        torch.manual_seed(seed)
        arguments: dict[str, Any] = dict(vocabulary=len(self.alphabet), width=width, heads=heads, layers=layers)
        self.architecture = {"class": "Transformer", "arguments": arguments}
        self.model = Transformer(**arguments)
        matrices = [p for block in self.model.blocks for p in block.parameters() if p.dim() == 2]
        rest = [p for p in self.model.parameters() if not any(p is matrix for matrix in matrices)]
        self.optimizers = [
            Muon(matrices, muon, weight_decay=weight_decay),
            torch.optim.AdamW(rest, lr, (0.9, 0.99), weight_decay=weight_decay, fused=True),
        ]

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets (B, T) of a step, which depend on its number alone."""
        epoch, place = divmod(step, self.look_every)
        generator = torch.Generator().manual_seed(1000 * self.seed + epoch)
        offset = torch.randint(self.context, (), generator=generator)
        order = torch.randperm(self.windows, generator=generator)
        starts = order[place * self.rows : (place + 1) * self.rows] * self.context + offset  # (B,)
        return self.windows_at(starts, self.context)

    def loss(self, step: int) -> Tensor:
        inputs, targets = self.batch(step)
        x = F.dropout(self.model.embedding(inputs), self.dropout)  # (B, T, C)
        rotation = self.model.rotation(x)
        for block in self.model.blocks:
            x = x + F.dropout(block.attention(block.norm1(x), rotation), self.dropout)
            x = x + F.dropout(block.mlp(block.norm2(x)), self.dropout)
        return cross_entropy(self.model.head(self.model.norm(x)), targets)

    def measure(self) -> float:
        return transformer_bits(self.model, self.validation_tokens, self.context)


@torch.no_grad()
def transformer_bits(model: Transformer, tokens: Tensor, context: int = 256, batch: int = 32) -> float:
    """Bits per character of a text (N,), read in windows of `context` that overlap by half.

    Each character is predicted once, in the second half of a window, from the context / 2 + 1 to `context` characters
    before it. Those of the first window are all counted, the first ones with as many as there are.
    """
    half = context // 2
    padded = F.pad(tokens, (0, -(len(tokens) - 1) % half))  # the targets of the padding are left out below
    windows = padded.unfold(0, context + 1, half)  # (W, context + 1)
    nats, count = 0.0, 0
    with evaluation_mode(model):
        for rows in torch.arange(len(windows)).split(batch):
            logits = model(windows[rows, :-1])  # (B, T, V)
            losses = F.cross_entropy(logits.transpose(1, 2), windows[rows, 1:], reduction="none")  # (B, T)
            places = rows[:, None] * half + torch.arange(1, context + 1)  # of the targets, in the text
            counted = (places < len(tokens)) & ((torch.arange(context) >= half) | (rows[:, None] == 0))
            nats, count = nats + losses[counted].sum().item(), count + int(counted.sum())
    assert count == len(tokens) - 1
    return nats / count / math.log(2)
