"""Hand the feedback back: packed for a platform, or as pages to mail or serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grading.classroom import Classroom
from grading.commands.of_class import Records, assignments_of, graded_assignments
from grading.commands.options import AssignmentName, ClassFolder, Overwrite, console
from grading.commands.pages import write_feedback
from grading.problems import GradingError


def pack(
    output: Annotated[Path, typer.Argument(help="the zip to write")],
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    platform: Annotated[
        str,
        typer.Option(
            "--for", help="moodle, canvas, brightspace or ilias; the one that was collected from, if not given"
        ),
    ] = "",
    overwrite: Overwrite = False,
) -> None:
    """Write the feedback on one assignment, and pack it into the zip that your platform takes back."""
    from grading.console import show_packed
    from grading.handing_back.packing import pack
    from grading.outputs import check_output, note_output

    classroom = Classroom(folder)
    names = assignments_of(classroom, assignment)
    if len(names) > 1:
        raise GradingError(f"A platform takes one assignment at a time. Say which: --assignment {' or '.join(names)}.")
    holds = f"feedback on {names[0]}"
    check_output(output, classroom, holds, overwrite)
    graded = graded_assignments(classroom, names[0])
    with Records(classroom) as records:
        write_feedback(classroom, graded, records)
        packed = pack(classroom, names[0], records.enrolled(names[0]), output, platform)
    note_output(output, classroom, holds)
    show_packed(console, classroom, packed)


def publish(
    output: Annotated[Path, typer.Argument(help="the folder for the pages, and for nothing else")],
    folder: ClassFolder = Path(),
    assignment: Annotated[str, typer.Option("--assignment", help="one lesson alone, as 01_convolution")] = "",
    base_url: Annotated[str, typer.Option("--base-url", help="where you will serve the folder, for the links")] = "",
) -> None:
    """Write the feedback, and copy it to mail or serve, under names that cannot be guessed; and mail.csv."""
    from grading.console import show_published
    from grading.handing_back.pages import pages_of
    from grading.handing_back.publishing import check_target, publish
    from grading.outputs import check_folder

    classroom = Classroom(folder)
    check_folder(output)
    check_target(classroom, output, base_url)
    graded = graded_assignments(classroom, assignment)
    with Records(classroom) as records:
        write_feedback(classroom, graded, records)
        pages = [page for one in graded for page in pages_of(classroom, one.name, records.enrolled(one.name))]
    show_published(console, classroom, publish(classroom, pages, output, base_url))
    if not base_url:
        console.print("The list has no links. To have them, say where you will serve the folder: --base-url")
