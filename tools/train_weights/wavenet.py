"""A causal dilated CNN that reads windows of a text in any order."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tools.train_weights.text import TextTraining
from utils.data import Corpus
from utils.models.wavenet import WaveNet
from utils.modes import evaluation_mode
from utils.training import cross_entropy


class WaveNetTraining(TextTraining[WaveNet]):
    """A `WaveNet` on windows from random places. Its loss counts where a window holds the whole receptive field."""

    method = "AdamW (betas 0.9 and 0.99); gradients shortened to norm 1; windows from random places of the text"
    how = "The whole validation text, read once: each character from the 64 before it, or all there are."

    def __init__(
        self,
        corpus: Corpus,
        *,
        channels: int = 64,
        dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32),
        dropout: float = 0.1,
        steps: int = 3_000,
        lr: float = 0.01,
        batch: int = 8,
        length: int = 256,
        seed: int = 0,
    ):
        super().__init__(corpus)
        self.recipe = dict(
            text=self.data["sha256"], channels=channels, dilations=list(dilations), dropout=dropout, steps=steps, lr=lr,
            batch=batch, length=length, seed=seed,
        )  # fmt: skip
        self.steps, self.look_every, self.reads = steps, min(300, steps), batch * length
        self.batch, self.length, self.seed, self.dropout = batch, length, seed, dropout
        self.field = 1 + sum(dilations)
        torch.manual_seed(seed)
        arguments: dict[str, Any] = dict(vocabulary=len(self.alphabet), channels=channels, dilations=list(dilations))
        self.architecture = {"class": "WaveNet", "arguments": arguments}
        self.model = WaveNet(**arguments)
        parameters = self.model.parameters()
        self.optimizers = [torch.optim.AdamW(parameters, lr, (0.9, 0.99), weight_decay=0.01, fused=True)]

    def loss(self, step: int) -> Tensor:
        draw = torch.Generator().manual_seed(1_000_000 * self.seed + step)
        starts = torch.randint(len(self.train_tokens) - self.length, (self.batch,), generator=draw)
        inputs, targets = self.windows_at(starts, self.length)
        logits = self.model.read(F.dropout(self.model.embedding(inputs), self.dropout))
        return cross_entropy(logits[:, self.field - 1 :], targets[:, self.field - 1 :])

    def measure(self) -> float:
        return wavenet_bits(self.model, self.validation_tokens)


@torch.no_grad()
def wavenet_bits(model: WaveNet, tokens: Tensor, length: int = 4_096) -> float:
    """Bits per character of a text (N,), each character but the first predicted from the whole field before it."""
    nats, past = 0.0, sum(padding for _, _, padding, _ in model.layers)
    with evaluation_mode(model):
        for start in range(0, len(tokens) - 1, length):
            before = min(past, start)
            read, end = tokens[start - before : start + length], min(start + length, len(tokens) - 1)
            logits = model(read[None, : before + end - start])[0, before:]
            nats += cross_entropy(logits, tokens[start + 1 : end + 1]).item() * (end - start)
    return nats / (len(tokens) - 1) / math.log(2)
