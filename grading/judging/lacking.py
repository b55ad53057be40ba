"""What a submission asks for that grading has not: a GPU, packages that are not installed."""

import re
from collections.abc import Iterable, Mapping, Sequence

from nbformat import NotebookNode

from grading.results import Mark
from utils.cells import role
from utils.checking.gpu import INSTEAD, asks_for_gpu

MOST_PACKAGES = 10  # of one submission
NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([A-Za-z_][\w.]{0,60})'")
OWN = ("utils", "grading")  # what a sandbox leaves out of the course is no package to install


def notes_on_gpu(notebook: NotebookNode, cells: Iterable[int], released: Mapping[str, str]) -> list[str]:
    """A note on the cells that ask for a GPU; none where no cell does.

    Args:
        notebook: the repaired submission.
        cells: the places of the cells that were run.
        released: {id: source} of the cells as they were handed out, which ask for none.
    """
    theirs = [notebook.cells[at] for at in cells if released.get(notebook.cells[at].id) != notebook.cells[at].source]
    asking = [f"`{cell.id}`" if role(cell) else "a cell of your own" for cell in theirs if asks_for_gpu(cell.source)]
    if not asking:
        return []
    who = ", ".join(dict.fromkeys(asking))
    does = "asks" if len(set(asking)) == 1 else "ask"
    said = f"{who} {does} for a GPU. Grading has none, and ran it on the processor. {INSTEAD}"
    return [said[:1].upper() + said[1:]]


def missing_packages(notebook: NotebookNode, marks: Sequence[Mark]) -> list[str]:
    """The names of packages that cells or answers failed to import, as they say; nothing of it is believed."""
    errors = [output for cell in notebook.cells for output in cell.get("outputs", ()) if output.output_type == "error"]
    said = [f"{error.ename}: {error.evalue}" for error in errors] + [mark.verdict.problem for mark in marks]
    names = [found[1] for text in said if (found := NO_MODULE.search(text))]
    return [name for name in dict.fromkeys(names) if name.partition(".")[0] not in OWN][:MOST_PACKAGES]
