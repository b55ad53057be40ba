"""Where two plain values differ: type, then shape, then dtype, then values."""

from typing import Any

import torch

from utils.checking.describe import describe, number, shape_and_type
from utils.checking.plain import type_name

COARSEST = 2e-2  # half precision is fine; a dtype that cannot tell 1.0 from 1.1 is not


def difference(expected: Any, got: Any, rtol: float = 1e-4, atol: float = 1e-5) -> str | None:
    """None if `got` is as good as `expected`, else one sentence on the first thing that differs.

    Both are plain values. Widths of a dtype do not matter (float64 or float16 for float32, within the precision of
    the narrower one), nor does a whole number in place of an equal float. Whole numbers must be equal exactly.
    """
    if isinstance(expected, dict):
        return _dict_difference(expected, got, rtol, atol)
    if isinstance(expected, list):
        return _list_difference(expected, got, rtol, atol)
    if expected is None or isinstance(expected, str):
        same = type(got) is type(expected) and got == expected
        return None if same else f"expected {describe(expected)}, got {describe(got)}"
    if isinstance(expected, torch.Tensor) and expected.dim() > 0:
        return _tensor_difference(expected, got, rtol, atol)
    return _number_difference(expected, got, rtol, atol)


def _dict_difference(expected: dict, got: Any, rtol: float, atol: float) -> str | None:
    if not isinstance(got, dict):
        return f"expected a dict, got {type_name(got)}"
    if set(expected) != set(got):
        return f"expected the keys {sorted(expected, key=str)}, got {sorted(got, key=str)}"
    for key, value in expected.items():
        if found := difference(value, got[key], rtol, atol):
            return f"{key}: {found}"
    return None


def _list_difference(expected: list, got: Any, rtol: float, atol: float) -> str | None:
    if isinstance(got, torch.Tensor) and got.dim() == 1 and not _holds_tensors(expected):
        got = got.tolist()
    if not isinstance(got, list):
        return f"expected a list, got {type_name(got)}"
    if len(expected) != len(got):
        return f"expected {len(expected)} values, got {len(got)}"
    for index, (want, have) in enumerate(zip(expected, got, strict=True)):
        if found := difference(want, have, rtol, atol):
            return f"at [{index}]: {found}"
    return None


def _holds_tensors(values: list) -> bool:
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
    if isinstance(got, list):
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
    count = f"{int(wrong.sum())} of {wrong.numel()} values differ; the first"
    where = ", ".join(str(position) for position in index)
    return f"{count} at [{where}]: expected {_item(expected, index)}, got {_item(got, index)}"


def _list_in_place_of(expected: torch.Tensor, got: list) -> str:
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
