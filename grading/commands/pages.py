"""Pages: feedback for students, the class page for the instructor."""

from __future__ import annotations

import webbrowser
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grading.classroom import Classroom
from grading.commands.of_class import graded_assignments, names_in, penalties_in
from grading.commands.options import AssignmentName, ClassFolder, console

if TYPE_CHECKING:
    from grading.assignment import Assignment


def feedback(folder: ClassFolder = Path(), assignment: AssignmentName = "") -> None:
    """Write one self-contained HTML page for each student."""
    console.print("writing the feedback …")
    from grading.console import with_bar

    for found in graded_assignments(Classroom(folder), assignment):
        pages = feedback_on(Classroom(folder), found)
        students = len(Classroom(folder).students(found.name))
        written = sum(1 for _ in with_bar(console, f"feedback on {found.name}", pages, students))
        console.print(f"{written} pages in {folder / 'feedback'}")


def feedback_on(classroom: Classroom, found: Assignment, students: Collection[str] | None = None) -> Iterator[Path]:
    """Write the pages of these students, or of all, and yield their paths."""
    from grading.pages.publish import publish_feedback

    names, penalties = names_in(classroom, found.name), penalties_in(classroom, found.name)
    yield from publish_feedback(classroom, found, names, penalties, students)


def report(
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    show: Annotated[bool, typer.Option("--open", help="open it in the browser")] = False,
) -> None:
    """Write the class page: points, pass rates, time, and which mistakes the class made."""
    console.print("writing the class page …")
    from grading.exchange.attendance import not_handed_in
    from grading.pages.publish import publish_report

    for found in graded_assignments(Classroom(folder), assignment):
        names, penalties = names_in(Classroom(folder), found.name), penalties_in(Classroom(folder), found.name)
        absent = [str(student) for student in not_handed_in(Classroom(folder), found.name)]
        page = publish_report(Classroom(folder), found, names=names, penalties=penalties, absent=absent)
        console.print(f"class page: {page}")
        if show:
            webbrowser.open(page.resolve().as_uri())
