"""What several commands ask of a class's folder."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import TYPE_CHECKING, Any, Self

from grading.classroom import Classroom
from grading.problems import GradingError, nothing_released

if TYPE_CHECKING:  # torch and nbgrader take seconds to import: each command imports what it needs
    from grading.assignment import Assignment
    from grading.exchange.people import Student
    from grading.gradebook.book import Score
    from grading.gradebook.due_dates import DueDates
    from grading.gradebook.entries import Entry


def assignments_of(classroom: Classroom, chosen: str) -> list[str]:
    """The chosen one, or all that were released. Raises GradingError if there is none."""
    released = sorted(path.stem for path in classroom.root.glob("release/*/*.ipynb") if path.stem == path.parent.name)
    if chosen and chosen not in released:
        raise GradingError(
            f"{chosen} was not released in {classroom.root}. Released: {', '.join(released) or 'nothing'}."
        )
    if not released:
        raise nothing_released(classroom)
    return [chosen] if chosen else released


def graded_assignments(classroom: Classroom, chosen: str) -> list[Assignment]:
    """Those of which something is graded. Raises GradingError if there is none."""
    graded = [name for name in assignments_of(classroom, chosen) if classroom.has_results(name)]
    if not graded:
        raise GradingError(f"Nothing is graded in {classroom.root} yet. Run: {classroom.command('grade')}")
    return [load(classroom, name) for name in graded]


def load(classroom: Classroom, name: str) -> Assignment:
    from grading.assignment import load_assignment

    return load_assignment(classroom.released(name))


class Records:
    """What the gradebook holds of a class. It is opened once, and the scores of one assignment are kept at a time."""

    def __init__(self, classroom: Classroom):
        from grading.exchange.roster import kept
        from grading.gradebook.book import Book

        self.roster = kept(classroom)
        self._classroom, self._book = classroom, Book(classroom)
        self._last: tuple[str, list[Score]] = ("", [])

    def __enter__(self) -> Self:
        self._book.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._book.__exit__(*error)

    def scores(self, assignment: str) -> list[Score]:
        """What everybody in the gradebook has for this assignment."""
        if self._last[0] != assignment:
            self._last = assignment, self._book.scores(assignment)
        return self._last[1]

    def names(self, assignment: str) -> dict[str, str]:
        """{student: name} as the gradebook has it, with the school's id where that is not the folder's name."""
        names = {}
        for score in self.scores(assignment):
            listed = self.roster.of_folder(score.student) if self.roster else None
            own_id = f"({listed.school_id})" if listed and listed.school_id != listed.id else ""
            names[score.student] = f"{score.first_name} {score.last_name} {own_id}".strip()
        return {student: name for student, name in names.items() if name}

    def penalties(self, assignment: str) -> dict[str, float]:
        """{student: points taken off for a late submission}."""
        return {score.student: score.late_penalty for score in self.scores(assignment) if score.late_penalty}

    def entries(self, assignment: str) -> dict[str, dict[str, Entry]]:
        """{student: {grade_id: what the gradebook holds for that cell}}."""
        return self._book.entries(assignment)

    def due(self, assignment: str) -> DueDates:
        """When it is due: as the class's `due.csv` says, and for everybody else as the gradebook does."""
        from grading.gradebook.due_dates import DueDates, kept_due_dates

        dates = kept_due_dates(self._classroom).get(assignment, DueDates())
        return DueDates(dates.everybody or self._book.due_date(assignment), dates.students)

    def enrolled(self, assignment: str) -> dict[str, Student]:
        """{folder: student} of everybody in the gradebook, with all ids that the roster knows."""
        from grading.gradebook.exporting import person

        return {score.student: person(score, self.roster) for score in self.scores(assignment)}

    def lateness(self, assignment: str, students: Iterable[str]) -> dict[str, str]:
        """{student: `late by 26 h, 4 points are taken off`} of those among these students who are late."""
        from grading.gradebook.lateness import handed_in, late_by
        from grading.receipt import Receipt
        from grading.times import duration

        due, penalties, late = self.due(assignment), self.penalties(assignment), {}
        for student in students:
            submitted = handed_in(self._classroom, student, assignment)
            receipt = Receipt.read(self._classroom.receipt(student, assignment))
            if seconds := late_by(student, submitted and submitted.replace(tzinfo=UTC), receipt, due):
                late[student] = f"late by {duration(seconds)}" if submitted else "late, says the platform"
                if points := penalties.get(student):
                    late[student] += f", {points:g} {'point is' if points == 1 else 'points are'} taken off"
        return late
