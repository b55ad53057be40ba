"""Write the pages of a class: feedback for each student, and the class page."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import nbformat
from nbformat import NotebookNode

from grading.assignment import Assignment
from grading.classroom import Classroom
from grading.pages.equal import answer_fingerprints
from grading.pages.feedback import feedback_page
from grading.pages.report import Class, class_page
from grading.receipt import Receipt
from grading.results import Graded, each_result, read_results
from utils.files import write_whole


def publish_feedback(
    classroom: Classroom,
    assignment: Assignment,
    names: Mapping[str, str] | None = None,
    penalties: Mapping[str, float] | None = None,
) -> Iterator[Path]:
    """Write the page of each student that has a result, and yield its path.

    Args:
        classroom: the class's folder.
        assignment: what was asked for.
        names: {student: name}.
        penalties: {student: points taken off for a late submission}.
    """
    for graded in each_result(classroom, assignment.name):
        notebook = _autograded(classroom, graded.student, assignment)
        receipt = Receipt.read(classroom.receipt(graded.student, assignment.name))
        path = classroom.feedback(graded.student, assignment.name)
        penalty = (penalties or {}).get(graded.student, 0.0)
        page = feedback_page(graded, notebook, assignment, names, receipt, penalty, unsafe=graded.unsafe)
        write_whole(path, page)
        yield path


def publish_report(
    classroom: Classroom,
    assignment: Assignment,
    not_graded: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    penalties: Mapping[str, float] | None = None,
    absent: Sequence[str] = (),
) -> Path:
    """Write the class page and return its path.

    Args:
        classroom: the class's folder.
        assignment: what was asked for.
        not_graded: {student or file: why}.
        names: {student: name}.
        penalties: {student: points taken off for a late submission}.
        absent: who has not handed in, as they are to be shown.
    """
    graded = read_results(classroom, assignment.name)
    path = classroom.report(assignment.name)
    about = Class(
        names=names or {},
        penalties=penalties or {},
        absent=absent,
        receipts=_receipts(classroom, assignment, graded),
        pages=_pages(classroom, assignment, graded),
        answers=_answers(classroom, assignment, graded),
        graded_at=_graded_at(classroom, assignment, graded),
    )
    write_whole(path, class_page(graded, assignment, not_graded, about, any(one.unsafe for one in graded)))
    return path


def _receipts(classroom: Classroom, assignment: Assignment, graded: list[Graded]) -> dict[str, Receipt]:
    found = {one.student: Receipt.read(classroom.receipt(one.student, assignment.name)) for one in graded}
    return {student: receipt for student, receipt in found.items() if receipt}


def _pages(classroom: Classroom, assignment: Assignment, graded: list[Graded]) -> dict[str, str]:
    """Where the feedback pages that are there lie, seen from the class page."""
    here = classroom.report(assignment.name).parent
    paths = {one.student: classroom.feedback(one.student, assignment.name) for one in graded}
    return {student: quote(os.path.relpath(path, here)) for student, path in paths.items() if path.is_file()}


def _answers(classroom: Classroom, assignment: Assignment, graded: list[Graded]) -> dict[str, dict[str, str]]:
    notebooks = ((one.student, _autograded(classroom, one.student, assignment)) for one in graded)
    return {student: answer_fingerprints(notebook, assignment) for student, notebook in notebooks if notebook}


def _graded_at(classroom: Classroom, assignment: Assignment, graded: list[Graded]) -> datetime:
    times = [classroom.result(one.student, assignment.name).stat().st_mtime for one in graded]
    return datetime.fromtimestamp(max(times), UTC)


def _autograded(classroom: Classroom, student: str, assignment: Assignment) -> NotebookNode | None:
    path = classroom.autograded(student, assignment.name)
    return nbformat.read(path, as_version=4) if path.is_file() else None
