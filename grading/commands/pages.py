"""Pages: feedback for students, the class page for the instructor."""

from __future__ import annotations

import webbrowser
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grading.classroom import Classroom
from grading.commands.of_class import Records, graded_assignments
from grading.commands.options import AssignmentName, ClassFolder, console

if TYPE_CHECKING:
    from grading.assignment import Assignment
    from grading.pages.course import Lesson


def feedback(folder: ClassFolder = Path(), assignment: AssignmentName = "") -> None:
    """Write one self-contained HTML page for each student, with the comments and the quiz points of a person."""
    console.print("writing the feedback …")
    classroom = Classroom(folder)
    graded = graded_assignments(classroom, assignment)
    with Records(classroom) as records:
        write_feedback(classroom, graded, records)


def write_feedback(classroom: Classroom, graded: Sequence[Assignment], records: Records) -> None:
    """Write all pages of these assignments, and say how many."""
    from grading.console import with_bar

    for found in graded:
        pages, students = feedback_on(classroom, found, records), len(classroom.students(found.name))
        written = sum(1 for _ in with_bar(console, f"feedback on {found.name}", pages, students))
        console.print(f"{written} pages in {classroom.root / 'feedback'}")


def feedback_on(
    classroom: Classroom, found: Assignment, records: Records, students: Collection[str] | None = None
) -> Iterator[Path]:
    """Write the pages of these students, or of all, and yield their paths."""
    from grading.pages.publish import publish_feedback

    names, penalties = records.names(found.name), records.penalties(found.name)
    yield from publish_feedback(classroom, found, names, penalties, records.entries(found.name), students)


def report(
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    show: Annotated[bool, typer.Option("--open", help="open it in the browser")] = False,
) -> None:
    """Write the class page: points, pass rates, time, and mistakes; and the course page on all lessons."""
    console.print("writing the class page …")
    classroom, written, lessons, students = Classroom(folder), [], [], {}
    chosen = {found.name for found in graded_assignments(classroom, assignment)}
    with Records(classroom) as records:
        for found in graded_assignments(classroom, ""):
            if found.name in chosen:
                written.append(_class_page(classroom, found, records))
                console.print(f"class page: {written[-1]}")
            lessons.append(_lesson(classroom, found, records, students))
    from grading.pages.publish import publish_course

    course = publish_course(classroom, lessons, students)
    console.print(f"course page: {course}")
    if show:
        webbrowser.open((course if len(written) > 1 else written[0]).resolve().as_uri())


def _class_page(classroom: Classroom, found: Assignment, records: Records) -> Path:
    from grading.exchange.attendance import not_handed_in
    from grading.pages.publish import publish_report

    names, penalties, due = records.names(found.name), records.penalties(found.name), records.due(found.name)
    absent = list(map(str, not_handed_in(classroom, found.name)))
    return publish_report(classroom, found, names=names, penalties=penalties, absent=absent, due=due)


def _lesson(classroom: Classroom, found: Assignment, records: Records, students: dict[str, str]) -> Lesson:
    """What the course page needs, whichever assignment was chosen; `students` gets who is in the class."""
    from grading.pages.publish import lesson_of

    gone = {student.id for student in records.roster.students if student.gone} if records.roster else set()
    scores = [score for score in records.scores(found.name) if score.student not in gone]
    names = records.names(found.name)
    students |= {score.student: names.get(score.student, "") for score in scores}
    return lesson_of(classroom, found, scores, records.due(found.name))
