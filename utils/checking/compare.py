"""Where two plain values differ: type, then shape, then dtype, then values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from utils.checking.describe import describe, number, shape_and_type
from utils.checking.plain import type_name

COARSEST = 2e-2  # half precision is fine; a dtype that cannot tell 1.0 from 1.1 is not


@dataclass(frozen=True)
class Difference:
    """The first thing in which two values differ: one sentence, the part that differs, and the values of that part.

    `part` is "" for a value of one part, else its name or its place: "keys", "[2]", "[0].loss".
    """

    sentence: str
    expected: Any
    got: Any
    part: str = ""

    def inside(self, part: str) -> "Difference":
        """The same, seen from the value that holds this part."""
        return replace(self, part=f"{part}{'.' * (self.part[:1] not in ('', '['))}{self.part}")

    def __str__(self) -> str:
        return f"{self.part}: {self.sentence}" if self.part else self.sentence


def difference(expected: Any, got: Any, rtol: float = 1e-4, atol: float = 1e-5) -> str | None:
    """None if `got` is as good as `expected`, else one sentence on the first thing that differs.

    Both are plain values. Widths of a dtype do not matter (float64 or float16 for float32, within the precision of
    the narrower one), nor does a whole number instead of an equal float, nor a tuple instead of a list. Whole
    numbers must be equal exactly.
    """
    found = first_difference(expected, got, rtol, atol)
    return None if found is None else str(found)


def first_difference(
    expected: Any, got: Any, rtol: float = 1e-4, atol: float = 1e-5, names: Sequence[str] = ()
) -> Difference | None:
    """As `difference`, with the part that differs. `names` are those of the parts of a tuple or list."""
    if isinstance(expected, dict):
        return _dict_difference(expected, got, rtol, atol)
    if isinstance(expected, list | tuple):
        return _list_difference(expected, got, rtol, atol, names)
    if expected is None or isinstance(expected, str):
        same = type(got) is type(expected) and got == expected
        sentence = None if same else f"expected {describe(expected)}, got {describe(got)}"
    elif isinstance(expected, torch.Tensor) and expected.dim() > 0:
        sentence = _tensor_difference(expected, got, rtol, atol)
    else:
        sentence = _number_difference(expected, got, rtol, atol)
    return None if sentence is None else Difference(sentence, expected, got)


def _dict_difference(expected: dict, got: Any, rtol: float, atol: float) -> Difference | None:
    if not isinstance(got, dict):
        return Difference(f"expected a dict, got {type_name(got)}", expected, got)
    if set(expected) != set(got):
        keys = f"expected the keys {sorted(expected, key=str)}, got {sorted(got, key=str)}"
        return Difference(keys, expected, got)
    for key, value in expected.items():
        if found := first_difference(value, got[key], rtol, atol):
            return found.inside(str(key))
    return None


def _list_difference(
    expected: list | tuple, got: Any, rtol: float, atol: float, names: Sequence[str]
) -> Difference | None:
    if isinstance(got, torch.Tensor) and got.dim() == 1 and not _holds_tensors(expected):
        got = got.tolist()
    if not isinstance(got, list | tuple):
        return Difference(f"expected {_several(expected, names)}, got {shape_or_type(got)}", expected, got)
    if len(expected) != len(got):
        return Difference(f"expected {_several(expected, names)}, got {len(got)}", expected, got)
    for index, (want, have) in enumerate(zip(expected, got, strict=True)):
        if found := first_difference(want, have, rtol, atol):
            found = found.inside(names[index] if names else f"[{index}]")
            return Difference(str(found), expected, got) if is_short(expected) else found
    return None


def is_short(values: list | tuple) -> bool:
    """Whether a person takes in all of these at a glance, so that all are shown where one of them differs."""
    return len(values) <= 12 and all(value is None or isinstance(value, bool | int | float | str) for value in values)


def _several(expected: list | tuple, names: Sequence[str]) -> str:
    if names:
        return f"{len(expected)} values ({', '.join(names)})"
    return f"a {'list' if isinstance(expected, list) else 'tuple'} of {len(expected)}"


def shape_or_type(value: Any) -> str:
    """'a tensor of shape (2, 3)', 'a string', 'a list of 4'."""
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}" if value.dim() else "a number"
    return f"{type_name(value)} of {len(value)}" if isinstance(value, list | tuple) else type_name(value)


def _holds_tensors(values: list | tuple) -> bool:
    return any(isinstance(value, torch.Tensor) for value in values)


def _number_difference(expected: Any, got: Any, rtol: float, atol: float) -> str | None:
    if type(expected) is int and type(got) is int:
        return None if expected == got else f"expected {expected}, got {got}"
    want = expected if isinstance(expected, torch.Tensor) else torch.tensor(expected, dtype=_python_dtype(expected))
    if isinstance(got, torch.Tensor):
        if got.dim() > 0:
            return f"expected a single number, got a tensor of shape {tuple(got.shape)}"
    elif not isinstance(got, bool | int | float):
        return f"expected {_kind_name(want)}, got {type_name(got)}"
    have = got if isinstance(got, torch.Tensor) else torch.tensor(got, dtype=_python_dtype(got))
    if _kind(have) == "bool" and _kind(want) != "bool":
        return f"expected {_kind_name(want)}, got True or False"
    if _kind(have) == "complex":
        return f"expected {_kind_name(want)}, got a complex number"
    if _close(want, have, rtol, atol).all():
        return None
    return f"expected {describe(expected)}, got {describe(got)}"


def _python_dtype(value: bool | int | float) -> torch.dtype:
    if isinstance(value, bool):
        return torch.bool
    fits = isinstance(value, int) and -(2**63) <= value < 2**63
    return torch.int64 if fits else torch.float64


def _tensor_difference(expected: torch.Tensor, got: Any, rtol: float, atol: float) -> str | None:
    if isinstance(got, list | tuple):
        return f"expected a tensor of shape {tuple(expected.shape)}, got {_list_in_place_of(expected, got)}"
    if not isinstance(got, torch.Tensor):
        return f"expected a tensor of shape {tuple(expected.shape)}, got {type_name(got)}"
    if got.shape != expected.shape:
        return f"expected shape {tuple(expected.shape)}, got {tuple(got.shape)}"
    if "complex" in {_kind(got), _kind(expected)} or (_kind(got) == "bool") != (_kind(expected) == "bool"):
        return f"expected {shape_and_type(expected)}, got {shape_and_type(got)}"
    wrong = ~_close(expected, got, rtol, atol)
    if not wrong.any():
        return None
    if _kind(expected) == "float" and _kind(got) == "int" and not _whole(expected):
        return f"dtype {str(got.dtype).removeprefix('torch.')} cannot hold fractions; a float dtype is expected"
    index = tuple(wrong.nonzero()[0].tolist())
    values = f"expected {_item(expected, index)}, got {_item(got, index)}"
    if wrong.numel() == 1:
        return values
    return f"{int(wrong.sum())} of {wrong.numel()} values differ; the first at {list(index)}: {values}"


def _list_in_place_of(expected: torch.Tensor, got: list | tuple) -> str:
    fitting = [i for i, item in enumerate(got) if isinstance(item, torch.Tensor) and item.shape == expected.shape]
    hint = f"; its item {fitting[0]} has that shape: return it alone" if fitting else ""
    return f"a list or tuple of length {len(got)}{hint}"


def _close(expected: torch.Tensor, got: torch.Tensor, rtol: float, atol: float) -> torch.Tensor:
    if _kind(expected) == "int":
        return got.double() == expected.double()  # counts and labels are right or wrong, however large
    if got.dtype.is_floating_point:
        precision = min(4 * torch.finfo(got.dtype).eps, COARSEST)
        scale = expected.double().abs().nan_to_num(posinf=0).max().item() if expected.numel() else 0.0
        rtol, atol = max(rtol, precision), max(atol, precision * scale if precision > rtol else 0.0)
    return torch.isclose(got.double(), expected.double(), rtol=rtol, atol=atol, equal_nan=True)


def _kind(value: torch.Tensor) -> str:
    if value.dtype == torch.bool:
        return "bool"
    if value.is_complex():
        return "complex"
    return "float" if value.dtype.is_floating_point else "int"


def _kind_name(value: torch.Tensor) -> str:
    return {"bool": "True or False", "int": "a whole number"}.get(_kind(value), "a number")


def _whole(value: torch.Tensor) -> bool:
    return bool((value == value.round()).all())


def _item(value: torch.Tensor, index: tuple[int, ...]) -> str:
    item = value[index].item()
    return number(item) if isinstance(item, float) else repr(item)
