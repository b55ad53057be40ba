"""A submission as a notebook that can be run and graded: the released one, with the student's answers in it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from grading.assignment import Assignment
from grading.submission.kinds import Unreadable
from grading.submission.parsing import file_bytes, written_cells
from grading.submission.repair import repair

__all__ = ["Reading", "Unreadable", "read_submission"]


@dataclass(frozen=True)
class Reading:
    """`notes` say what was repaired; they hold no text of the student's. `sha256` is that of the file."""

    notebook: NotebookNode
    notes: list[str]
    sha256: str


def read_submission(path: Path, assignment: Assignment) -> Reading:
    """Read a submitted notebook file and put its answers into the released one; see `read_content`."""
    return read_content(file_bytes(path), assignment)


def read_content(content: bytes, assignment: Assignment) -> Reading:
    """Put the answers of a notebook, given as the bytes of its file, into the released one; see `repair.repair`.

    Raises Unreadable, with the reason, if it is no notebook that can be read. Nothing of it is run.
    """
    written, left_out = written_cells(content)
    notebook, repaired = repair(written, assignment.notebook)
    return Reading(notebook, left_out + repaired, hashlib.sha256(content).hexdigest())
