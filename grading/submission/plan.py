"""Which cells of a repaired submission are run, in what order, and when each answer is asked."""

import ast
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter

from nbformat import NotebookNode

from grading.assignment import Assignment
from grading.submission.names import defined_by, names_of
from grading.submission.sameness import same_code
from grading.submission.syntax import syntax_tree
from utils.cells import SETUP_ID, grade_id, role

PAYOFF = re.compile(r"^with payoff\(", re.MULTILINE)


@dataclass(frozen=True)
class Plan:
    """Positions of code cells in a notebook, in order.

    Attributes:
        needed: what the answers build on. They are asked before anything else is run.
        whole: the same, and the student's own or changed cells that can run on these.
        asked_after: {grade_id of a check: position after which its answer is asked}.
        makers: {name: positions of the cells that should make it}.
        imports: the released import cell, where it has to be run before all others: the student's is another one, or
            does not come first. Empty where the first cell of `needed` is just that.
    """

    needed: list[int]
    whole: list[int]
    asked_after: dict[str, int]
    makers: dict[str, list[int]]
    imports: str

    @property
    def has_rest(self) -> bool:
        return len(self.whole) > len(self.needed)


def make_plan(notebook: NotebookNode, assignment: Assignment, everything: bool = False) -> Plan:
    """Plan the run of a repaired notebook.

    Needed are the imports, the answers, and every cell that makes a name which one of those takes. An answer is asked
    where its check stands, as on "run all", or after the last cell that it needs. Of several cells that make a name,
    those of the student's own before the check are taken, since one may build on the other, and the last one before the
    reader; where there are none, the first after it. A stub that was left as it was is not run where an own cell makes
    its name: it would only take the answer away.

    A demonstration that nobody's answer builds on (a training run of minutes) is left out of the whole, and so is an
    experiment of the student's on its results.

    Args:
        notebook: what `grading.submission.reading.read_submission` gave.
        assignment: what was handed out.
        everything: the whole is all code cells. Checks, and the cell that fetches the course on Colab, are never run.
    """
    steps = _steps(notebook, assignment)
    makers = _makers(steps)
    checks = {grade_id(cell): at for at, cell in enumerate(notebook.cells) if role(cell) == "check"}
    needed, asked_after = {step.at for step in steps if step.wanted}, {}
    for task in assignment.tasks:
        sources = _all_sources(task.answer, checks[task.grade_id], makers)
        asked_after[task.grade_id] = max(sources | {checks[task.grade_id]})
        needed |= sources
    whole = {step.at for step in steps} if everything else _with_own(needed, steps, makers)
    return Plan(
        sorted(needed),
        sorted(whole),
        asked_after,
        {name: [step.at for step in found] for name, found in makers.items()},
        _imports_first(notebook, assignment, min(whole, default=0)),
    )


@dataclass(frozen=True)
class _Step:
    """A code cell: where it stands, the names it makes and takes, whether it must run, and whose it is."""

    at: int
    makes: frozenset[str]
    takes: frozenset[str]
    wanted: bool
    is_theirs: bool
    is_payoff: bool


def _steps(notebook: NotebookNode, assignment: Assignment) -> list[_Step]:
    released = {cell.id: cell.source for cell in assignment.notebook.cells if cell.cell_type == "code"}
    setup = _import_cell(assignment)
    imports = _imports(setup.source)
    answers = {assignment.answer_cells[task.grade_id]: task.answer for task in assignment.tasks}
    steps, stubs = [], {}
    for at, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or cell.id == SETUP_ID or role(cell) == "check":
            continue
        step = _step(at, cell, released.get(cell.id), imports)
        if cell.id in answers:
            step = replace(step, makes=step.makes | (defined_by(cell.source) & {answers[cell.id]}))
            stubs |= {} if step.is_theirs else {at: answers[cell.id]}
        steps.append(replace(step, wanted=cell.id == setup.id or bool(role(cell))))
    written = {name for step in steps if step.is_theirs for name in step.makes}
    return [step for step in steps if stubs.get(step.at) not in written]


def _step(at: int, cell: NotebookNode, released: str | None, imports: dict[str, str]) -> _Step:
    is_payoff = released is not None and bool(PAYOFF.search(cell.source))
    if released is not None and same_code(released, cell.source):
        names = _names_of_ours(released)
        return _Step(at, names.makes, names.takes, False, is_theirs=False, is_payoff=is_payoff)
    names = names_of(cell.source)
    again = {name for name, what in _imports(cell.source).items() if imports.get(name) == what}
    return _Step(at, names.makes - again, names.takes, False, is_theirs=True, is_payoff=is_payoff)


_names_of_ours = lru_cache(maxsize=None)(names_of)  # the same few cells in every submission


def _import_cell(assignment: Assignment) -> NotebookNode:
    return next(cell for cell in assignment.notebook.cells if cell.cell_type == "code" and cell.id != SETUP_ID)


def _imports_first(notebook: NotebookNode, assignment: Assignment, first: int) -> str:
    """The released import cell, unless the first cell to run is just that, with no magic before it that may fail."""
    released = _import_cell(assignment)
    cell = notebook.cells[first]
    return "" if cell.id == released.id and cell.source == released.source else released.source


def _imports(source: str) -> dict[str, str]:
    """{name: what is imported under it} by the top level of a cell."""
    tree = syntax_tree(source)
    found = {}
    for statement in tree.body if tree else []:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            origin = f"{statement.level} {statement.module}" if isinstance(statement, ast.ImportFrom) else ""
            for alias in statement.names:
                name = alias.asname or (alias.name if origin else alias.name.partition(".")[0])
                found[name] = f"{origin} {alias.name} {alias.asname}"
    return found


def _makers(steps: list[_Step]) -> dict[str, list[_Step]]:
    """For each name the steps that make it, in order. A payoff of the course's makes nothing that others may need."""
    makers: dict[str, list[_Step]] = {}
    for step in steps:
        if step.is_theirs or not step.is_payoff:
            for name in step.makes:
                makers.setdefault(name, []).append(step)
    return makers


def _all_sources(answer: str, asked_at: int, makers: dict[str, list[_Step]]) -> set[int]:
    """The positions of all that an answer builds on, its own cell with them."""
    found: set[int] = set()
    seen: set[str] = set()
    waiting = [(answer, asked_at)]
    while waiting:
        name, reader = waiting.pop()
        own = [] if name in seen else [one for one in makers.get(name, ()) if one.is_theirs and one.at < asked_at]
        seen.add(name)
        for step in [*own, *_source(name, reader, makers)]:
            if step.at not in found:
                found.add(step.at)
                waiting += [(taken, step.at) for taken in step.takes]
    return found


def _source(name: str, reader: int, makers: dict[str, list[_Step]]) -> Iterator[_Step]:
    """The last step before the reader that makes this name, or else the first after it; none if there is none."""
    if places := makers.get(name):
        yield places[max(bisect_left(places, reader, key=attrgetter("at")) - 1, 0)]


def _with_own(needed: set[int], steps: list[_Step], makers: dict[str, list[_Step]]) -> set[int]:
    """These positions, and the student's own cells whose sources are among them. What no cell makes is missing anyway,
    and shows when the cell runs."""
    whole = set(needed)
    for step in steps:
        sources = {source.at for name in step.takes for source in _source(name, step.at, makers)}
        if step.is_theirs and not step.is_payoff and whole.issuperset(sources):
            whole.add(step.at)
    return whole
