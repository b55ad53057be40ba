"""How a training shows where it stands."""

import sys
from collections import deque
from statistics import fmean
from typing import Self

from torch import Tensor
from tqdm import tqdm

from utils.training.metrics import Metric


class Bar:
    """A progress bar of characters: unlike a widget it stays readable in a stored notebook. Hidden without a label.

    It shows the loss of the last step, the metric over the last 20, and the last validation.
    """

    def __init__(self, steps: int, label: str, metric: Metric):
        self.bar = tqdm(total=steps, desc=label, unit=" steps", file=sys.stdout, mininterval=0.5, disable=not label)
        self.label, self.metric = label, metric
        self.recent, self.seen, self.last = deque(maxlen=20), "", ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem) -> None:
        self.bar.close()

    def stepped(self, logits: Tensor, targets: Tensor, loss: Tensor) -> None:
        """One more step, with what its batch gave."""
        self.recent.append(self.metric.total(logits, targets, loss) / targets.numel())
        self.seen = f"loss {loss.item():.3f}, {self.metric.name} {self.metric.text(fmean(self.recent))}"
        self.bar.set_postfix_str(self.seen + self.last, refresh=False)
        self.bar.update()

    def validated(self, value: float) -> None:
        self.last = f", validation {self.metric.text(value)}"
        self.bar.set_postfix_str(self.seen + self.last, refresh=False)

    def interrupted(self) -> None:
        self.bar.set_description(f"{self.label} (interrupted)")
