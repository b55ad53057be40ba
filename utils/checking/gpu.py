"""Answers that ask for a GPU by name. On Colab they work; where submissions are graded there is none."""

import ast
import re
import warnings
from collections.abc import Iterator
from typing import Any

import torch

NAMES = ("cuda", "mps", "xpu")
"""torch's types of devices that are GPUs, and the modules of torch that serve them."""

INSTEAD = 'Write `x.device` instead of "cuda", so that it works there too.'
ADVICE = f"Grading has no GPU. {INSTEAD}"

LONGEST = 20_000  # characters of code that is looked into
DEVICE = re.compile(rf"({'|'.join(NAMES)})(:\d+)?")
_MENTIONED = re.compile(rf"\b({'|'.join(NAMES)})\b")
_COMMENT = re.compile(r"#.*")
_GUARD = re.compile(r"cuda|mps|xpu|gpu|available|accelerator", re.IGNORECASE)
_WORKS_WITHOUT = ("is_available", "is_initialized", "device_count", "manual_seed", "manual_seed_all", "empty_cache")
_NONE_HERE = re.compile(
    r"not compiled with|not linked with support|without \w+ (support|backend)|requires CUDA"
    r"|No CUDA GPUs|no NVIDIA driver|CUDA driver version is insufficient|no CUDA-capable device"
    r"|Device type \w+ is not supported"
    r"|ATen_cuda|accelerator device when none|from the '(CUDA|MPS|XPU)' backend|dummy base class (Event|Stream)"
)


def asks_for_gpu(source: str) -> bool:
    """Whether code asks for a GPU without looking first whether there is one: `x.cuda()`, `device="cuda"`.

    `"cuda" if torch.cuda.is_available() else "cpu"` does not, nor does what stands in such an `if`. Of code that
    Python cannot parse, as a cell with IPython's magics, and of very long code, a mention is enough. The code is never
    run.
    """
    if not _MENTIONED.search(source):
        return False
    module = _parsed(source)
    if module is None:
        return bool(_MENTIONED.search(_COMMENT.sub("", source)))
    about = _about_a_gpu(module)
    waiting: list[ast.AST] = [module]
    while waiting:
        node = waiting.pop()
        if _asks(node):
            return True
        waiting += _unguarded(node, about)
    return False


def _parsed(source: str) -> ast.Module | None:
    if len(source) > LONGEST:
        return None
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _asks(node: ast.AST) -> bool:
    match node:
        case ast.Constant(str() as text):
            return bool(DEVICE.fullmatch(text)) or text.startswith("torch.cuda.")
        case ast.Attribute(ast.Attribute(ast.Name("torch"), module), name):
            return module in NAMES and name not in _WORKS_WITHOUT
        case ast.Call(ast.Attribute(_, "cuda" | "xpu")):
            return True
        case ast.ImportFrom(module=str() as module):
            return module.startswith(tuple(f"torch.{name}" for name in NAMES))
    return False


def _unguarded(node: ast.AST, about: set[ast.AST]) -> Iterator[ast.AST]:
    """What stands in this node and runs whether there is a GPU or not. A comparison asks for nothing."""
    match node:
        case ast.Compare() | ast.BoolOp() if node in about:
            return
        case ast.If(test=ast.UnaryOp(ast.Not(), test)) if test in about:
            yield from node.body
        case ast.If(test=test) if test in about:
            yield from node.orelse
        case ast.IfExp(test=ast.UnaryOp(ast.Not(), test), body=body) if test in about:
            yield body
        case ast.IfExp(test=test, orelse=otherwise) if test in about:
            yield otherwise
        case _:
            yield from ast.iter_child_nodes(node)


def _about_a_gpu(module: ast.Module) -> set[ast.AST]:
    """The nodes in which a word for a GPU stands, found in one walk: a student may nest what looks like conditions."""
    nodes: list[ast.AST] = [module]
    parents: dict[ast.AST, ast.AST] = {}
    for node in nodes:  # it grows while we walk it
        for child in ast.iter_child_nodes(node):
            parents[child] = node
            nodes.append(child)
    about: set[ast.AST] = set()
    for node in reversed(nodes):
        words = (getattr(node, field, "") for field in ("id", "attr", "value"))
        if node in about or any(isinstance(word, str) and _GUARD.search(word) for word in words):
            about |= {node, parents.get(node, module)}
    return about


def on_gpu(value: Any, depth: int = 3) -> bool:
    """Whether tensors in this value, or in lists and dicts in it, are on a GPU."""
    if isinstance(value, torch.Tensor):
        return value.device.type in NAMES
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return depth > 0 and any(on_gpu(item, depth - 1) for item in items)


def advice_on(message: str) -> str:
    """What to write, where this is how torch says that there is no GPU; else empty."""
    return f"There is no GPU here, and none in grading. {INSTEAD}" if _NONE_HERE.search(message) else ""
