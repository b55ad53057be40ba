"""The student's answers in the released notebook, whatever has happened to the cells of their copy.

The released notebook is the authority: its cells, their order, its checks. What a student hands in is looked up for
each of them, and what belongs to none of them is the student's own, and stays where it was.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import count

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from grading.submission.parsing import Written
from utils.cells import SETUP_ID, grade_id, role

NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


def repair(written: Sequence[Written], released: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """The released notebook with the student's sources, and notes on what had to be repaired.

    Answers and quizzes are found by their nbgrader name, by their cell id, or by what they define; of several copies
    the last one that was filled in counts, and the earlier ones are kept as the student's own. Checks are always the
    released ones. Other released cells may be changed: Colab loses their ids, so a changed one may come back as the
    student's own cell beside the released one. Own cells stand after the released cell that they follow; they get new
    ids (own-1, own-2, …) and no metadata. No cell has outputs.
    """
    places = _places(written, released.cells)
    copies = [[at for at, place in enumerate(places) if place == number] for number in range(len(released.cells))]
    slots = [_slot(cell, found, written) for cell, found in zip(released.cells, copies, strict=True)]
    after = _own_cells(written, places, slots)
    numbers = count(1)
    cells = [_own(cell, next(numbers)) for cell in after[-1]]
    for place, slot in enumerate(slots):
        cells += [slot.repaired(written), *(_own(cell, next(numbers)) for cell in after[place])]
    notebook = NotebookNode(deepcopy({key: value for key, value in released.items() if key != "cells"}), cells=cells)
    return notebook, _notes(written, slots)


@dataclass(frozen=True)
class _Slot:
    """A released cell, and where in the submission the cells are that stand for it: `copies`, of which `chosen` counts.

    The others of `filled` have something of the student's in them, and are kept as the student's own.
    """

    cell: NotebookNode
    copies: list[int]
    filled: list[int]
    chosen: int | None

    def repaired(self, written: Sequence[Written]) -> NotebookNode:
        """The released cell, with the source of the chosen one where that is the student's to write."""
        cell = deepcopy(self.cell)
        ours = role(cell) == "check" or cell.id == SETUP_ID
        if self.chosen is not None and not ours and not _blank(written[self.chosen]):
            cell.source = written[self.chosen].source
        return cell


def _slot(cell: NotebookNode, copies: list[int], written: Sequence[Written]) -> _Slot:
    """Of several copies: of an answer the last one that was filled in, of another cell the first."""
    filled = [at for at in copies if _differs(written[at], cell) and not _blank(written[at])]
    chosen = filled[-1] if filled and _is_theirs(cell) else next(iter(copies), None)
    return _Slot(cell, copies, [] if role(cell) == "check" else filled, chosen)


def _is_theirs(cell: NotebookNode) -> bool:
    """Whether this is what the student is asked to write."""
    return role(cell) in ("answer", "quiz")


def _differs(cell: Written, released: NotebookNode) -> bool:
    return cell.source.strip() != released.source.strip()


def _blank(cell: Written) -> bool:
    return not cell.source.strip()


def _places(written: Sequence[Written], released: Sequence[NotebookNode]) -> list[int | None]:
    """For each written cell the number of the released one that it stands for, None for the student's own."""
    by_grade_id = {grade_id(cell): number for number, cell in enumerate(released) if role(cell)}
    by_id = {cell.id: number for number, cell in enumerate(released)}
    places: list[int | None] = []
    for cell in written:
        place = by_grade_id.get(cell.grade_id, by_id.get(cell.id))
        retyped = place is not None and not role(released[place]) and released[place].cell_type != cell.type
        places.append(None if retyped else place)
    _find_by_source(written, released, places)
    for number, cell in enumerate(released):
        if _is_theirs(cell) and number not in places:
            own = [at for at, place in enumerate(places) if place is None and _looks_like(written[at], cell)]
            if own:
                places[own[-1]] = number
    return places


