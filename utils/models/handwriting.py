"""The handwriting network of Graves, "Generating Sequences With Recurrent Neural Networks", 2013, made small.

It reads steps of a pen (dx, dy, lift) and says, for each, which step may come next: a mixture of K bivariate normal
distributions and the probability of a lift. One LSTM layer instead of three, and no text to write.
Shapes: B lines, T points, K components; `raw` (…, 6 K + 1) holds the network's sums as they leave its last layer.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

State = tuple[Tensor, Tensor]


class Mixture(NamedTuple):
    """What may come next. All but `lift` are (…, K)."""

    log_weight: Tensor
    mean_x: Tensor
    mean_y: Tensor
    log_x: Tensor  # logarithms of the two standard deviations
    log_y: Tensor
    correlation: Tensor
    lift: Tensor  # (…), the logit of a lift


def mixture(raw: Tensor, bias: float = 0.0) -> Mixture:
    """Six columns of K numbers and one for the pen, from raw (…, 6 K + 1).

    `bias` is that of Graves's section 5.4: it sharpens the weights and makes the deviations smaller.
    """
    weight, mean_x, mean_y, log_x, log_y, correlation = raw[..., :-1].chunk(6, -1)
    weight = ((1 + bias) * weight).log_softmax(-1)
    return Mixture(weight, mean_x, mean_y, log_x - bias, log_y - bias, correlation.tanh(), raw[..., -1])


def stroke_nll(raw: Tensor, steps: Tensor) -> Tensor:
    """Negative log-likelihood (…), in nats, of steps (…, 3) under raw (…, 6 K + 1)."""
    m = mixture(raw)
    x, y = (
        (steps[..., axis, None] - mean) / log.exp()
        for axis, mean, log in ((0, m.mean_x, m.log_x), (1, m.mean_y, m.log_y))
    )
    rest = 1 - m.correlation**2
    distance = (x**2 + y**2 - 2 * m.correlation * x * y) / rest
    log_density = -distance / 2 - math.log(2 * math.pi) - m.log_x - m.log_y - rest.log() / 2  # (…, K)
    where = torch.logsumexp(m.log_weight + log_density, -1)
    return F.binary_cross_entropy_with_logits(m.lift, steps[..., 2], reduction="none") - where


def mean_nll(raw: Tensor, steps: Tensor) -> Tensor:
    """The mean of `stroke_nll`, as a loss for `fit`."""
    return stroke_nll(raw, steps).mean()


class Scribe(nn.Module):
    """Steps (B, T, 3) and a state in; raw (B, T, 6 K + 1) for the step that follows each, and the next state out."""

    def __init__(self, width: int = 128, components: int = 10):
        super().__init__()
        self.lstm = nn.LSTM(3, width, batch_first=True)
        self.head = nn.Linear(width, 6 * components + 1)

    def forward(self, steps: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        hidden, next_state = self.lstm(steps, state)
        return self.head(hidden), next_state


@torch.no_grad()
def write(
    model: Scribe, points: int, bias: float = 0.0, generator: torch.Generator | None = None, lines: int = 1
) -> Tensor:
    """Lines that the model writes, (lines, points, 3): each step is drawn, then read as the next input."""
    step, state, written = torch.zeros(lines, 1, 3), None, []
    for _ in range(points):
        raw, state = model(step, state)
        step = draw(raw[:, 0], bias, generator)[:, None]
        written.append(step)
    return torch.cat(written, 1)


def draw(raw: Tensor, bias: float = 0.0, generator: torch.Generator | None = None) -> Tensor:
    """One step (B, 3) for each row of raw (B, 6 K + 1): a component, a place in it, and whether the pen is lifted."""
    m = mixture(raw, bias)
    chosen = torch.multinomial(m.log_weight.exp(), 1, generator=generator)  # (B, 1)
    mean_x, mean_y, log_x, log_y, rho = (part.gather(1, chosen)[:, 0] for part in m[1:6])
    e, d = torch.randn(2, len(raw), generator=generator)
    x = mean_x + log_x.exp() * e
    y = mean_y + log_y.exp() * (rho * e + (1 - rho**2).sqrt() * d)
    lift = torch.rand(len(raw), generator=generator) < m.lift.sigmoid()
    return torch.stack([x, y, lift.float()], 1)
