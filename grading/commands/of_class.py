"""What several commands ask of a class's folder."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import TYPE_CHECKING

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


def scores_in(classroom: Classroom, assignment: str) -> list[Score]:
    """What everybody in the gradebook has for this assignment."""
    from grading.gradebook.book import Book

    with Book(classroom) as book:
        return book.scores(assignment)


def names_in(classroom: Classroom, assignment: str) -> dict[str, str]:
    """{student: name} as the gradebook has it, with the school's id where that is not the folder's name."""
    from grading.exchange.roster import kept

    roster, names = kept(classroom), {}
    for score in scores_in(classroom, assignment):
        listed = roster.of_folder(score.student) if roster else None
        own_id = f"({listed.school_id})" if listed and listed.school_id != listed.id else ""
        names[score.student] = f"{score.first_name} {score.last_name} {own_id}".strip()
    return {student: name for student, name in names.items() if name}


def penalties_in(classroom: Classroom, assignment: str) -> dict[str, float]:
    """{student: points taken off for a late submission}."""
    return {score.student: score.late_penalty for score in scores_in(classroom, assignment) if score.late_penalty}


def entries_in(classroom: Classroom, assignment: str) -> dict[str, dict[str, Entry]]:
    """{student: {grade_id: what the gradebook holds for that cell}}."""
    from grading.gradebook.book import Book

    with Book(classroom) as book:
        return book.entries(assignment)


def due_in(classroom: Classroom, assignment: str) -> DueDates:
    """When it is due: as the class's `due.csv` says, and for everybody else as the gradebook does."""
    from grading.gradebook.book import Book
    from grading.gradebook.due_dates import DueDates, kept_due_dates

    dates = kept_due_dates(classroom).get(assignment, DueDates())
    with Book(classroom) as book:
        return DueDates(dates.everybody or book.due_date(assignment), dates.students)


def lateness_in(classroom: Classroom, assignment: str, students: Iterable[str]) -> dict[str, str]:
    """{student: `late by 26 h, 4 points are taken off`} of those among these students who are late."""
    from grading.gradebook.lateness import handed_in, late_by
    from grading.receipt import Receipt
    from grading.times import duration

    due, penalties, late = due_in(classroom, assignment), penalties_in(classroom, assignment), {}
    for student in students:
        submitted = handed_in(classroom, student, assignment)
        receipt = Receipt.read(classroom.receipt(student, assignment))
        if seconds := late_by(student, submitted and submitted.replace(tzinfo=UTC), receipt, due):
            late[student] = f"late by {duration(seconds)}" if submitted else "late, says the platform"
            if points := penalties.get(student):
                late[student] += f", {points:g} {'point is' if points == 1 else 'points are'} taken off"
    return late


def enrolled_in(classroom: Classroom, assignment: str) -> dict[str, Student]:
    """{folder: student} of everybody in the gradebook, with all ids that the roster knows."""
    from grading.exchange.roster import kept
    from grading.gradebook.book import Book
    from grading.gradebook.exporting import person

    roster = kept(classroom)
    with Book(classroom) as book:
        return {score.student: person(score, roster) for score in book.scores(assignment)}
