"""A submitted file as the cells that somebody wrote: the first look at bytes that can be anything.

Of a notebook only the type, the source and the names of each cell are taken. Outputs, attachments, widgets and all
other metadata are never looked at, so that damage in them costs nobody a grade.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grading.submission.decoding import notebook_in
from grading.submission.kinds import Unreadable

MOST_BYTES = 20 * 1024 * 1024
MOST_CELLS = 2_000
LONGEST_SOURCE = 100_000  # characters of one cell
MOST_SOURCE = 500_000  # characters of all of them

TYPES = ("code", "markdown", "raw")


@dataclass(frozen=True)
class Written:
    """One cell as it was handed in. `id` and `grade_id` are "" where there is none; nothing here can be trusted."""

    type: str
    source: str
    id: str = ""
    grade_id: str = ""


def file_bytes(path: Path) -> bytes:
    """The content of a regular file of at most MOST_BYTES. Raises Unreadable for anything else; follows no link."""
    if path.parent.is_symlink():
        raise Unreadable(f"The folder of {path.name} is a symbolic link. Put the file itself in its place.")
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would block
    except OSError as error:
        why = "it is a symbolic link" if path.is_symlink() else error.strerror
        raise Unreadable(f"{path.name} cannot be opened: {why}. Hand in the notebook file itself.") from error
    try:
        return content_of(handle, path.name)
    finally:
        os.close(handle)


def content_of(handle: int, name: str) -> bytes:
    """The content of an open file. Raises Unreadable if it is no regular one, or has more than MOST_BYTES."""
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable(f"{name} is not an ordinary file. Hand in the notebook file itself.")
    if status.st_size > MOST_BYTES:
        raise Unreadable(f"{name} is larger than {MOST_BYTES // 1024**2} MB. Clear its outputs.")
    with os.fdopen(os.dup(handle), "rb") as stream:
        return stream.read(MOST_BYTES)  # no more, even if it grows meanwhile


def written_cells(content: bytes) -> tuple[list[Written], list[str]]:
    """The cells of a notebook in nbformat 2 to 4, and notes on what was odd about it or was left out.

    The fields are those of https://nbformat.readthedocs.io/en/latest/format_description.html; before version 4 the
    cells were on worksheets, the source of code was called "input", and headings had a type of their own.

    Raises Unreadable if this is no notebook, or one that is too large or too deep.
    """
    notebook, notes = notebook_in(content)
    cells = _cells_of(notebook)
    if len(cells) > MOST_CELLS:
        raise Unreadable(f"The notebook has {len(cells):,} cells; at most {MOST_CELLS:,} are read.")
    read = [cell for cell in map(_written, cells) if cell]
    short = [cell for cell in read if len(cell.source) <= LONGEST_SOURCE]
    if sum(len(cell.source) for cell in short) > MOST_SOURCE:
        raise Unreadable(f"The cells have more than {MOST_SOURCE:,} characters of text and code.")
    if len(read) < len(cells):
        notes.append(f"{len(cells) - len(read)} cells were damaged and were left out.")
    if len(short) < len(read):
        notes.append(f"{len(read) - len(short)} cells with more than {LONGEST_SOURCE:,} characters were left out.")
    return short, notes


def _cells_of(notebook: dict) -> list:
    if isinstance(notebook.get("cells"), list):
        return notebook["cells"]
    sheets = [sheet.get("cells") for sheet in notebook["worksheets"] if isinstance(sheet, dict)]
    return [cell for cells in sheets if isinstance(cells, list) for cell in cells]


def _written(cell: Any) -> Written | None:
    """None for what has no source or no known type."""
    if not isinstance(cell, dict):
        return None
    type_ = {"heading": "markdown", "html": "markdown"}.get(_text(cell.get("cell_type")), _text(cell.get("cell_type")))
    source = _source(cell.get("source", cell.get("input")))
    if type_ not in TYPES or source is None:
        return None
    if cell.get("cell_type") == "heading":
        level = cell.get("level")
        source = "#" * (level if isinstance(level, int) and level in range(1, 7) else 1) + " " + source
    return Written(type_, source, _text(cell.get("id")), _text(_inside(cell, "metadata", "nbgrader", "grade_id")))


def _source(value: Any) -> str | None:
    """A source is a string or a list of strings. Half a surrogate pair cannot be written anywhere, so it goes.

    Windows' and old Macs' line ends become plain ones, as Python itself reads them.
    """
    lines = [value] if isinstance(value, str) else value
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        return None
    source = "".join(lines).encode("utf-8", "replace").decode("utf-8")
    return source.replace("\r\n", "\n").replace("\r", "\n")


def _inside(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
