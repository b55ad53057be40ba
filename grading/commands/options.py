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
ChecksFolder = Annotated[
    Path | None, typer.Option("--checks", help="a folder with your own checks, which learners never get")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="replace the file, even if it is the template or was not written by this")
]
Workers = Annotated[int | None, typer.Option("--workers", help="processes; one a core if not given")]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", help="tcp://… of a Dask scheduler, to grade on its cluster")
]
CellSeconds = Annotated[float, typer.Option("--cell-seconds", help="of processor time that a cell may take")]
Seconds = Annotated[float, typer.Option("--seconds", help="of processor time that a submission may take")]
Megabytes = Annotated[int, typer.Option("--memory", help="megabytes that a submission may use")]
AllCells = Annotated[bool, typer.Option("--all-cells", help="run all cells, not just those that answers need")]
Unsafe = Annotated[bool, typer.Option("--unsafe-no-sandbox", help="no sandbox: ONLY for files that you wrote yourself")]
ReaderName = Annotated[
    str, typer.Option("--reader", help="whose export it is, as canvas or moodle; seen from the files if not given")
]
