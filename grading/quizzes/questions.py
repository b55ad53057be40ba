"""The quiz questions of an assignment, with what the course says of them."""

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from grading.assignment import Assignment
from utils.cells import grade_id, headings, role
from utils.paths import SOLUTIONS

STUB = "*Your answer here.*"  # as nbgrader's text_stub is set when lessons are built
_SOLUTION = re.compile(r"^.*### BEGIN SOLUTION.*$\n(.*?)\n^.*### END SOLUTION.*$", re.MULTILINE | re.DOTALL)
_FOLDS = re.compile(r"</?details>|<summary>.*?</summary>")


@dataclass(frozen=True)
class Question:
    """One quiz of an assignment; `cell` is its grade_id.

    `expected` is the answer in the course's own solutions, `explained` what the lesson says of each choice. Both are
    empty where the lesson has none, such as one that an instructor has changed.
    """

    assignment: str
    cell: str
    title: str
    text: str
    points: float
    expected: str = ""
    explained: str = ""


def questions_of(assignment: Assignment, solutions: Path = SOLUTIONS) -> list[Question]:
    """The quizzes of a released notebook, in its order. All of them are texts: none is graded by a program."""
    cells = assignment.notebook.cells
    expected = _expected(solutions / f"{assignment.name}.ipynb")
    found = []
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        if role(cell) == "quiz":
            name = grade_id(cell)
            title = next(iter(headings(cell)), name)
            text = cell.source.replace(STUB, "").strip()
            points = cell.metadata.nbgrader.points
            said = expected.get(name, "")
            found.append(Question(assignment.name, name, title, text, points, said, _explained(following)))
    return found


def _expected(solution: Path) -> dict[str, str]:
    if not solution.is_file():
        return {}
    quizzes = (cell for cell in nbformat.read(solution, as_version=4).cells if role(cell) == "quiz")
    return {grade_id(cell): found[1] for cell in quizzes if (found := _SOLUTION.search(cell.source))}


def _explained(cell: NotebookNode | None) -> str:
    """What a lesson folds away right below a quiz."""
    is_fold = cell is not None and cell.cell_type == "markdown" and cell.source.startswith("<details>")
    return _FOLDS.sub("", cell.source).strip() if cell and is_fold else ""
