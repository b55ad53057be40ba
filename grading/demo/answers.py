"""Answers for the invented class, as source code: right ones, and ones that make a named mistake."""

import ast
import copy
import functools
import inspect
import random
import re
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import nbformat

from grading.assignment import Assignment, Task
from grading.submission.names import names_of
from utils.cells import grade_id, role
from utils.checking import Exercise
from utils.paths import SOLUTIONS

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
    return {grade_id(cell): _without_markers(cell.source) for cell in notebook.cells if role(cell) == "answer"}


def _without_markers(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if "### BEGIN" not in line and "### END" not in line)


def own_words(source: str, rng: random.Random) -> str:
    """The same answer with variables of other names: no two students write the same."""
    documented, body = source.rsplit('"""', 1)
    for name, others in OTHER_NAMES.items():
        body = re.sub(rf"\b{name}\b", rng.choice([name, *others]), body)
    return f'{documented}"""{body}'


def mistaken_answers(assignment: Assignment, task: Task) -> dict[str, str]:
    """{name of a mistake: the answer cell of a student who made it}, of all mistakes that one could have written.

    A mistake that builds on more of the course's code than a notebook imports is left out.
    """
    written = {one.name: _answer_cell(assignment, task, one.answer) for one in task.exercises[0].mistakes}
    return {name: source for name, source in written.items() if source}


def right_answer(assignment: Assignment, task: Task, in_another_style: bool = False) -> str:
    """The course's own solution of an exercise; or, where that can be written, what its check compares answers with."""
    exercise = task.exercises[0]
    other = functools.partial(exercise.recipe_function) if exercise.recipe_function else exercise.reference
    written = _answer_cell(assignment, task, other) if in_another_style else ""
    return written or solutions(assignment.name)[task.answer]


def _answer_cell(assignment: Assignment, task: Task, answer: Callable) -> str:
    """The released answer cell, filled in by this answer; empty where no student could have written that."""
    cells = assignment.notebook.cells
    stub = next(cell.source for cell in cells if cell.id == assignment.answer_cells[task.grade_id])
    known = {name for cell in cells if cell.cell_type == "code" for name in names_of(cell.source).makes}
    try:
        source = filled(stub, answer, task.exercises[0])
    except NotWritten:
        return ""
    taken = {name for name in names_of(source).takes if name.isidentifier()}  # the others are files
    return source if taken <= known else ""


class NotWritten(Exception):
    """There is no source that a student could have written."""


def filled(stub: str, answer: Callable, exercise: Exercise) -> str:
    """The stub with this answer in it; functions that the answer uses come before."""
    helpers: dict[str, str] = {}
    arguments = list(exercise.parameters)
    if isinstance(answer, functools.partial):  # the exercise's recipe with switches thrown
        general = _named(answer.func, f"general_{exercise.name}", helpers)
        arguments += [f"{name}={_expression(value, helpers)}" for name, value in answer.keywords.items()]
        body = [f"return {general}({', '.join(arguments)})"]
    else:
        own = _own(answer, helpers)
        body = [f"{name} = {_expression(value, helpers)}" for name, value in _enclosed(answer).items()]
        if isinstance(own, ast.Lambda):
            body.append(f"return ({ast.unparse(own)})({', '.join(arguments)})")
        else:
            body += map(ast.unparse, own.body)
    filled = stub.replace(STUB, textwrap.indent("\n".join(body), "    "))
    return "\n\n\n".join([*helpers.values(), filled])


def _enclosed(function: Callable) -> dict[str, Any]:
    """What a function takes from one that encloses it: `conv` of a family of mistakes that share all else."""
    return dict(inspect.getclosurevars(function).nonlocals)


def _expression(value: Any, helpers: dict[str, str]) -> str:
    """A value as code: a function becomes a helper, a lambda stays where it is, a plain value is written out."""
    if value is None or isinstance(value, bool | int | float | str | tuple):
        return repr(value)
    own = _own(value, helpers)
    return ast.unparse(own) if isinstance(own, ast.Lambda) else _named(value, own.name, helpers)


def _named(function: Callable, name: str, helpers: dict[str, str]) -> str:
    """Make the function a helper of this name."""
    if name not in helpers:
        helpers[name] = ""  # a function that calls itself finds that it is here already
        own = _own(function, helpers)
        if isinstance(own, ast.FunctionDef):
            own.name = name
        del helpers[name]  # to stand behind what it uses: a default value is looked up when a function is made
        helpers[name] = ast.unparse(own) if isinstance(own, ast.FunctionDef) else f"{name} = {ast.unparse(own)}"
    return name


def _own(function: Callable, helpers: dict[str, str]) -> ast.FunctionDef | ast.Lambda:
    """The function as a student would have it: no decorator, no docstring, and of the course's module only helpers."""
    node = copy.deepcopy(_node(function))
    if isinstance(node, ast.FunctionDef):
        node.decorator_list = []
        node.body = node.body[1:] if ast.get_docstring(node) else node.body
    return _OwnNames(function, helpers).visit(node)


def _node(function: Callable) -> ast.FunctionDef | ast.Lambda:
    """The function's syntax tree, found in its module by the lines and columns of its code."""
    if not inspect.isfunction(function):
        raise NotWritten
    code = function.__code__
    for node in _functions(function.__module__):
        if isinstance(node, ast.Lambda):
            body = (node.body.lineno, node.body.end_lineno, node.body.col_offset, node.body.end_col_offset)
            if code.co_name == "<lambda>" and code.co_firstlineno == node.lineno and body in code.co_positions():
                return node
        elif code.co_firstlineno in (node.lineno, *(decorator.lineno for decorator in node.decorator_list)):
            return node
    raise NotWritten


@functools.cache
def _functions(module: str) -> list[ast.FunctionDef | ast.Lambda]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]


class _OwnNames(ast.NodeTransformer):
    """Collects into `helpers` the functions of its module that `function` calls.

    `conv2d.reference` becomes `plain_conv2d`.
    """

    def __init__(self, function: Callable, helpers: dict[str, str]):
        self.globals: dict[str, Any] = getattr(function, "__globals__", {})
        self.module, self.helpers = function.__module__, helpers

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        exercise = self.globals.get(node.value.id) if isinstance(node.value, ast.Name) else None
        if node.attr != "reference" or not isinstance(exercise, Exercise):
            return self.generic_visit(node)
        return ast.Name(_named(exercise.reference, f"plain_{exercise.name}", self.helpers), ast.Load())

    def visit_Name(self, node: ast.Name) -> ast.AST:
        value = self.globals.get(node.id)
        if isinstance(node.ctx, ast.Load) and inspect.isfunction(value) and value.__module__ == self.module:
            _named(value, node.id, self.helpers)
        return node
