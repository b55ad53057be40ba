"""What a submission asks for that grading has not: a GPU, packages that are not installed."""

import re
from collections.abc import Iterable, Mapping

from nbformat import NotebookNode

from grading.assignment import Assignment
from utils.cells import role
from utils.checking.gpu import INSTEAD, asks_for_gpu

MOST_PACKAGES = 10  # of one submission
NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([A-Za-z_][\w.]{0,60})'")
OWN = ("utils", "grading")  # what a sandbox leaves out of the course is no package to install


def notes_on_gpu(notebook: NotebookNode, cells: Iterable[int], assignment: Assignment) -> list[str]:
    """A note on the student's cells, among those at these places, that ask for a GPU; none where no cell does."""
    released = {cell.id: cell.source for cell in assignment.notebook.cells}
    theirs = [notebook.cells[at] for at in cells if released.get(notebook.cells[at].id) != notebook.cells[at].source]
    asking = [f"`{cell.id}`" if role(cell) else "a cell of your own" for cell in theirs if asks_for_gpu(cell.source)]
    if not asking:
        return []
    who = ", ".join(dict.fromkeys(asking))
    does = "asks" if len(set(asking)) == 1 else "ask"
    said = f"{who} {does} for a GPU. Grading has none, and ran it on the processor. {INSTEAD}"
    return [said[:1].upper() + said[1:]]


def packages_not_there(errors: Iterable[str]) -> list[str]:
    """The names of packages that cells or answers failed to import, by these errors; nothing of it is believed."""
    names = [found[1] for error in errors if (found := NO_MODULE.search(error))]
    return [name for name in dict.fromkeys(names) if name.partition(".")[0] not in OWN][:MOST_PACKAGES]


def notes_on_packages(failures: Mapping[int, str]) -> list[str]:
    """A note for each package that cells failed to import, with the numbers of the cells. `failures` is by position."""
    cells: dict[str, list[str]] = {}
    for at, failure in sorted(failures.items()):
        for package in packages_not_there([failure]):
            cells.setdefault(package, []).append(str(at + 1))
    named = list(cells.items())[:MOST_PACKAGES]
    return [f"`{package}` is not installed where grading runs: cell {', '.join(at)}." for package, at in named]
