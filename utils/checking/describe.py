"""How values are shown in a verdict: whole where a person can take them in, by shape where not."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import torch

from utils.checking.shorten import MAX_CHARACTERS, shorten

MAX_ELEMENTS = 36
MAX_CHARACTERS_OF_PARTS = 5_000  # of a value that is shown part by part


def describe(value: Any) -> str:
    """A short, readable form of a plain value, at most a few lines long."""
    if isinstance(value, torch.Tensor):
        return _describe_tensor(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else number(value)
    if isinstance(value, list | tuple | dict) and several_lines(value):
        parts = "\n".join(_describe_part(name, item) for name, item in _parts(value))
        return shorten(parts, MAX_CHARACTERS_OF_PARTS)
    if isinstance(value, dict):
        return shorten("{" + ", ".join(f"{key}: {describe(item)}" for key, item in _ends([*value.items()])) + "}")
    if isinstance(value, tuple):
        return shorten("(" + ", ".join(map(describe, _ends(value))) + ("," if len(value) == 1 else "") + ")")
    if isinstance(value, list):
        return shorten("[" + ", ".join(map(describe, _ends(value))) + "]")
    return shorten(repr(value))


def _ends(items: Sequence) -> Sequence:
    """The items of which something is left once all of them are written down and shortened."""
    return items if len(items) <= 2 * MAX_CHARACTERS else [*items[:MAX_CHARACTERS], *items[-MAX_CHARACTERS:]]


def several_lines(value: list | tuple | dict) -> bool:
    """Whether this is better read part by part: it holds tensors, or lists that do."""
    items = value.values() if isinstance(value, dict) else value
    return any(
        isinstance(item, torch.Tensor) and item.dim() > 0
        or isinstance(item, list | tuple | dict) and several_lines(item)
        for item in items
    )  # fmt: skip


MOST_PARTS = 6


def _parts(value: list | tuple | dict) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        parts = [(shorten(str(key)), item) for key, item in value.items()]
    else:
        parts = [(f"[{index}]", item) for index, item in enumerate(value)]
    return parts if len(parts) <= MOST_PARTS else [*parts[:MOST_PARTS], ("...", f"{len(parts)} in all")]


def _describe_part(name: str, value: Any) -> str:
    text = value if name == "..." and isinstance(value, str) else describe(value)
    return hang(f"{name} = ", text)


def hang(label: str, text: str) -> str:
    """`text` behind `label`, its further lines moved in as far as the label is long, at most 12 columns."""
    first, *rest = text.splitlines() or [""]
    margin = " " * min(len(label), 12)
    return "\n".join([label + first, *(margin + line for line in rest)])


def shape_and_type(value: Any) -> str:
    """'tensor of shape (3, 3), float32' for a tensor; the description itself for anything else."""
    if not isinstance(value, torch.Tensor):
        return describe(value)
    return f"tensor of shape {tuple(value.shape)}, {str(value.dtype).removeprefix('torch.')}"


def number(value: float) -> str:
    """At most five significant digits, without a needless '.0000', and 0 without a sign."""
    if not math.isfinite(value):
        return str(value)
    return f"{value + 0.0:.0f}" if value == round(value) and abs(value) < 1e6 else f"{value:.5g}"


def show_call(name: str, parameters: Sequence[str], args: tuple) -> str:
    """The call as a learner would write it, one argument a line: what went in."""
    names = parameters[: len(args)]
    lines = [hang(f"{parameter} = ", describe(value)) for parameter, value in zip(names, args, strict=True)]
    return f"{name}({', '.join(names)}) with\n" + indent("\n".join(lines))


def indent(text: str) -> str:
    """`text` with every line moved in by four spaces."""
    return textwrap.indent(text, "    ")


def _describe_tensor(value: torch.Tensor) -> str:
    if value.numel() == 0 or value.numel() > MAX_ELEMENTS or value.is_complex():
        return shape_and_type(value)
    if value.dim() == 0:
        return number(value.item()) if value.dtype.is_floating_point else repr(value.item())
    if value.dim() <= 2:
        return _grid(value)
    squeezed = value.squeeze()
    if squeezed.dim() <= 2:
        return f"{_grid(squeezed)}  (shape {tuple(value.shape)})"
    blocks = [_grid(matrix) for matrix in squeezed.reshape(-1, *squeezed.shape[-2:])]
    return "\n\n".join(blocks) + f"  (shape {tuple(value.shape)})"


def _grid(value: torch.Tensor) -> str:
    rows = value.reshape(-1, value.shape[-1]) if value.dim() else value.reshape(1, 1)
    cells = [[number(float(item)) for item in row] for row in rows.tolist()]
    width = max(len(cell) for row in cells for cell in row)
    lines = ["[" + " ".join(cell.rjust(width) for cell in row) + "]" for row in cells]
    return lines[0] if value.dim() < 2 else "[" + "\n ".join(lines) + "]"
