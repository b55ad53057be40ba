"""The handwriting network of lesson 14, on lines that the course makes itself."""

from typing import Any

import torch
from torch import Tensor

from tools.train_weights.trainer import Training
from utils.models.handwriting import Scribe, mean_nll
from utils.modes import evaluation_mode
from utils.tasks import strokes


class ScribeTraining(Training[Scribe]):
    """A `Scribe` on fresh lines at each step, so that it never sees one twice."""

    unit = "nats per point"
    counted = "points"
    method = "AdamW (betas 0.9 and 0.99); gradients shortened to norm 1; lines of 150 points, drawn anew at each step"
    how = "256 lines of 150 points that training never drew; the mean over all points."

    def __init__(
        self,
        *,
        width: int = 128,
        components: int = 10,
        steps: int = 2_000,
        lr: float = 5e-3,
        batch: int = 32,
        seed: int = 0,
    ):
        self.recipe = dict(width=width, components=components, steps=steps, lr=lr, batch=batch, seed=seed)
        self.data: dict[str, Any] = {"name": "strokes of utils/tasks/strokes.py"}
        self.steps, self.batch, self.seed, self.look_every = steps, batch, seed, min(200, steps)
        self.reads = batch * 150
        torch.manual_seed(seed)
        arguments: dict[str, Any] = dict(width=width, components=components)
        self.architecture = {"class": "Scribe", "arguments": arguments}
        self.model = Scribe(**arguments)
        self.optimizers = [torch.optim.AdamW(self.model.parameters(), lr, (0.9, 0.99), weight_decay=0.01, fused=True)]

    def loss(self, step: int) -> Tensor:
        lines = strokes.lines(self.batch, 150, seed=1_000_000 * (self.seed + 1) + step)
        return mean_nll(self.model(shifted(lines))[0], lines)

    @torch.no_grad()
    def measure(self) -> float:
        lines = strokes.held_out()
        with evaluation_mode(self.model):
            return mean_nll(self.model(shifted(lines))[0], lines).item()


def shifted(lines: Tensor) -> Tensor:
    """What has been written before each point of the lines (L, T, 3): a zero step, then all but the last."""
    return torch.nn.functional.pad(lines[:, :-1], (0, 0, 1, 0))
