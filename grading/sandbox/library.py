"""Which modules of the course's library a sandbox holds: those that an assignment needs, and no others.

The library answers many exercises: `utils.reach` computes receptive fields, `utils.models` holds a transformer. So a
submission finds what the released notebook imports, what these modules import themselves, and what the checks need
beside an answer; the rest is not there.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from modulefinder import ModuleFinder
from pathlib import Path
from types import CodeType

from grading.assignment import Assignment
from utils.cells import SETUP_ID
from utils.paths import COURSE

UTILS = COURSE / "utils"
ALWAYS = UTILS / "checking"  # how checks work; a way of asking may use any of it


def library_of(assignment: Assignment, private: Iterable[str] = ()) -> frozenset[str]:
    """The files of `utils` that a sandbox for this assignment holds, as paths within `utils` such as "reach/fields.py".

    Args:
        assignment: its released notebook, and its lesson's checks, are looked at.
        private: sources of an instructor's own checks, whose ways of asking may need more.
    """
    cells = [cell.source for cell in assignment.notebook.cells if cell.cell_type == "code" and cell.id != SETUP_ID]
    checks = [path.read_text(encoding="utf-8") for path in _asked_from(assignment)]
    always = {path.relative_to(UTILS).as_posix(): path.read_text(encoding="utf-8") for path in ALWAYS.rglob("*.py")}
    return _imported_by((*cells, *checks, *private, *always.values())) | set(always)


def _asked_from(assignment: Assignment) -> set[Path]:
    """The file of the lesson's checks, where it declares a way of asking or of measuring that is sent into the sandbox.

    It is read and not imported: the sandbox starts before torch is imported beside it.
    """
    checks = UTILS / "checks" / f"{assignment.name[3:]}.py"
    if not checks.is_file():
        return set()
    with_a_way = set(re.findall(r"\b(\w+)\.(?:ask|measure)\b", checks.read_text(encoding="utf-8")))
    return {checks} if with_a_way & {task.exercise for task in assignment.tasks} else set()


@lru_cache(maxsize=2)
def _imported_by(sources: tuple[str, ...]) -> frozenset[str]:
    """The files of `utils` that these sources import, directly or not, wherever in them the imports stand."""
    finder = ModuleFinder(path=[str(COURSE)], excludes=["utils.checks"])  # empty stubs stand there
    for source in sources:
        if code := _compiled(source):
            finder.scan_code(code, finder.add_module("__main__"))
    files = [vars(module)["__file__"] for module in finder.modules.values()]  # None of what has no file
    paths = [Path(file) for file in files if file]
    return frozenset(path.relative_to(UTILS).as_posix() for path in paths if path.is_relative_to(UTILS))


def _compiled(source: str) -> CodeType | None:
    """None for a cell with a line of IPython's, which imports nothing of ours."""
    try:
        return compile(source, "cell", "exec")
    except SyntaxError:
        return None
