"""A class's folder for tests, with a lesson of one exercise and one quiz, cut from the released lesson 01."""

import copy
import functools
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, SubmittedAssignment

from grading.assignment import Assignment, load_assignment
from grading.classroom import Classroom
from grading.gradebook.book import Book
from grading.results import Graded, Mark
from utils.checking import Status, Verdict
from utils.paths import NOTEBOOKS

NAME = "01_convolution"
CHECK, ANSWER, QUIZ = "check_output_size", "output_size", "quiz_same_output_size"
RIGHT = """def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
"""


class School:
    """A class in `root` in which lesson 01 was released."""

    def __init__(self, root: Path):
        self.classroom = Classroom(root)
        released = self.classroom.released(NAME)
        released.parent.mkdir(parents=True)
        nbformat.write(short_lesson(), released)
        self.classroom.gradebook.write_bytes(_empty_gradebook())
        self.assignment: Assignment = load_assignment(released)

    def notebook(self, answer: str = "", quiz: str = "") -> NotebookNode:
        """A mended submission, which has not been run."""
        notebook = copy.deepcopy(self.assignment.notebook)
        for cell in notebook.cells:
            if answer and cell.id == ANSWER:
                cell.source = answer
            if quiz and cell.id == QUIZ:
                cell.source += f"\n\n{quiz}"
        return notebook

    def graded(self, student: str, passed: bool) -> Graded:
        status = Status.PASSED if passed else Status.FAILED
        verdict = Verdict(ANSWER, status, "All 36 cases agree." if passed else "3 of 36 cases fail.")
        return Graded(student, NAME, [Mark(CHECK, 1.0 if passed else 0.0, 1.0, verdict)])

    def hand_in(self, student: str, notebook: NotebookNode | str, timestamp: str = "") -> Path:
        path = self.classroom.submitted(student, NAME)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(notebook if isinstance(notebook, str) else nbformat.writes(notebook), encoding="utf-8")
        if timestamp:
            path.with_name("timestamp.txt").write_text(timestamp)
        return path


def contents(url: str) -> dict:
    """Everything in a gradebook but the random ids."""
    with Gradebook(url) as book:
        assignment = book.find_assignment(NAME)
        cells = {}
        for cell in assignment.notebooks[0]._base_cells:
            cells[cell.name, cell.type] = getattr(cell, "max_score", None), getattr(cell, "cell_type", None)
        sources = {
            cell.name: (cell.source, cell.checksum, cell.locked) for cell in assignment.notebooks[0].source_cells
        }
        return {
            "cells": cells,
            "sources": sources,
            "kernel": assignment.notebooks[0].kernelspec,
            "submissions": {one.student.id: _submission(one) for one in assignment.submissions},
            "students": [student.to_dict() for student in book.students],
        }


def _submission(submission: SubmittedAssignment) -> dict:
    (notebook,) = submission.notebooks
    scores = ("auto_score", "manual_score", "extra_credit", "needs_manual_grade", "score", "max_score", "failed_tests")
    return {
        "timestamp": submission.timestamp,
        "penalty": notebook.late_submission_penalty,
        "flagged": notebook.flagged,
        "grades": {grade.name: [getattr(grade, score) for score in scores] for grade in notebook.grades},
        "comments": {one.name: (one.auto_comment, one.manual_comment, one.comment) for one in notebook.comments},
    }


def short_lesson() -> NotebookNode:
    """Lesson 01 with nothing but its set-up, one exercise and one quiz."""
    notebook = nbformat.read(NOTEBOOKS / f"{NAME}.ipynb", as_version=4)
    setup = next(cell for cell in notebook.cells if "from utils.checks import" in cell.source)
    notebook.cells = [cell for cell in notebook.cells if cell is setup or cell.id in (ANSWER, CHECK, QUIZ)]
    setup.source = "from utils.checks import convolution as check"
    return notebook


@functools.cache
def _empty_gradebook() -> bytes:
    """nbgrader takes seconds to make one."""
    with tempfile.TemporaryDirectory() as folder:
        Book(Classroom(Path(folder))).close()
        return Classroom(Path(folder)).gradebook.read_bytes()
