"""Scores for the learning platform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grading.classroom import Classroom
from grading.commands.of_class import assignments_of, load
from grading.commands.options import ClassFolder, Overwrite, console
from grading.gradebook.layouts import Kind

SCORES = "export of scores"


def export(
    output: Annotated[Path, typer.Argument(help="the CSV file to write")],
    folder: ClassFolder = Path(),
    assignment: Annotated[str, typer.Option("--assignment", help="one lesson alone, as 01_convolution")] = "",
    kind: Annotated[Kind, typer.Option(help="whose import reads it")] = Kind.PLAIN,
    template: Annotated[
        Path | None, typer.Option(help="a CSV that your platform exported, to fill in; a term's gradebook, too")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", help="NAME=HEADER of an assignment or exercise whose column is not called so"),
    ] = None,
    per_exercise: Annotated[bool, typer.Option("--per-exercise", help="also each exercise and quiz")] = False,
    overwrite: Overwrite = False,
) -> None:
    """Write the scores as CSV for a platform or a spreadsheet: all assignments, or one."""
    console.print("reading the gradebook …")
    from grading.console import show_exported
    from grading.exchange.roster import kept
    from grading.gradebook.book import Book
    from grading.gradebook.exporting import export
    from grading.outputs import check_output, note_output

    classroom = Classroom(folder)
    check_output(output, classroom, SCORES, overwrite, (template,) if template else ())
    assignments = [load(classroom, name) for name in assignments_of(classroom, assignment)]
    with Book(classroom) as book:
        done = export(book, assignments, output, kind, template, columns or (), kept(classroom), per_exercise)
    note_output(output, classroom, SCORES)
    show_exported(console, classroom, done)
