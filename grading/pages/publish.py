"""Write the pages of a class: feedback for each student, and the class page."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from grading.assignment import Assignment
from grading.classroom import Classroom
from grading.pages.feedback import feedback_page
from grading.pages.report import answer_fingerprints, class_page
from grading.results import read_results
from utils.files import write_whole


def publish_feedback(
    classroom: Classroom, assignment: Assignment, names: Mapping[str, str] | None = None
) -> Iterator[Path]:
    """Write the page of each student that has a result, and yield its path. `names` is {student: name}."""
    for graded in read_results(classroom, assignment.name):
        notebook = _autograded(classroom, graded.student, assignment)
        page = feedback_page(graded, notebook, assignment, (names or {}).get(graded.student, ""), graded.unsafe)
        path = classroom.feedback(graded.student, assignment.name)
        write_whole(path, page)
        yield path


def publish_report(
    classroom: Classroom,
    assignment: Assignment,
    not_graded: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
) -> Path:
    """Write the class page and return its path. `not_graded` is {student or file: why}, `names` {student: name}."""
    graded = read_results(classroom, assignment.name)
    answers = {}
    for one in graded:
        if notebook := _autograded(classroom, one.student, assignment):
            answers[one.student] = answer_fingerprints(notebook, assignment)
    path = classroom.report(assignment.name)
    write_whole(path, class_page(graded, assignment, not_graded, names, answers, any(one.unsafe for one in graded)))
    return path


def _autograded(classroom: Classroom, student: str, assignment: Assignment) -> NotebookNode | None:
    path = classroom.autograded(student, assignment.name)
    return nbformat.read(path, as_version=4) if path.is_file() else None
