"""Results and notebooks made up for tests of pages."""

import base64
import io

import nbformat
from nbformat import NotebookNode

from grading.assignment import Assignment, load_assignment
from grading.results import Graded, Mark
from utils.checking import Status, Verdict
from utils.paths import NOTEBOOKS

ASSIGNMENT = load_assignment(NOTEBOOKS / "01_convolution.ipynb")


def verdict(exercise: str, status: Status, mistake: str = "", summary: str = "3 of 9 cases fail.") -> Verdict:
    return Verdict(exercise, status, summary if status is Status.FAILED else "", mistake=mistake)


def graded(student: str, outcomes: dict[str, str], assignment: Assignment = ASSIGNMENT, **fields) -> Graded:
    """`outcomes` is {exercise: "passed", "untouched", a mistake's name, or a sentence}; the others were passed."""
    marks = []
    for task in assignment.tasks:
        outcome = outcomes.get(task.answer, "passed")
        status = {"passed": Status.PASSED, "untouched": Status.NOT_ATTEMPTED}.get(outcome, Status.FAILED)
        mistake = outcome if outcome.isidentifier() and status is Status.FAILED else ""
        summary = "3 of 9 cases fail." if mistake else outcome
        points = task.points if status is Status.PASSED else 0
        marks.append(Mark(task.grade_id, points, task.points, verdict(task.answer, status, mistake, summary), 0.1))
    return Graded(student, assignment.name, marks, **fields)


def submission(answers: dict[str, str] | None = None, own: list[NotebookNode] | None = None) -> NotebookNode:
    """The released notebook with these sources by cell id, and the student's own cells at its end."""
    notebook = nbformat.from_dict(ASSIGNMENT.notebook)
    for cell in notebook.cells:
        cell.source = (answers or {}).get(cell.id, cell.source)
    notebook.cells += own or []
    return notebook


def own_cell(source: str, *outputs: dict) -> NotebookNode:
    return nbformat.v4.new_code_cell(source, id="own-1", outputs=[nbformat.from_dict(output) for output in outputs])


def png(width: int = 3, height: int = 2) -> str:
    """A picture in base64."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()
