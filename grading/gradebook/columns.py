"""What one column of an exported file holds: the points of an assignment, or of one exercise or quiz of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from grading.problems import GradingError
from utils.cells import grade_id, role

if TYPE_CHECKING:  # nbgrader takes a second to import, and a command that exports nothing should not wait for it
    from grading.assignment import Assignment
    from grading.gradebook.book import Book, Score


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        assignment: the lesson, as 01_convolution.
        exercise: the exercise or quiz of it, as conv2d; "" for the whole assignment.
        points: {student: points}. Those of a whole assignment are without what a late submission loses.
        possible: the most that it can be.
        header: the header that an instructor wants for it; "" for the usual one.
    """

    assignment: str
    exercise: str
    points: Mapping[str, float]
    possible: float
    header: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What it may be called, in a platform's file or by an instructor, the usual name first."""
        if not self.exercise:
            return (self.assignment,)
        return f"{self.assignment} {self.exercise}", self.exercise


def columns_of(
    book: Book, assignment: Assignment, scores: Sequence[Score], per_exercise: bool, headers: Mapping[str, str]
) -> list[Column]:
    """The columns of one assignment: the whole, and each exercise if all are wanted or `headers` names it."""
    possible = _possible(assignment)
    total = {score.student: score.points for score in scores if score.points is not None}
    columns = [Column(assignment.name, "", total, sum(possible.values()))]
    exercises = [Column(assignment.name, _exercise(cell), {}, points) for cell, points in possible.items()]
    if wanted := [one for one in exercises if per_exercise or not headers.keys().isdisjoint(one.names)]:
        columns += _with_points(wanted, book.points_by_cell(assignment.name))
    return [_called(column, headers) for column in columns]


def _with_points(exercises: Sequence[Column], by_cell: Mapping[str, Mapping[str, float]]) -> list[Column]:
    """The columns with {student: points}, of {student: {grade_id: points}}."""
    found: dict[str, dict[str, float]] = {}
    for student, own in by_cell.items():
        for cell, points in own.items():
            found.setdefault(_exercise(cell), {})[student] = points
    return [replace(column, points=found.get(column.exercise, {})) for column in exercises]


def _possible(assignment: Assignment) -> dict[str, float]:
    """{grade_id: points that are possible} of all that is graded."""
    graded = (cell for cell in assignment.notebook.cells if role(cell) in ("check", "quiz"))
    return {grade_id(cell): cell.metadata.nbgrader.points for cell in graded}


def _exercise(cell: str) -> str:
    """As people call it: conv2d for check_conv2d."""
    return cell.removeprefix("check_")


def headers_by_name(said: Sequence[str], assignments: Sequence[Assignment], graded: Sequence[str]) -> dict[str, str]:
    """{name of an assignment or exercise: header} of what an instructor says: `NAME=HEADER`, or one header alone.

    Args:
        said: what stands behind each `--column`.
        assignments: those whose names, and whose exercises' names, are known.
        graded: names of those that a header alone can belong to.

    Raises GradingError if a header alone could be that of several assignments, or a name is given twice.
    """
    known = {name for assignment in assignments for name in _names(assignment)}
    found: dict[str, str] = {}
    for one in said:
        name, sign, header = one.partition("=")
        if not (sign and name.strip() in known):
            if len(graded) != 1:
                raise GradingError(
                    f"--column {one!r} does not say whose column it is. Write NAME=HEADER, where the name is one of "
                    f"{', '.join(assignment.name for assignment in assignments)}, or of an exercise, as conv2d."
                )
            name, header = graded[0], one
        if name.strip() in found:
            raise GradingError(f"--column names a column for {name.strip()} twice. Give it once.")
        found[name.strip()] = header.strip()
    return found


def _names(assignment: Assignment) -> list[str]:
    exercises = [_exercise(cell) for cell in _possible(assignment)]
    return [assignment.name, *exercises, *(f"{assignment.name} {name}" for name in exercises)]


def _called(column: Column, headers: Mapping[str, str]) -> Column:
    return replace(column, header=next((headers[name] for name in column.names if name in headers), ""))
