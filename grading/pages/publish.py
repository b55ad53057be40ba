"""Write the pages of a class: feedback for each student, the class page, and the course page on all lessons."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import nbformat
from nbformat import NotebookNode

from grading.assignment import Assignment
from grading.attempts import attempts_known
from grading.classroom import Classroom
from grading.gradebook.due_dates import DueDates
from grading.gradebook.entries import Entry
from grading.gradebook.lateness import handed_in, late_by
from grading.pages.course import Lesson, course_page, lesson
from grading.pages.feedback import feedback_page
from grading.pages.report import Class, class_page
from grading.receipt import Receipt
from grading.results import Graded, each_result, read_results
from utils.files import write_whole

if TYPE_CHECKING:  # nbgrader takes a second to import
    from grading.gradebook.book import Score


def publish_feedback(
    classroom: Classroom,
    assignment: Assignment,
    names: Mapping[str, str] | None = None,
    penalties: Mapping[str, float] | None = None,
    entries: Mapping[str, Mapping[str, Entry]] | None = None,
    students: Collection[str] | None = None,
) -> Iterator[Path]:
    """Write the page of each student that has a result, and yield its path.

    Args:
        classroom: the class's folder.
        assignment: what was asked for.
        names: {student: name}.
        penalties: {student: points taken off for a late submission}.
        entries: {student: {grade_id: what the gradebook holds for that cell}}.
        students: whose pages; None for all.
    """
    for graded in each_result(classroom, assignment.name):
        if students is not None and graded.student not in students:
            continue
        notebook = _autograded(classroom, graded.student, assignment)
        receipt = Receipt.read(classroom.receipt(graded.student, assignment.name))
        path = classroom.feedback(graded.student, assignment.name)
        penalty, given = (penalties or {}).get(graded.student, 0.0), (entries or {}).get(graded.student)
        page = feedback_page(graded, notebook, assignment, names, receipt, penalty, graded.unsafe, given)
        write_whole(path, page)
        yield path


def publish_report(
    classroom: Classroom,
    assignment: Assignment,
    not_graded: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    penalties: Mapping[str, float] | None = None,
    absent: Sequence[str] = (),
    due: DueDates | None = None,
) -> Path:
    """Write the class page and return its path.

    Args:
        classroom: the class's folder.
        assignment: what was asked for.
        not_graded: {student or file: why}.
        names: {student: name}.
        penalties: {student: points taken off for a late submission}.
        absent: who has not handed in, as they are to be shown.
        due: when it is due.
    """
    graded = read_results(classroom, assignment.name)
    path = classroom.report(assignment.name)
    receipts, due = _receipts(classroom, assignment, graded), due or DueDates()
    submitted = _submitted(classroom, assignment, graded)
    results = {one.student for one in graded}
    about = Class(
        names=names or {},
        penalties=penalties or {},
        absent=absent,
        to_grade=[student for student in classroom.students(assignment.name) if student not in results],
        grade=classroom.command("grade"),
        receipts=receipts,
        pages=_pages(classroom, assignment, graded),
        similar=_similar(classroom, assignment),
        find_similar=classroom.command("similar"),
        graded_at=_graded_at(classroom, assignment, graded),
        submitted=submitted,
        attempts=_attempts(classroom, assignment, graded),
        late=_late(graded, submitted, receipts, due),
        due=due,
        course=os.path.relpath(classroom.course, path.parent),
    )
    write_whole(path, class_page(graded, assignment, not_graded, about, any(one.unsafe for one in graded)))
    return path


def publish_course(
    classroom: Classroom, lessons: Sequence[Lesson], students: Mapping[str, str], now: datetime | None = None
) -> Path:
    """Write the page on all assignments that are graded, and return its path.

    Args:
        classroom: the class's folder.
        lessons: in their order.
        students: {student: name, or ""} of who is in the class.
        now: what is not due by then holds nobody up; without it, the time that it is.
    """
    page = course_page(lessons, students, now or datetime.now(UTC))
    write_whole(classroom.course, page)
    return classroom.course


def lesson_of(
    classroom: Classroom, assignment: Assignment, scores: "Sequence[Score]", due: DueDates | None = None
) -> Lesson:
    """What the course page needs of a graded assignment: of those, who are in the class, whose `scores` these are."""
    present = {score.student for score in scores}
    graded = [one for one in read_results(classroom, assignment.name) if one.student in present]
    handed_in = present.intersection(classroom.students(assignment.name))
    return lesson(assignment, graded, scores, due, _pages(classroom, assignment, graded), handed_in)


def _submitted(classroom: Classroom, assignment: Assignment, graded: list[Graded]) -> dict[str, datetime]:
    found = {one.student: handed_in(classroom, one.student, assignment.name) for one in graded}
    return {student: time.replace(tzinfo=UTC) for student, time in found.items() if time}


def _attempts(classroom: Classroom, assignment: Assignment, graded: list[Graded]) -> dict[str, int]:
    known = {one.student: attempts_known(classroom.attempts(one.student, assignment.name)) for one in graded}
    return {student: number for student, number in known.items() if number}


def _late(
    graded: list[Graded], submitted: Mapping[str, datetime], receipts: Mapping[str, Receipt], due: DueDates
) -> dict[str, float]:
    """By how many seconds, of those who are late: by due date, or else by a platform's mark."""
    students = [one.student for one in graded]
    found = {student: late_by(student, submitted.get(student), receipts.get(student), due) for student in students}
    return {student: seconds for student, seconds in found.items() if seconds}


def _receipts(classroom: Classroom, assignment: Assignment, graded: list[Graded]) -> dict[str, Receipt]:
    found = {one.student: Receipt.read(classroom.receipt(one.student, assignment.name)) for one in graded}
    return {student: receipt for student, receipt in found.items() if receipt}


def _pages(classroom: Classroom, assignment: Assignment, graded: list[Graded]) -> dict[str, str]:
    """Where the feedback pages that are there lie, seen from the class page."""
    here = classroom.report(assignment.name).parent
    paths = {one.student: classroom.feedback(one.student, assignment.name) for one in graded}
    return {student: quote(os.path.relpath(path, here)) for student, path in paths.items() if path.is_file()}


def _similar(classroom: Classroom, assignment: Assignment) -> str:
    """Where the page of similar submissions lies, seen from the class page; "" if there is none yet."""
    page = classroom.similar(assignment.name)
    return quote(f"{page.parent.name}/{page.name}") if page.is_file() else ""


def _graded_at(classroom: Classroom, assignment: Assignment, graded: list[Graded]) -> datetime:
    times = [classroom.result(one.student, assignment.name).stat().st_mtime for one in graded]
    return datetime.fromtimestamp(max(times), UTC)


def _autograded(classroom: Classroom, student: str, assignment: Assignment) -> NotebookNode | None:
    path = classroom.autograded(student, assignment.name)
    return nbformat.read(path, as_version=4) if path.is_file() else None
