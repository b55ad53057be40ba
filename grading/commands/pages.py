"""Pages: feedback for students, the class page for the instructor."""

from __future__ import annotations

import webbrowser
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grading.classroom import Classroom
from grading.commands.of_class import due_in, entries_in, graded_assignments, names_in, penalties_in, scores_in
from grading.commands.options import AssignmentName, ClassFolder, console

if TYPE_CHECKING:
    from grading.assignment import Assignment


def feedback(folder: ClassFolder = Path(), assignment: AssignmentName = "") -> None:
    """Write one self-contained HTML page for each student, with the comments and the quiz points of a person."""
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
    yield from publish_feedback(classroom, found, names, penalties, entries_in(classroom, found.name), students)


def report(
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    show: Annotated[bool, typer.Option("--open", help="open it in the browser")] = False,
) -> None:
    """Write the class page: points, pass rates, time, and mistakes; and the course page on all lessons."""
    console.print("writing the class page …")
    from grading.exchange.attendance import not_handed_in
    from grading.pages.publish import publish_report

    classroom, written = Classroom(folder), []
    for found in graded_assignments(classroom, assignment):
        names, penalties = names_in(classroom, found.name), penalties_in(classroom, found.name)
        absent, due = list(map(str, not_handed_in(classroom, found.name))), due_in(classroom, found.name)
        page = publish_report(classroom, found, names=names, penalties=penalties, absent=absent, due=due)
        written.append(page)
        console.print(f"class page: {page}")
    course = _course_page(classroom)
    console.print(f"course page: {course}")
    if show:
        webbrowser.open((course if len(written) > 1 else written[0]).resolve().as_uri())


def _course_page(classroom: Classroom) -> Path:
    """Of all that is graded, whichever assignment was chosen. Who left the class is not on it."""
    from grading.exchange.roster import kept
    from grading.pages.publish import lesson_of, publish_course

    roster, lessons, students = kept(classroom), [], {}
    gone = {student.id for student in roster.students if student.gone} if roster else set()
    for found in graded_assignments(classroom, ""):
        names = names_in(classroom, found.name)
        scores = [score for score in scores_in(classroom, found.name) if score.student not in gone]
        lessons.append(lesson_of(classroom, found, scores, due_in(classroom, found.name)))
        students |= {score.student: names.get(score.student, "") for score in scores}
    return publish_course(classroom, lessons, students)
