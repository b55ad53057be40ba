"""What is measured: the loss, and some figures of merit."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]
"""From logits and targets to the mean loss in nats, a single number."""


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean loss in nats. Images have logits (N, classes) and targets (N), text has (B, T, V) and (B, T)."""
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten())  # (B, T, V) and (B, T) to (B·T, V) and (B·T)


@dataclass(frozen=True)
class Metric:
    """A mean over the targets.

    Args:
        name: what it is called.
        total: its sum over a batch, from the batch's logits, targets and mean loss (nats).
        best: which of several values is best, `max` or `min`.
        form: how a value is printed.
    """

    name: str
    total: Callable[[Tensor, Tensor, Tensor], float]
    best: Callable[..., float]
    form: str

    def text(self, value: float) -> str:
        return self.form.format(value)


def _correct(logits: Tensor, targets: Tensor, loss: Tensor) -> float:
    return (logits.argmax(-1) == targets).sum().item()


def _bits(logits: Tensor, targets: Tensor, loss: Tensor) -> float:
    return loss.item() * targets.numel() / math.log(2)  # one bit is ln 2 nats


def _loss(logits: Tensor, targets: Tensor, loss: Tensor) -> float:
    return loss.item() * targets.numel()


METRICS = {
    metric.name: metric
    for metric in (
        Metric("accuracy", _correct, max, "{:.2%}"),
        Metric("bits per character", _bits, min, "{:.3f}"),
        Metric("bits", _bits, min, "{:.3f}"),  # per symbol of another kind
        Metric("error", _loss, min, "{:.4f}"),  # of a loss that is no cross-entropy, as it is
    )
}
