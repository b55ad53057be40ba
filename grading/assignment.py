"""An assignment: the released notebook, and the exercises that its check cells belong to. All of it is ours."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbformat import NotebookNode

from grading.problems import GradingError
from utils import cells

if TYPE_CHECKING:
    from utils.checking import Exercise


@dataclass(frozen=True)
class Task:
    """One check cell: the answer of this name is judged by an exercise of the course, and by private ones."""

    grade_id: str
    answer: str
    points: float
    lesson: str
    exercise: str
    private: tuple[Exercise, ...] = ()

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """Those that judge the answer, the public one first. Whoever asks imports all checks, and torch with them.

        Raises GradingError if the course has no exercise of this name.
        """
        public = tuple(one for one in _exercises() if (one.lesson, one.name) == (self.lesson, self.exercise))
        if not public + self.private:
            raise GradingError(f"No exercise of lesson {self.lesson} belongs to the check cell {self.grade_id}.")
        return public + self.private


@dataclass(frozen=True)
class Assignment:
    """`notebook` is the released one, which is the authority on every cell but the answers."""

    name: str
    notebook: NotebookNode
    tasks: tuple[Task, ...]

    @property
    def lesson(self) -> str:
        return self.name[:2]

    @property
    def title(self) -> str:
        """The first heading of the released notebook."""
        return next((heading for cell in self.notebook.cells for heading in cells.headings(cell)), self.name)

    @property
    def quiz_points(self) -> float:
        """What a person gives for the quiz, on top of the points of the checks."""
        return sum(cell.metadata.nbgrader.points for cell in self.notebook.cells if cells.role(cell) == "quiz")

    @property
    def exercise_titles(self) -> dict[str, str]:
        """{grade_id of the check: heading that it stands under, such as "Exercise 1.2 · conv2d by loops"}."""
        titles, latest = {}, self.name
        for cell in self.notebook.cells:
            latest = [latest, *cells.headings(cell)][-1]
            titles[cells.grade_id(cell)] = latest
        return {task.grade_id: titles[task.grade_id] for task in self.tasks}

    @property
    def answer_cells(self) -> dict[str, str]:
        """{grade_id of the check: id of the cell with the answer}, the last answer cell before the check."""
        found, latest = {}, ""
        for cell in self.notebook.cells:
            match cells.role(cell):
                case "answer":
                    latest = cell.id
                case "check":
                    found[cells.grade_id(cell)] = latest
        return found


def load_assignment(released: Path, private: Iterable[Exercise] = ()) -> Assignment:
    """Read a released notebook; see `make_assignment`. Raises GradingError if the file is missing."""
    if not released.is_file():
        raise GradingError(f"{released} is missing. Put back what you handed out, or release the lesson again.")
    return make_assignment(released.stem, nbformat.read(released, as_version=4), private)


def make_assignment(name: str, notebook: NotebookNode, private: Iterable[Exercise] = ()) -> Assignment:
    """Find the exercise of each check cell of a released notebook.

    Args:
        name: of the lesson, as its file is called: 01_convolution.
        notebook: the lesson as it was handed out.
        private: further exercises of an instructor; one with the name of a public exercise of the same lesson judges
            the same answer, and both must pass.

    Raises:
        GradingError: if this is no lesson, a check cell calls no check, or a private exercise belongs to no check cell.
    """
    if not re.fullmatch(r"\d\d_\w+", name):
        raise GradingError(f"{name!r} is not the name of a lesson, as 01_convolution is.")
    own = [exercise for exercise in private if exercise.lesson == name[:2]]
    tasks = tuple(_task(cell, own, name[:2]) for cell in notebook.cells if cells.role(cell) == "check")
    if unused := {exercise.name for exercise in own} - {task.exercise for task in tasks}:
        raise GradingError(f"The private exercise {unused.pop()} belongs to no check cell of {name}.")
    return Assignment(name, notebook, tasks)


@cache
def _exercises() -> list[Exercise]:
    from utils.checks import exercises

    return exercises()


def _task(cell: NotebookNode, private: list[Exercise], lesson: str) -> Task:
    name, answer = _check_call(cell.source)
    if not name:
        raise GradingError(f"No exercise of lesson {lesson} belongs to the check cell `{cell.source}`.")
    marked = cell.metadata.nbgrader
    judges = tuple(exercise for exercise in private if exercise.name == name)
    return Task(marked.grade_id, answer, marked.points, lesson, name, judges)


def _check_call(source: str) -> tuple[str, str]:
    """("conv2d", "conv2d") of `check.conv2d(conv2d)`; two empty strings for anything else."""
    match ast.parse(source).body:
        case [ast.Expr(ast.Call(ast.Attribute(ast.Name("check"), name), [ast.Name(answer)], []))]:
            return name, answer
    return "", ""
