"""What is left of a training, to be read and drawn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from utils.training.metrics import METRICS


@dataclass
class History:
    """What `fit` saw: the loss of every step; the step, value and training time of each validation."""

    metric: str
    losses: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # since the start, by `Stopwatch`: validation not counted
    interrupted: bool = False

    @property
    def best(self) -> float:
        """The validation value of the weights that the model now has; nan before the first validation."""
        return METRICS[self.metric].best(self.validation, default=math.nan)

    def validated(self, step: int, seconds: float, value: float) -> None:
        """Note what a validation after this step gave, and how long training had taken until then."""
        self.steps.append(step)
        self.seconds.append(seconds)
        self.validation.append(value)


@dataclass(frozen=True)
class LearningCurve:
    """Bits per character on the validation text, against what training had used up by then."""

    tokens: Sequence[int]
    seconds: Sequence[float]
    bits: Sequence[float]
