"""`torch.compile` gives the function back as it is: compiling changes no value, and takes more time than an answer."""

from collections.abc import Callable
from typing import Any

import torch


def replace_compiler() -> None:
    """From now on nothing is compiled in this process."""
    torch.compile = _as_it_is
    torch.nn.Module.compile = _nothing


def _as_it_is(model: Callable | None = None, **options: Any) -> Callable:
    """As `torch.compile`, which is a decorator with and without arguments."""
    return (lambda function: function) if model is None else model


def _nothing(self: torch.nn.Module, *args: Any, **options: Any) -> None:
    """As `Module.compile`, which works in place."""
