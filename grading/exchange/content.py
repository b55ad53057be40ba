"""A file by its content: whether it is a notebook, and whether it is the course's own copy of one."""

from functools import cache
from pathlib import Path

from grading.classroom import Classroom
from grading.exchange.archives import Found
from grading.submission.parsing import Unreadable, file_bytes, written_cells
from utils.paths import SOLUTIONS

Sources = tuple[str, ...]


def is_as_released(content: bytes, assignment: str, classroom: Classroom) -> bool:
    """Whether no code cell of it differs from what was handed out."""
    return _same(content, classroom.released(assignment))


def is_solution(content: bytes, assignment: str) -> bool:
    """Whether the course ships it as its solution, whatever its outputs and its text are."""
    return _same(content, SOLUTIONS / f"{assignment}.ipynb")


def _same(content: bytes, ours: Path) -> bool:
    if not ours.is_file():
        return False
    expected = _ours(ours)
    return bool(expected) and _sources(content) == expected


@cache
def _ours(path: Path) -> Sources:
    try:
        return _sources(file_bytes(path))
    except Unreadable:
        return ()


def _sources(content: bytes) -> Sources:
    """The code of all cells that have some, layout at the ends of lines aside; () for what is no notebook."""
    try:
        cells, _ = written_cells(content)
    except Unreadable:
        return ()
    code = (
        "\n".join(line.rstrip() for line in cell.source.splitlines()).strip() for cell in cells if cell.type == "code"
    )
    return tuple(filter(None, code))


def looks_like_a_notebook(file: Found) -> bool:
    """Whether a file that browsers and mail programs call a text is a notebook by its content."""
    if file.name.suffix.lower() not in ("", ".txt", ".json"):
        return False
    try:
        return bool(written_cells(file.read())[0])
    except Unreadable:
        return False
