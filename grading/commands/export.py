"""Scores for the learning platform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grading.classroom import Classroom
from grading.commands.of_class import assignments_of
from grading.commands.options import AssignmentName, ClassFolder, console
from grading.gradebook.exporting import Kind
from grading.problems import GradingError


def export(
    output: Annotated[Path, typer.Argument(help="the CSV file to write")],
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    kind: Annotated[Kind, typer.Option(help="whose import reads it")] = Kind.PLAIN,
    template: Annotated[Path | None, typer.Option(help="a CSV that Canvas or Moodle exported, to fill in")] = None,
    column: Annotated[str, typer.Option(help="the header of the scores, if it is not the assignment's name")] = "",
    per_exercise: Annotated[
        bool, typer.Option("--per-exercise", help="plain kind: also the points of each exercise and quiz")
    ] = False,
) -> None:
    """Write the scores as CSV for Canvas, Moodle or a spreadsheet."""
    console.print("reading the gradebook …")
    from grading.console import show_exported
    from grading.exchange.roster import kept
    from grading.gradebook.book import Book
    from grading.gradebook.exporting import export

    names = assignments_of(Classroom(folder), assignment)
    if len(names) > 1:
        raise GradingError(f"Say which one to export: --assignment, one of {', '.join(names)}.")
    with Book(Classroom(folder)) as book:
        known = kept(Classroom(folder))
        show_exported(console, export(book, names[0], output, kind, template, column, known, per_exercise))
