"""What a person grades: quizzes on a page of their own, and whatever they wish in nbgrader's formgrader."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from grading.classroom import Classroom
from grading.commands.of_class import graded_assignments
from grading.commands.options import AssignmentName, ClassFolder, console
from grading.problems import GradingError


def open_(folder: ClassFolder = Path()) -> None:
    """Open nbgrader's formgrader on the class, to look at whole submissions and overrule scores."""
    console.print("starting Jupyter with nbgrader's formgrader; Ctrl-C ends it …")
    from grading.gradebook.formgrader import open_formgrader

    open_formgrader(Classroom(folder))


def quizzes(
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    anonymous: Annotated[bool, typer.Option("--anonymous", help="show no names, in another order")] = False,
    grader: Annotated[str, typer.Option(help="your name, for the log of changes")] = "",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="of the server on this machine; a free one if not given")
    ] = 0,
    browser: Annotated[bool, typer.Option(help="open it in the browser")] = True,
) -> None:
    """Grade quizzes: all answers to one question side by side, in your browser."""
    console.print("reading the quizzes; Ctrl-C ends the server …")
    from grading.gradebook.book import Book
    from grading.quizzes.desk import Desk
    from grading.quizzes.opening import in_browser
    from grading.quizzes.server import serve

    def ready(address: str) -> None:
        console.print(f"quizzes: {address}", markup=False, highlight=False)
        if browser:
            opened.enter_context(in_browser(address, folder))

    assignments = graded_assignments(Classroom(folder), assignment)
    with Book(Classroom(folder)) as book, contextlib.ExitStack() as opened, contextlib.suppress(KeyboardInterrupt):
        desk = Desk(Classroom(folder), assignments, book, anonymous, grader)
        if not desk.questions:
            raise GradingError(f"There is no quiz in {', '.join(one.name for one in assignments)}.")
        serve(desk, port, ready)
