"""Where the commands print, and the options that several of them have."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console(soft_wrap=True, emoji=False)  # the terminal wraps sentences; and `:M:` in a name stays `:M:`

ClassFolder = Annotated[Path, typer.Option("--class", help="the folder of the class; it may be empty at first")]
AssignmentName = Annotated[
    str, typer.Option("--assignment", help="the lesson, as 01_convolution; needed if there are several")
]
DataFolder = Annotated[
    Path | None,
    typer.Option(envvar="REACH_DATA", exists=True, file_okay=False, help="what submissions may read as $REACH_DATA"),
]
RosterFile = Annotated[
    Path | None, typer.Option("--roster", help="CSV of the class, which is kept: id, first_name, last_name, email")
]
ReaderName = Annotated[
    str, typer.Option("--reader", help="whose export it is, as canvas or moodle; seen from the files if not given")
]
