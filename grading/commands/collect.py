"""What comes in: submissions, and the list of the class."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grading.classroom import Classroom
from grading.commands.options import AssignmentName, ClassFolder, ReaderName, RosterFile, console


def collect(
    source: Annotated[Path, typer.Argument(help="a folder, a zip, or the export of a learning platform")],
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    roster: RosterFile = None,
    reader: ReaderName = "",
) -> None:
    """Copy submissions into submitted/, and say which files could not be placed, and who has not handed in."""
    classroom = Classroom(folder)
    for name in collect_from(source, classroom, assignment or None, roster, reader):
        show_missing(classroom, name)


def roster(
    files: Annotated[
        list[Path], typer.Argument(help="CSV of the class, from a school or a platform; several for several sections")
    ],
    folder: ClassFolder = Path(),
) -> None:
    """Keep the list of the class in its folder, and say who came, went or changed since the last one."""
    console.print(f"reading {', '.join(map(str, files))} …", markup=False)
    keep_roster(files, Classroom(folder))


def collect_from(
    source: Path, classroom: Classroom, assignment: str | None, roster: Path | None, reader: str
) -> list[str]:
    """Collect, and say how it went. The assignments of which something was collected."""
    console.print(f"collecting {source} …", markup=False)
    from grading.console import show_collected
    from grading.exchange.collecting import collect
    from grading.exchange.roster import kept

    if roster:
        keep_roster([roster], classroom)
    collected = collect(source, classroom, assignment, reader=reader)
    show_collected(console, collected, kept(classroom))
    return sorted({placed.assignment for placed in collected.placed})


def keep_roster(files: list[Path], classroom: Classroom) -> None:
    from grading.console import show_roster
    from grading.exchange.roster import keep, read_rosters
    from grading.gradebook.book import Book

    changes = keep(read_rosters(files), classroom)
    show_roster(console, changes)
    with Book(classroom) as book:
        book.enrol_class(changes.roster)


def show_missing(classroom: Classroom, assignment: str) -> None:
    from grading.console import show_missing
    from grading.exchange.attendance import not_handed_in

    show_missing(console, assignment, not_handed_in(classroom, assignment))
