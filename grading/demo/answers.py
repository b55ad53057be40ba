"""Answers for the invented class: right ones, ones that make a named mistake, and hostile ones, as source code."""

import ast
import copy
import functools
import inspect
import random
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import nbformat

from utils.checking import Exercise

SOLUTIONS = Path(__file__).parents[2] / "solutions"
OTHER_NAMES = {
    "window": ["patch", "covered", "part"],
    "windows": ["patches", "cols", "unfolded"],
    "out": ["result", "y", "res", "output"],
    "rows": ["kh", "k_h"],
    "columns": ["kw", "k_w"],
    "pixels": ["area", "hw", "positions"],
    "reach": ["span", "extent", "effective"],
}
STUB = "    raise NotImplementedError  # your code here"


@functools.cache
def solutions(assignment: str) -> dict[str, str]:
    """{grade_id: source} of the course's own solution of each answer cell, without the marker lines."""
    notebook = nbformat.read(SOLUTIONS / f"{assignment}.ipynb", as_version=4)
    graded = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    return {cell.metadata.nbgrader.grade_id: _without_markers(cell.source) for cell in graded}


def _without_markers(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if "### BEGIN" not in line and "### END" not in line)


def own_words(source: str, rng: random.Random) -> str:
    """The same answer with variables of other names: no two students write the same."""
    documented, body = source.rsplit('"""', 1)
    for name, others in OTHER_NAMES.items():
        body = re.sub(rf"\b{name}\b", rng.choice([name, *others]), body)
    return f'{documented}"""{body}'


def answer_in_another_style(stub: str, exercise: Exercise) -> str:
    """The stub, filled with the body of the exercise's reference."""
    return _fill(stub, exercise.reference)


def answer_with_mistake(stub: str, exercise: Exercise, name: str) -> str:
    """The stub, filled with the body of the exercise's mistake of this name, and the helpers that it needs."""
    return _fill(stub, next(mistake.answer for mistake in exercise.mistakes if mistake.name == name))


def _fill(stub: str, function: Callable) -> str:
    """Put the body of `function` into the stub; what it takes from its module comes before, as functions."""
    helpers: dict[str, str] = {}
    body = [*_closure(function, helpers), *map(ast.unparse, _own(function, helpers).body)]
    filled = stub.replace(STUB, textwrap.indent("\n".join(body), "    "))
    return "\n\n\n".join([*helpers.values(), filled])


def _closure(function: Callable, helpers: dict[str, str]) -> list[str]:
    """Variables of an enclosing function, as assignments: `conv = lambda ...`."""
    values = inspect.getclosurevars(function).nonlocals
    return [f"{name} = {_expression(value, helpers)}" for name, value in values.items()]


def _expression(function: Callable, helpers: dict[str, str]) -> str:
    node = _own(function, helpers)
    if isinstance(node, ast.Lambda):
        return ast.unparse(node)
    helpers[node.name] = ast.unparse(node)
    return node.name


def _own(function: Callable, helpers: dict[str, str]) -> ast.FunctionDef | ast.Lambda:
    """The function as a student would have it: no decorator, and nothing of the course's module but helpers."""
    node = copy.deepcopy(_node(function))
    if isinstance(node, ast.FunctionDef):
        node.decorator_list = []
    return _OwnNames(function, helpers).visit(node)


def _node(function: Callable) -> ast.FunctionDef | ast.Lambda:
    """The function's syntax tree, found in its module by the line that it begins in."""
    line = function.__code__.co_firstlineno
    return next(node for node in _functions(function.__module__) if line in _first_lines(node))


@functools.cache
def _functions(module: str) -> list[ast.FunctionDef | ast.Lambda]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]


def _first_lines(node: ast.FunctionDef | ast.Lambda) -> list[int]:
    return [node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))]


class _OwnNames(ast.NodeTransformer):
    """Collects into `helpers` the functions of its module that `function` calls.

    `conv2d.reference` becomes `plain_conv2d`.
    """

    def __init__(self, function: Callable, helpers: dict[str, str]):
        self.function, self.helpers = function, helpers

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if node.attr != "reference":
            return self.generic_visit(node)
        exercise = self.function.__globals__[node.value.id]
        helper = _own(exercise.reference, self.helpers)
        helper.name = f"plain_{exercise.name}"
        self.helpers[helper.name] = ast.unparse(helper)
        return ast.Name(helper.name, ast.Load())

    def visit_Name(self, node: ast.Name) -> ast.AST:
        value = self.function.__globals__.get(node.id)
        used = isinstance(node.ctx, ast.Load) and inspect.isfunction(value)
        if used and value.__module__ == self.function.__module__:
            self.helpers[node.id] = ast.unparse(_own(value, self.helpers))
        return node
