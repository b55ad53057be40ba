"""What the build and the grader both know of a notebook's cells: their roles, their headings, the names of some."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a learner's notebook that imports `utils` needs no nbformat
    from nbformat import NotebookNode

SETUP_ID = "set-up"
"""The id of the cell that only Colab needs. No other id has a hyphen that is not followed by a number."""

WIDGET = "application/vnd.jupyter.widget-view+json"
"""The media type of a live widget."""

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.MULTILINE)


def role(cell: "NotebookNode") -> str:
    """What nbgrader's metadata makes of a cell: "answer", "check" or "quiz"; "" for a cell that is not graded.

    A quiz is written by the learner and graded by a person, so it is marked as a solution and as a grade.
    """
    marked = cell.metadata.get("nbgrader", {})
    match bool(marked.get("solution")), bool(marked.get("grade")):
        case True, False:
            return "answer"
        case False, True:
            return "check"
        case True, True:
            return "quiz"
    return ""


def grade_id(cell: "NotebookNode") -> str:
    """The name that nbgrader knows a cell by; "" for a cell that is not graded."""
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def headings(cell: "NotebookNode") -> list[str]:
    """The headings of a text cell, as plain text; a `# comment` in a fenced block of code is none."""
    if cell.cell_type != "markdown":
        return []
    return [found.replace("`", "").replace("**", "") for found in _HEADING.findall(_FENCE.sub("", cell.source))]
