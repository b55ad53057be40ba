"""What a person grades: quizzes, in nbgrader's formgrader."""

from __future__ import annotations

from pathlib import Path

from grading.classroom import Classroom
from grading.commands.options import ClassFolder, console


def open_(folder: ClassFolder = Path()) -> None:
    """Open nbgrader's formgrader on the class, to grade quizzes by hand and write comments."""
    console.print("starting Jupyter with nbgrader's formgrader; Ctrl-C ends it …")
    from grading.gradebook.formgrader import open_formgrader

    open_formgrader(Classroom(folder))
