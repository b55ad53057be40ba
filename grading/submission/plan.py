"""Which cells of a repaired submission have to run before its answers can be asked."""

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

from nbformat import NotebookNode

from grading.assignment import Assignment
from grading.submission.names import names_of
from grading.submission.sameness import same_code
from utils.cells import SETUP_ID, role

PAYOFF = re.compile(r"^with payoff\(", re.MULTILINE)


def cells_to_run(notebook: NotebookNode, assignment: Assignment, everything: bool = False) -> list[int]:
    """Positions, in order, of the code cells of a repaired notebook that grading runs.

    By default only what the answers need: the set-up, the answers, every cell that makes a name which one of those
    takes, and the student's own or changed cells that can run on these. A demonstration that nobody's answer builds on
    (a training run of minutes) is left out, and so is an experiment of the student's on its results. Of several cells
    that make a name, the last one before its reader is taken, as it would be on "run all"; else the first after it.

    Args:
        notebook: what `grading.submission.reading.read_submission` gave.
        everything: run all code cells. Checks, and the cell that fetches the course on Colab, are never run.
    """
    released = {cell.id: cell.source for cell in assignment.notebook.cells if cell.cell_type == "code"}
    steps = [_step(at, cell, released) for at, cell in enumerate(notebook.cells) if _can_run(cell)]
    if everything:
        return [step.at for step in steps]
    makers = _makers(steps)
    needed = _with_sources([step for step in steps if step.wanted], makers)
    for step in steps:
        if step.is_theirs and not step.is_payoff and needed.issuperset(_sources(step, makers)):
            needed.add(step.at)
    return sorted(needed)


@dataclass(frozen=True)
class _Step:
    """A code cell: where it stands, the names it makes and takes, whether it must run, and whose it is."""

    at: int
    makes: frozenset[str]
    takes: frozenset[str]
    wanted: bool
    is_theirs: bool
    is_payoff: bool


def _can_run(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and cell.id != SETUP_ID and role(cell) != "check"


def _step(at: int, cell: NotebookNode, released: dict[str, str]) -> _Step:
    setup = next(cell_id for cell_id in released if cell_id != SETUP_ID)
    wanted = cell.id == setup or bool(role(cell))
    is_theirs = cell.id not in released or not same_code(released[cell.id], cell.source)
    names = names_of(cell.source) if is_theirs else _names_of_ours(cell.source)
    is_payoff = cell.id in released and bool(PAYOFF.search(cell.source))
    return _Step(at, names.makes, names.takes, wanted, is_theirs, is_payoff)


_names_of_ours = lru_cache(maxsize=None)(names_of)  # the same few cells in every submission


def _makers(steps: list[_Step]) -> dict[str, list[_Step]]:
    """For each name the steps that make it, in order. A payoff of the course's makes nothing that others may need."""
    makers: dict[str, list[_Step]] = {}
    for step in steps:
        if step.is_theirs or not step.is_payoff:
            for name in step.makes:
                makers.setdefault(name, []).append(step)
    return makers


def _with_sources(wanted: list[_Step], makers: dict[str, list[_Step]]) -> set[int]:
    needed, waiting = set(), list(wanted)
    while waiting:
        step = waiting.pop()
        if step.at not in needed:
            needed.add(step.at)
            waiting += _sources(step, makers).values()
    return needed


def _sources(step: _Step, makers: dict[str, list[_Step]]) -> dict[int, _Step]:
    """The steps that make what this one takes. What no cell makes is missing, and shows when the cell runs."""
    found = {}
    for name in step.takes & makers.keys():
        places = makers[name]
        source = places[max(bisect_left(places, step.at, key=attrgetter("at")) - 1, 0)]
        found[source.at] = source
    return found
