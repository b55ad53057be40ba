"""How values are shown in a verdict: whole where a person can take them in, by shape where not."""

import math
import textwrap
from typing import Any

import torch

MAX_ELEMENTS = 36
MAX_CHARACTERS = 300


def describe(value: Any) -> str:
    """A short, readable form of a plain value, at most a few lines long."""
    if isinstance(value, torch.Tensor):
        return _describe_tensor(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list) and any(isinstance(item, torch.Tensor) for item in value):
        return shorten("[" + ", ".join(shape_and_type(item) for item in value) + "]")
    if isinstance(value, dict):
        return shorten("{" + ", ".join(f"{key}: {describe(item)}" for key, item in value.items()) + "}")
    if isinstance(value, list):
        return shorten("[" + ", ".join(describe(item) for item in value) + "]")
    return shorten(repr(value))


def shape_and_type(value: Any) -> str:
    """'shape (3, 3), float32' for a tensor; the description itself for anything else."""
    if not isinstance(value, torch.Tensor):
        return describe(value)
    return f"tensor of shape {tuple(value.shape)}, {str(value.dtype).removeprefix('torch.')}"


def number(value: float) -> str:
    """At most five significant digits, without a needless '.0000'."""
    if not math.isfinite(value):
        return str(value)
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e6 else f"{value:.5g}"


def shorten(text: str, limit: int = MAX_CHARACTERS) -> str:
    """`text`, cut in the middle if it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    half = (limit - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"


def show_call(name: str, parameters: list[str], args: tuple) -> str:
    """The call as a learner would write it, one argument a line: what went in."""
    names = parameters[: len(args)]
    lines = []
    for parameter, value in zip(names, args, strict=True):
        first, *rest = f"{parameter} = {describe(value)}".splitlines()
        margin = " " * (len(parameter) + 3)
        lines += [first, *(margin + line for line in rest)]
    return f"{name}({', '.join(names)}) with\n" + indent("\n".join(lines))


def indent(text: str) -> str:
    """`text` with every line moved in by four spaces."""
    return textwrap.indent(text, "    ")


def _describe_tensor(value: torch.Tensor) -> str:
    if value.numel() == 0 or value.numel() > MAX_ELEMENTS or value.is_complex():
        return shape_and_type(value)
    if value.dim() == 0:
        return number(value.item()) if value.dtype.is_floating_point else repr(value.item())
    if value.dim() > 2:
        squeezed = value.squeeze()
        if squeezed.dim() > 2:
            return shape_and_type(value)
        return f"{_grid(squeezed)}  (shape {tuple(value.shape)})"
    return _grid(value)


def _grid(value: torch.Tensor) -> str:
    rows = value.reshape(-1, value.shape[-1]) if value.dim() else value.reshape(1, 1)
    cells = [[number(float(item)) for item in row] for row in rows.tolist()]
    width = max(len(cell) for row in cells for cell in row)
    lines = ["[" + " ".join(cell.rjust(width) for cell in row) + "]" for row in cells]
    return lines[0] if value.dim() < 2 else "[" + "\n ".join(lines) + "]"