def _find_by_source(written: Sequence[Written], released: Sequence[NotebookNode], places: list[int | None]) -> None:
    """Unchanged cells whose names are lost, and unchanged copies, which belong to what they are copies of."""
    by_source: dict[tuple[str, str], list[int]] = {}
    for number in sorted(range(len(released)), key=lambda number: number in places):  # those not yet found come first
        cell = released[number]
        by_source.setdefault((cell.cell_type, cell.source.strip()), []).append(number)
    for at, cell in enumerate(written):
        numbers = by_source.get((cell.type, cell.source.strip()))
        if places[at] is None and numbers:
            places[at] = numbers.pop(0) if len(numbers) > 1 else numbers[0]


def _looks_like(cell: Written, released: NotebookNode) -> bool:
    """An answer defines the name that the released stub defines; a quiz begins with the released question."""
    if released.cell_type == "markdown":
        return cell.type == "markdown" and cell.source.strip().split("\n")[0] == released.source.split("\n")[0]
    stub = re.search(r"^(?:def|class)\s+(\w+)", released.source, re.MULTILINE)
    name = stub[1] if stub else grade_id(released)
    defines = rf"^(?:(?:async\s+def|def|class)\s+{name}\b|{name}\s*(?::[^=\n]*)?=[^=])"
    return cell.type == "code" and bool(re.search(defines, cell.source, re.MULTILINE))


def _own_cells(
    written: Sequence[Written], places: Sequence[int | None], slots: Sequence[_Slot]
) -> dict[int, list[Written]]:
    """The student's own cells, by the number of the released one that they follow; -1 is before all of them."""
    after: dict[int, list[Written]] = defaultdict(list)
    here = -1
    for at, (cell, place) in enumerate(zip(written, places, strict=True)):
        if place is not None and slots[place].chosen == at:
            here = place
        elif (place is None or at in slots[place].filled) and not _blank(cell):
            after[here].append(cell)
    return after


def _own(cell: Written, number: int) -> NotebookNode:
    return NEW[cell.type](cell.source, id=f"own-{number}")


def _notes(written: Sequence[Written], slots: Sequence[_Slot]) -> list[str]:
    """One sentence for each kind of thing that was repaired, with the names of the cells; they are ours."""
    graded = [slot for slot in slots if role(slot.cell)]
    if not any(slot.copies for slot in graded):
        return ["None of the graded cells of this assignment is in the file. Is it another notebook?"]
    repairs: dict[str, list[str]] = {}
    for slot in graded:
        for what in _repairs(slot, written):
            repairs.setdefault(what, []).append(f"`{grade_id(slot.cell)}`")
    notes = [f"{what}: {', '.join(names)}." for what, names in repairs.items()]
    setups = [slot for slot in slots if slot.cell.id == SETUP_ID]
    if any(slot.chosen is not None and _differs(written[slot.chosen], slot.cell) for slot in setups):
        notes.append("The set-up cell at the top was changed. Grading does not run it.")
    return notes


def _repairs(slot: _Slot, written: Sequence[Written]) -> list[str]:
    if role(slot.cell) == "check":
        found = [written[at] for at in slot.copies]
        touched = len(found) != 1 or _differs(found[0], slot.cell) or found[0].type != "code"
        return ["Checks were changed, copied or deleted, and the released ones count"] if touched else []
    if slot.chosen is None:
        return ["Cells were deleted and count as not attempted"]
    chosen, what = written[slot.chosen], []
    if len(slot.copies) > 1:
        what.append("Of cells that are there more than once, the last one that was filled in counts")
    if _blank(chosen):
        what.append("Cells are empty and count as not attempted")
    if chosen.type != slot.cell.cell_type:
        what.append("Cells were turned into another type, and back again for grading")
    if chosen.grade_id != grade_id(slot.cell):
        what.append("Cells had lost their nbgrader names and were found again")
    return what
