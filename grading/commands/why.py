"""Answers to a student's question: why a score is what it is, and what changed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grading.classroom import Classroom
from grading.commands.again import people_in
from grading.commands.of_class import assignments_of, load
from grading.commands.options import AssignmentName, ClassFolder, console
from grading.problems import GradingError

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from grading.assignment import Assignment
    from grading.why import Case


def why(
    student: Annotated[str, typer.Argument(help="an id, as s0001, or a whole name")],
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    exercise: Annotated[
        list[str] | None, typer.Option("--exercise", help="a function, as conv2d, or a quiz; may be repeated")
    ] = None,
) -> None:
    """Say why a student's score is what it is: the failing case, the answer, lateness, rules, and what changed."""
    from grading.by_name import exercise_names, find_exercise, find_student
    from grading.why import explain

    classroom = Classroom(folder)
    people = people_in(classroom)
    who = find_student(people, student)
    names = assignments_of(classroom, assignment)
    if not assignment:
        names = [name for name in names if classroom.submitted(who.id, name).is_file()]
    if not names:
        raise GradingError(f"{who} has handed in nothing of what was released. Name one with --assignment.")
    assignments = [load(classroom, name) for name in names]
    known = {found.name: exercise_names(found, quizzes=True) for found in assignments}
    for one in exercise or ():
        find_exercise({name: cell for names in known.values() for name, cell in names.items()}, one)
    for found in assignments:
        cells = [known[found.name][one] for one in exercise or () if one in known[found.name]]
        if cells or not exercise:
            for paragraph in explain(classroom, _case(classroom, found, who.id), people, cells):
                console.print(f"{paragraph}\n", markup=False, highlight=False)


def changes(
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    student: Annotated[str, typer.Option("--student", help="an id, as s0001, or a whole name")] = "",
) -> None:
    """Print the log of changes: when which score became what, why, and by whom; the oldest first."""
    from grading.by_name import find_student
    from grading.console_changes import log_lines
    from grading.gradebook.book import Book

    classroom = Classroom(folder)
    if assignment:
        assignments_of(classroom, assignment)
    people = people_in(classroom)
    who = find_student(people, student).id if student else ""
    with Book(classroom) as book:
        lines = list(log_lines(book.changes(assignment, who), people))
    for line in lines or ["No score was given or changed."]:
        console.print(line, markup=False, highlight=False)


def _case(classroom: Classroom, assignment: Assignment, student: str) -> Case:
    from grading.basis import OPTIONS, basis
    from grading.batch import seed_of
    from grading.gradebook.book import Book
    from grading.judging.job import Job, Rules
    from grading.waiting import earlier_result
    from grading.why import Case

    with Book(classroom) as book:
        log = book.changes(assignment.name, student)
    released = classroom.released(assignment.name).read_text(encoding="utf-8")
    now = basis(Job(assignment.name, released, Rules(seed_of(classroom, assignment.name))))
    now = {what: value for what, value in now.items() if what not in OPTIONS}
    path = classroom.result(student, assignment.name)
    graded_at = datetime.fromtimestamp(path.stat().st_mtime if path.exists() else 0).astimezone()
    notebook = _notebook(classroom.autograded(student, assignment.name))
    return Case(assignment, student, earlier_result(path), graded_at, notebook, log, now)


def _notebook(path: Path) -> NotebookNode | None:
    import nbformat

    return nbformat.read(path, as_version=4) if path.is_file() else None
