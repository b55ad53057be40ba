"""nbgrader's side of the build: its metadata on the cells of a solution, and its way from there to a learner's copy.

The metadata is described in nbgrader's documentation, "Notebook cell metadata" (schema version 3).
"""

from copy import deepcopy

from nbformat import NotebookNode
from nbgrader.preprocessors import CheckCellMetadata, ClearOutput, ClearSolutions, ComputeChecksums, LockCells

from tools.lesson import Cell

CODE_STUB = "raise NotImplementedError  # your code here"
TEXT_STUB = "*Your answer here.*"

# nbgrader's own order, from nbgrader.converters.generate_assignment. Its other steps are left out: a lesson has no
# header, footer, autotest, hidden test or mark scheme, and a gradebook (SaveCells) is a school's own.
PIPELINE = [
    LockCells(),  # a check cannot be edited, an answer cannot be deleted
    ClearSolutions(code_stub={"python": CODE_STUB}, text_stub=TEXT_STUB),
    ClearOutput(),  # after the solutions, since outputs give them away too
    CheckCellMetadata(),  # checksums are taken over metadata, so that must be right before
    ComputeChecksums(),  # last: over what the learner gets
]


def metadata(cell: Cell, points: int | None) -> dict:
    """What nbgrader wants to know of a cell: nothing, for one that is not graded."""
    if not cell.grade_id:
        return {}
    graded = {
        "answer": {"grade": False, "solution": True, "locked": False},
        "check": {"grade": True, "solution": False, "locked": True, "points": points},
        "quiz": {"grade": True, "solution": True, "locked": False, "points": points},  # graded by hand
    }[cell.kind]
    return {"nbgrader": {"grade_id": cell.grade_id, "schema_version": 3, "task": False, **graded}}


def learners_copy(solution: NotebookNode) -> NotebookNode:
    """The notebook that a learner gets: stubs instead of answers, no outputs, checks locked."""
    notebook, resources = deepcopy(solution), {}
    for step in PIPELINE:
        notebook, resources = step.preprocess(notebook, resources)
    return notebook
