"""The handwriting network of lesson 14, on lines that the course makes itself."""

from typing import Any

import torch
from torch import Tensor

from tools.train_weights.trainer import Training
from utils import strokes
from utils.models.handwriting import Scribe, mean_nll
from utils.modes import evaluation_mode


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
