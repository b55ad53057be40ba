"""Hand out: released notebooks, and an invented class to try the grader on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grading.classroom import Classroom
from grading.commands.of_class import load
from grading.commands.options import ClassFolder, console


def release(
    assignments: Annotated[list[str], typer.Argument(help="lessons, as 01_convolution")],
    folder: ClassFolder = Path(),
    archive: Annotated[bool, typer.Option("--zip", help="also make release.zip, to hand out")] = False,
    database: Annotated[str, typer.Option(help="a school's database, as SQLAlchemy's URL, for gradebook.db")] = "",
) -> None:
    """Put learners' notebooks into release/, ready to hand out."""
    console.print(f"releasing {', '.join(assignments)} …")
    from grading.exchange.releasing import release
    from grading.gradebook.book import Book
    from grading.gradebook.config import write_nbgrader_config
    from grading.gradebook.database import check_database

    classroom = Classroom(folder)
    if database:
        check_database(database)  # before anything names it
    released = release(assignments, classroom, archive)
    write_nbgrader_config(folder, database)  # before the gradebook is made, which it names
    for path in released:
        console.print(f"released {path}")
    with Book(classroom) as book:
        for name in assignments:
            book.register(load(classroom, name))


def demo(
    folder: ClassFolder = Path("demo-class"),
    size: Annotated[int, typer.Option(help="students")] = 60,
    seed: Annotated[int, typer.Option(help="of the invented class")] = 0,
) -> None:
    """Make an invented class: right, half right, mistaken, untouched, broken and hostile submissions."""
    console.print(f"making a class of {size} …")
    from grading.demo.making import make_class
    from grading.gradebook.book import Book
    from grading.gradebook.config import write_nbgrader_config

    made = make_class(folder, size, seed)
    write_nbgrader_config(folder)
    with Book(Classroom(folder)) as book:
        for one in made:
            book.enrol(one.id, first_name=one.first_name, last_name=one.last_name, email=one.email)
    console.print(f"{len(made)} students in {folder}. Grade them: {Classroom(folder).command('grade')}", markup=False)
