"""Keep a class: all of it in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grading.classroom import Classroom
from grading.commands.options import ClassFolder, console


def archive(
    output: Annotated[Path, typer.Argument(help="the zip to write, outside of the class's folder")],
    folder: ClassFolder = Path(),
    checks: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="your own checks, to keep too")
    ] = None,
) -> None:
    """Keep a year: submissions, marks, gradebook, pages, seeds and versions in one file, with checksums."""
    console.print(f"archiving {folder.resolve()} …", markup=False)
    from grading.console import counted, show_left_out
    from grading.keeping.packing import pack
    from grading.outputs import check_folder

    check_folder(output)
    packed = pack(Classroom(folder), output, checks)
    megabytes = packed.path.stat().st_size / 1024**2
    console.print(f"{counted(packed.files, 'file')} in {packed.path}, {megabytes:.1f} MB", markup=False)
    console.print(f"its SHA-256, to be noted elsewhere: {packed.sha256}", highlight=False)
    show_left_out(console, packed.left_out)


def restore(
    source: Annotated[Path, typer.Argument(help="what the command `archive` wrote")],
    folder: Annotated[Path, typer.Option("--class", help="a folder that is not there yet")],
) -> None:
    """Make a class's folder of an archive, once all its checksums are proved."""
    console.print(f"restoring {source} …", markup=False)
    from grading.console import counted
    from grading.keeping.restoring import unpack

    restored = unpack(source, Classroom(folder))
    console.print(f"{counted(restored.files, 'file')} in {folder}, every checksum as it was written", markup=False)
    if restored.about["database"] != "sqlite":
        console.print(f"The gradebook was in a database of {restored.about['database']}; it is gradebook.db now.")
