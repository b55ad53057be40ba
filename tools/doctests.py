"""The examples in the docstrings of answers, tried on the lesson's solutions: they are the first thing a learner reads.

An example may use what the lesson imports and defines at the top level of its cells, and nothing else, so that it
stands for itself. No cell is run for it.
"""

import ast
import contextlib
import doctest
from collections.abc import Iterator

from tools.lesson import Cell, Lesson

DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


def problems(lesson: Lesson) -> list[str]:
    """The examples that do not give what they say, each with its line in the lesson."""
    answers = [cell for cell in lesson.cells if cell.kind == "answer" and ">>>" in cell.source]
    if not answers:
        return []
    namespace = _namespace(lesson)
    return [lesson.problem(line, text) for cell in answers for line, text in _wrong_examples(cell, namespace)]


def _namespace(lesson: Lesson) -> dict:
    """What the lesson's code cells import and define. What needs more to be defined, such as data, is left out."""
    namespace: dict = {"__name__": lesson.stem}
    for cell in lesson.cells:
        for node in ast.parse(cell.source).body if cell.type == "code" else []:
            if isinstance(node, DEFINITIONS):
                with contextlib.suppress(Exception):
                    exec(compile(ast.Module([node], []), lesson.file.name, "exec"), namespace)
    return namespace


def _wrong_examples(cell: Cell, namespace: dict) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(cell.source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and (text := ast.get_docstring(node, clean=False)):
            first_line = cell.first_line + node.body[0].lineno - 1
            yield from _failures(text, node.name, first_line, namespace)


def _failures(docstring: str, name: str, first_line: int, namespace: dict) -> Iterator[tuple[int, str]]:
    test = doctest.DocTestParser().get_doctest(docstring, dict(namespace), name, None, 0)
    runner = _Collector()
    runner.run(test, out=lambda _: None)
    for example, got in runner.found:
        yield first_line + example.lineno, f"the example gives {got.strip() or 'nothing'}, not {example.want.strip()}"


class _Collector(doctest.DocTestRunner):
    """Keeps what failed, instead of printing it."""

    def __init__(self):
        super().__init__(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        self.found: list[tuple[doctest.Example, str]] = []

    def report_failure(self, out, test, example, got) -> None:
        self.found.append((example, got))

    def report_unexpected_exception(self, out, test, example, exc_info) -> None:
        self.found.append((example, f"{exc_info[0].__name__}: {exc_info[1]}"))
