"""Plain values: the only thing that passes between a check and an answer.

A plain value is None, a bool, an int, a float, a string, a tensor, or a list or dict of plain values. Everything an
answer returns is copied into exactly these types before anything is compared, so a subclass with operators of its own
has no say in its grade, and the same values can cross a process border.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

MAX_DEPTH = 20


class NotPlain(TypeError):
    """The value is of a type that no check compares; the message names the type."""


def to_plain(value: Any, depth: int = 0) -> Any:
    """Copy `value` into plain types: arrays become CPU tensors without gradient, tuples become lists.

    Raises:
        NotPlain: for anything else (a generator, a module, a function, an array of objects), or nesting
            deeper than 20 levels.
    """
    if depth > MAX_DEPTH:
        raise NotPlain("a value nested more than 20 levels deep")
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, torch.Tensor):
        return _plain_tensor(value)
    if isinstance(value, np.ndarray):
        return _plain_array(value)
    if isinstance(value, np.generic):
        return to_plain(value.item(), depth + 1)
    if isinstance(value, list | tuple):
        return [to_plain(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return {_plain_key(key): to_plain(item, depth + 1) for key, item in value.items()}
    for scalar in (int, float, str):
        if isinstance(value, scalar):
            return scalar(value)
    raise NotPlain(type_name(value))


def type_name(value: Any) -> str:
    """The type of `value` as a learner would say it: 'a list', 'a tensor', 'None'."""
    if value is None:
        return "None"
    names = {bool: "True or False", int: "a whole number", float: "a number", str: "a string"}
    if type(value) in names:
        return names[type(value)]
    if isinstance(value, torch.Tensor):
        return "a tensor"
    if callable(value) and hasattr(value, "__name__"):
        return f"the {'class' if isinstance(value, type) else 'function'} {value.__name__}"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _plain_key(key: Any) -> str | int:
    if isinstance(key, str):
        return str(key)
    if isinstance(key, int | np.integer):
        return int(key)
    raise NotPlain(f"a dict whose keys are {type_name(key)}")


def _plain_tensor(value: torch.Tensor) -> torch.Tensor:
    if value.is_sparse or value.is_quantized:
        raise NotPlain("a sparse or quantized tensor")
    plain = torch.Tensor.detach(value).cpu()
    return plain.as_subclass(torch.Tensor).clone()


def _plain_array(value: np.ndarray) -> torch.Tensor:
    try:
        return torch.from_numpy(np.array(value, copy=True, order="C", subok=False))
    except TypeError:
        raise NotPlain(f"an array of {value.dtype}") from None
