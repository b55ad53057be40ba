"""What everybody may have: the released notebook, the course's own solution, and the code of its library."""

import nbformat
from nbformat.v4 import new_code_cell

from grading.assignment import Assignment
from grading.similarity.parts import all_grams
from utils.paths import COURSE, SOLUTIONS


def known_grams(assignment: Assignment) -> set[int]:
    """The hashes of all that is the course's own: none of it says anything about two students who share it."""
    known = all_grams(assignment.notebook.cells)
    solution = SOLUTIONS / f"{assignment.name}.ipynb"
    if solution.is_file():
        known |= all_grams(nbformat.read(solution, as_version=4).cells)
    for module in sorted((COURSE / "utils").rglob("*.py")):
        known |= all_grams([new_code_cell(module.read_text(encoding="utf-8"))])
    return known
