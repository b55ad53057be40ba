"""Whom and what a person names to be graded again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from grading.classroom import Classroom
from grading.commands.of_class import load
from grading.problems import GradingError

if TYPE_CHECKING:
    from grading.exchange.people import Roster
    from grading.results import Graded
    from grading.waiting import Chosen


def choose(
    classroom: Classroom, assignments: Sequence[str], students: Sequence[str], exercises: Sequence[str]
) -> dict[str, Chosen]:
    """{assignment: who and what of it is graded again}, of those in which these students and exercises are found.

    Whoever handed a file in together with one of them is graded again, too: it is one file.

    Raises GradingError if a name is nobody's or no exercise's, or one of the students has handed in none of them.
    """
    from grading.by_name import exercise_names, find_exercise, find_student
    from grading.waiting import Chosen

    people = people_in(classroom)
    folders = [find_student(people, name) for name in students]
    of_assignment = {name: exercise_names(load(classroom, name)) for name in assignments} if exercises else {}
    for exercise in exercises:
        find_exercise({name: cell for names in of_assignment.values() for name, cell in names.items()}, exercise)
    chosen = {}
    for name in assignments:
        there = set(classroom.students(name))
        wanted = [member for student in folders for member in _group(classroom, student.id, name)]
        cells = [of_assignment[name][exercise] for exercise in exercises if exercise in of_assignment[name]]
        who = tuple(dict.fromkeys(student for student in wanted if student in there))
        if (who or not folders) and (cells or not exercises):
            chosen[name] = Chosen(who, tuple(cells))
    for student in folders:
        if not any(student.id in one.students for one in chosen.values()):
            raise GradingError(f"{student} has not handed in {' or '.join(assignments)}.")
    return chosen


def _group(classroom: Classroom, student: str, assignment: str) -> tuple[str, ...]:
    """The student, and whoever handed the same file in together with them."""
    from grading.receipt import Receipt

    receipt = Receipt.read(classroom.receipt(student, assignment))
    return (student, *(receipt.members if receipt else ()))


def earlier_results(classroom: Classroom, assignment: str, chosen: Chosen) -> dict[str, Graded]:
    """{student: the result} that is there before the chosen ones are graded again."""
    from grading.waiting import earlier_result

    students = chosen.students or classroom.students(assignment)
    found = {student: earlier_result(classroom.result(student, assignment)) for student in students}
    return {student: graded for student, graded in found.items() if graded}


def people_in(classroom: Classroom) -> Roster:
    """Whom the class's roster, its gradebook or its folders know."""
    from grading.by_name import everybody
    from grading.gradebook.book import Book

    with Book(classroom) as book:
        return everybody(classroom, book.enrolled())
