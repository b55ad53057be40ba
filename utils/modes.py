"""Training mode and evaluation mode of a module's parts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluation_mode(model: nn.Module | Callable) -> Iterator[None]:
    """Evaluation mode for every part of a module; afterwards each part is in the mode it had.

    A plain function has no mode and is left alone.
    """
    modes = {part: part.training for part in model.modules()} if isinstance(model, nn.Module) else {}
    try:
        for part in modes:
            part.training = False
        yield
    finally:
        for part, training in modes.items():
            part.training = training
