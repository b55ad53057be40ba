"""The student's answers in the released notebook, whatever has happened to the cells of their copy.

The released notebook is the authority: its cells, their order, its checks. What a student hands in is looked up for
each of them, and what belongs to none of them is the student's own, and stays where it was.
"""

from collections import defaultdict
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import count

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from grading.submission.parsing import Written
from grading.submission.places import Places, answer_name
from grading.submission.sameness import essence, essence_of_ours
from utils.cells import SETUP_ID, grade_id, role

NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


def repair(written: Sequence[Written], released: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """The released notebook with the student's sources, and notes on what had to be repaired.

    Where a cell differs from the released one in layout at most, it is the released one (see `sameness`): only answers
    keep their text as it was written. Answers and quizzes are found as in `places`; of several copies the last one that
    makes the name counts, else the last one that was filled in, and the earlier ones are kept as the student's own. An
    answer that stands in another cell stays there, and no stub is put back that would take it away again. Checks are
    always the released ones. Other released cells may be changed. Own cells stand after the released cell that they
    follow; they get new ids (own-1, own-2, …) and no metadata. No cell has outputs.
    """
    places = Places(written, released.cells)
    copies: dict[int | None, list[int]] = defaultdict(list)
    for at, number in enumerate(places.found):
        copies[number].append(at)
    slots = [_slot(cell, copies[number], written, places) for number, cell in enumerate(released.cells)]
    slots = _without_stubs(slots, written, places)
    after = _own_cells(written, places.found, slots)
    numbers = count(1)
    cells = [_own(cell, next(numbers)) for cell in after[-1]]
    for place, slot in enumerate(slots):
        cells += [slot.repaired(written), *(_own(cell, next(numbers)) for cell in after[place])]
    notebook = NotebookNode(deepcopy({key: value for key, value in released.items() if key != "cells"}), cells=cells)
    return notebook, _notes(written, slots)


@dataclass(frozen=True)
class _Slot:
    """A released cell, and where in the submission the cells are that stand for it: `copies`, of which `chosen` counts.

    The others of `filled` have something of the student's in them, and are kept as the student's own. `is_elsewhere`:
    the answer is not in this cell, but in another one.
    """

    cell: NotebookNode
    copies: list[int]
    filled: list[int]
    chosen: int | None
    is_elsewhere: bool = False

    def repaired(self, written: Sequence[Written]) -> NotebookNode:
        """The released cell, with the source of the chosen one where that is the student's to write."""
        cell = deepcopy(self.cell)
        if self.is_elsewhere:
            cell.source = f"# {answer_name(cell)} is defined in another cell."
        elif theirs := self.theirs(written):
            cell.source = theirs.source
        return cell

    def theirs(self, written: Sequence[Written]) -> Written | None:
        """The cell whose source goes into the notebook; None where the released one stays."""
        if self.chosen is None or not _is_changeable(self.cell):
            return None
        is_answered = role(self.cell) == "answer" and not _blank(written[self.chosen])
        return written[self.chosen] if is_answered or self.chosen in self.filled else None


def _slot(cell: NotebookNode, copies: list[int], written: Sequence[Written], places: Places) -> _Slot:
    """Of several copies: of an answer the last one that makes its name, or was filled in, of another cell the first."""
    filled = [at for at in copies if _differs(written[at], cell) and not _blank(written[at])]
    answers = [at for at in filled if role(cell) == "answer" and places.defines(at, answer_name(cell))]
    counting = answers or filled
    chosen = counting[-1] if counting and _is_theirs(cell) else next(iter(copies), None)
    return _Slot(cell, copies, [] if role(cell) == "check" else filled, chosen)


def _without_stubs(slots: list[_Slot], written: Sequence[Written], places: Places) -> list[_Slot]:
    """The slots, where an answer that was deleted or emptied is elsewhere if another cell of theirs makes its name."""
    lost = [slot for slot in slots if role(slot.cell) == "answer" and not slot.theirs(written)]
    if not lost:
        return slots
    kept = [at for at, place in enumerate(places.found) if place is None]
    kept += [at for slot in slots if _is_changeable(slot.cell) for at in slot.filled]
    for slot in lost:
        name = answer_name(slot.cell)
        slots[slots.index(slot)] = replace(slot, is_elsewhere=any(places.defines(at, name) for at in kept))
    return slots


def _is_theirs(cell: NotebookNode) -> bool:
    """Whether this is what the student is asked to write."""
    return role(cell) in ("answer", "quiz")


def _is_changeable(cell: NotebookNode) -> bool:
    return role(cell) != "check" and cell.id != SETUP_ID


def _differs(cell: Written, released: NotebookNode) -> bool:
    """Whether something else than the layout was changed."""
    if cell.source == released.source:
        return False
    return essence(released.cell_type, cell.source) != essence_of_ours(released.cell_type, released.source)


def _blank(cell: Written) -> bool:
    return not cell.source.strip()


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
    if not any(slot.copies or slot.is_elsewhere for slot in graded):
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
    if slot.is_elsewhere:
        return ["Answers were found in other cells than their own"]
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
