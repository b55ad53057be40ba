"""A file by its content: whether it is a notebook, and whether it is the course's own copy of one."""

from functools import cache
from pathlib import Path

from grading.classroom import Classroom
from grading.exchange.archives import Found
from grading.submission.parsing import Unreadable, file_bytes, written_cells
from grading.submission.sameness import essence
from utils.paths import SOLUTIONS


def is_as_released(content: bytes, assignment: str, classroom: Classroom) -> bool:
    """Whether no code cell of it differs from what was handed out."""
    return _same(content, classroom.released(assignment))


def is_solution(content: bytes, assignment: str) -> bool:
    """Whether the course ships it as its solution, whatever its outputs and its text are."""
    return _same(content, SOLUTIONS / f"{assignment}.ipynb")


def _same(content: bytes, ours: Path) -> bool:
    """Whether all code is the same but for layout, of which the marks around a solution are part."""
    expected, theirs = _ours(ours), _code(content)
    if not expected or len(theirs) != len(expected):
        return False
    return all(essence("code", source) == known for source, known in zip(theirs, expected, strict=True))


@cache
def _ours(path: Path) -> tuple[str, ...]:
    """The essence of each code cell; () for what is not there, or no notebook."""
    try:
        return tuple(essence("code", source) for source in _code(file_bytes(path)))
    except (Unreadable, OSError):
        return ()


def _code(content: bytes) -> list[str]:
    """The code of all cells that have some; [] for what is no notebook."""
    try:
        cells, _ = written_cells(content)
    except Unreadable:
        return []
    return [cell.source for cell in cells if cell.type == "code" and cell.source.strip()]


def looks_like_a_notebook(file: Found) -> bool:
    """Whether a file that browsers and mail programs call a text is a notebook by its content."""
    if file.name.suffix.lower() not in ("", ".txt", ".json"):
        return False
    try:
        return bool(written_cells(file.read())[0])
    except Unreadable:
        return False
