"""What everybody may have: the released notebook, the course's own solution, and the code of its library."""

from functools import cache

import nbformat
from nbformat.v4 import new_code_cell

from grading.assignment import Assignment
from grading.similarity.parts import all_grams
from utils.paths import COURSE, SOLUTIONS


def known_grams(assignment: Assignment) -> set[int]:
    """The hashes of all that is the course's own: none of it says anything about two students who share it."""
    solution = SOLUTIONS / f"{assignment.name}.ipynb"
    solved = nbformat.read(solution, as_version=4).cells if solution.is_file() else []
    return all_grams(assignment.notebook.cells) | all_grams(solved) | _of_the_library()


@cache
def _of_the_library() -> set[int]:
    modules = sorted((COURSE / "utils").rglob("*.py"))
    return set().union(*(all_grams([new_code_cell(module.read_text(encoding="utf-8"))]) for module in modules))
