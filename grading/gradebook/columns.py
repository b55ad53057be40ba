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
    graded = [cell for cell in assignment.notebook.cells if role(cell) in ("check", "quiz")]
    total = {score.student: score.points for score in scores if score.points is not None}
    found = [Column(assignment.name, "", total, sum(cell.metadata.nbgrader.points for cell in graded))]
    by_cell = book.points_by_cell(assignment.name)
    for cell in graded:
        name = grade_id(cell)
        points = {student: own[name] for student, own in by_cell.items() if name in own}
        column = Column(assignment.name, name.removeprefix("check_"), points, cell.metadata.nbgrader.points)
        if per_exercise or not headers.keys().isdisjoint(column.names):
            found.append(column)
    return [_called(column, headers) for column in found]


def headers_by_name(said: Sequence[str], assignments: Sequence[Assignment]) -> dict[str, str]:
    """{name of an assignment or exercise: header} of what an instructor says: `NAME=HEADER`, or one header alone.

    Raises GradingError if a header alone could be that of several assignments, or a name is given twice.
    """
    known = {name for assignment in assignments for name in _names(assignment)}
    found: dict[str, str] = {}
    for one in said:
        name, sign, header = one.partition("=")
        if not (sign and name.strip() in known):
            if len(assignments) > 1:
                raise GradingError(
                    f"--column {one!r} does not say whose column it is. Write NAME=HEADER, where the name is one of "
                    f"{', '.join(assignment.name for assignment in assignments)}, or of an exercise, as conv2d."
                )
            name, header = assignments[0].name, one
        if name.strip() in found:
            raise GradingError(f"--column names a column for {name.strip()} twice. Give it once.")
        found[name.strip()] = header.strip()
    return found


def _names(assignment: Assignment) -> list[str]:
    graded = [cell for cell in assignment.notebook.cells if role(cell) in ("check", "quiz")]
    cells = [grade_id(cell).removeprefix("check_") for cell in graded]
    return [assignment.name, *cells, *(f"{assignment.name} {name}" for name in cells)]


def _called(column: Column, headers: Mapping[str, str]) -> Column:
    return replace(column, header=next((headers[name] for name in column.names if name in headers), ""))
