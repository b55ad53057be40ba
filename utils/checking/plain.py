"""Plain values: the only thing that passes between a check and an answer.

A plain value is None, a bool, an int, a float, a string, a tensor, or a list or dict of plain values. Everything an
answer returns is copied into exactly these types before anything is compared, so a subclass with operators of its own
has no say in its grade, and the same values can cross a process border. A tuple stays one, so that it is shown as one;
where values are compared it is as good as a list.
"""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from itertools import islice
from types import GeneratorType
from typing import Any

import numpy as np
import torch

MAX_DEPTH = 20
MAX_ITEMS = 10_000  # of a list or dict
MAX_ELEMENTS = 2_000_000  # of a tensor: no exercise needs more, and every case's result is kept
MAX_ITEMS_IN_ALL = 100_000  # of all lists and dicts of a value
MAX_ELEMENTS_IN_ALL = 4_000_000  # of all its tensors
MAX_SIDE = 100_000_000  # of a tensor without numbers
MAX_KEY = 2**31  # of a dict; larger whole numbers can be made to share a hash
MAX_BITS = 1_023  # of a whole number, so that a float can hold it; about 300 digits


class NotPlain(TypeError):
    """The value is of a type that no check compares; the message names the type."""


def to_plain(value: Any) -> Any:
    """Copy `value` into plain types: arrays become CPU tensors without gradient, dataclasses dicts of their fields.

    Raises:
        NotPlain: for anything else (a generator, a module, a function, an array of objects), for nesting deeper
            than 20 levels, and for what is too large to be an answer, in one of its parts or as a whole.
    """
    return _plain(value, 0, _Budget())


def copied(value: Any) -> Any:
    """A copy that shares nothing with the value, as `copy.deepcopy` gives, in a tenth of its time where tensors are."""
    kind = type(value)
    if kind is torch.Tensor and not value.requires_grad:
        return value.clone()
    if kind is tuple or kind is list:
        return kind(copied(part) for part in value)
    return copy.deepcopy(value)


@dataclass
class _Budget:
    """What all parts of one value together may still hold. What stands in it twice is copied, and counts, twice."""

    items: int = MAX_ITEMS_IN_ALL
    elements: int = MAX_ELEMENTS_IN_ALL

    def spend(self, items: int = 0, elements: int = 0) -> None:
        self.items -= items
        self.elements -= elements
        if self.items < 0:
            raise NotPlain(f"a value of more than {MAX_ITEMS_IN_ALL:,} items in all")
        if self.elements < 0:
            raise NotPlain(f"a value of more than {MAX_ELEMENTS_IN_ALL:,} numbers in all")


def _plain(value: Any, depth: int, budget: _Budget) -> Any:
    def inside(part: Any) -> Any:
        return _plain(part, depth + 1, budget)

    if depth > MAX_DEPTH:
        raise NotPlain("a value nested more than 20 levels deep")
    if value is None or type(value) in (bool, float):
        return value
    if isinstance(value, torch.Tensor):
        return _plain_tensor(value, budget)
    if isinstance(value, np.ndarray):
        return _plain_array(value, budget)
    if isinstance(value, np.longdouble):  # pyright: ignore[reportArgumentType] NumPy's stub makes it no class
        return float(value)
    if isinstance(value, np.generic):
        return inside(value.item())
    if isinstance(value, list | tuple):
        items = [inside(item) for item in _at_most(value, "list", budget)]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, Mapping):
        return {_plain_key(key): inside(item) for key, item in _at_most(value.items(), "dict", budget)}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: inside(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, int):
        return _plain_int(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, str):
        return readable(str.__str__(value))
    raise NotPlain(type_name(value))


def size(value: Any) -> int:
    """How much a plain value holds: the elements of its tensors, the items of its lists and dicts, its characters."""
    if isinstance(value, torch.Tensor):
        return value.numel()
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | tuple | dict):
        return len(value) + sum(map(size, value.values() if isinstance(value, dict) else value))
    return 1


def readable(text: str) -> str:
    """`text` as it can be written to a file: halves of characters, which Python lets stand alone, become "?"."""
    return text.encode("utf-8", "replace").decode()


def type_name(value: Any) -> str:
    """The type of `value` as a learner would say it: 'a list', 'a tensor', 'None'."""
    if value is None:
        return "None"
    names = {bool: "True or False", int: "a whole number", float: "a number", str: "a string"}
    if type(value) in names:
        return names[type(value)]
    if isinstance(value, torch.Tensor):
        return "a tensor"
    if isinstance(value, GeneratorType):
        return "a generator"
    if callable(value) and hasattr(value, "__name__"):
        return f"the {'class' if isinstance(value, type) else 'function'} {value.__name__}"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _plain_key(key: Any) -> str | int:
    if isinstance(key, str):
        return readable(str.__str__(key))
    if isinstance(key, int | np.integer):
        plain = _plain_int(int(key))
        if abs(plain) < MAX_KEY:
            return plain
        raise NotPlain("a dict whose keys are very large numbers")
    raise NotPlain(f"a dict whose keys are {type_name(key)}")


def _at_most(items: Iterable, name: str, budget: _Budget) -> list:
    kept = list(islice(items, MAX_ITEMS + 1))
    if len(kept) > MAX_ITEMS:
        raise NotPlain(f"a {name} of more than {MAX_ITEMS:,} items")
    budget.spend(items=len(kept))
    return kept


def _plain_int(value: int) -> int:
    plain = int.__int__(value)  # of a subclass, the number itself, whatever it says of itself
    if plain.bit_length() > MAX_BITS:
        raise NotPlain("a whole number of more than 300 digits")
    return plain


def _plain_tensor(value: torch.Tensor, budget: _Budget) -> torch.Tensor:
    if value.layout != torch.strided or value.is_quantized or value.is_nested:
        raise NotPlain("a tensor that is sparse, quantized or nested")
    if value.device.type == "meta":
        raise NotPlain("a tensor on the device 'meta', which holds no numbers")
    if value.numel() > MAX_ELEMENTS:
        raise NotPlain(f"a tensor of {value.numel():,} numbers")
    if any(side > MAX_SIDE for side in value.shape):
        raise NotPlain(f"a tensor with a side of more than {MAX_SIDE:,}")
    budget.spend(items=1, elements=value.numel())
    plain = torch.Tensor.detach(value).cpu()
    return plain.as_subclass(torch.Tensor).clone()


def _plain_array(value: np.ndarray, budget: _Budget) -> torch.Tensor:
    if isinstance(value, np.ma.MaskedArray):
        raise NotPlain("a masked array")
    if value.size > MAX_ELEMENTS:
        raise NotPlain(f"an array of {value.size:,} numbers")
    budget.spend(items=1, elements=value.size)
    try:
        return torch.from_numpy(np.array(value, dtype=value.dtype.newbyteorder("="), order="C", subok=False))
    except TypeError:
        raise NotPlain(f"an array of {value.dtype}") from None
