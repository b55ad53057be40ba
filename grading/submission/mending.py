"""The student's answers in the released notebook, whatever has happened to the cells of their copy.

The released notebook is the authority: its cells, their order, its checks. What a student hands in is looked up for
each of them, and what belongs to none of them is the student's own, and stays where it was.
"""

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from grading.submission.parsing import Written

NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
SETUP_ID = "set-up"  # the cell that only Colab needs; `tools.compose` gives it this name


def mend(written: Sequence[Written], released: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """The released notebook with the student's sources, and notes on what had to be mended.

    Answers and quizzes are found by their nbgrader name, by their cell id, or by what they define; of several copies
    the last one that was filled in counts, and the earlier ones are kept as the student's own. Checks are always the
    released ones. Other released cells may be changed: Colab loses their ids, so a changed one may come back as the
    student's own cell beside the released one. Own cells stand after the released cell that they follow; they get new
    ids (own-1, own-2, …) and no metadata. No cell has outputs.
    """
    slots = [_Slot(cell) for cell in released.cells]
    places = _places(written, slots)
    for number, slot in enumerate(slots):
        slot.found = [at for at, place in enumerate(places) if place == number]
        _choose(slot, written)
    before, after = _own_cells(written, places, slots)
    cells = [*before]
    for slot, own in zip(slots, after, strict=True):
        cells += [slot.mended(written), *own]
    numbered = iter(range(1, len(cells) + 1))
    cells = [cell if isinstance(cell, NotebookNode) else _own(cell, next(numbered)) for cell in cells]
    notebook = NotebookNode(deepcopy({key: value for key, value in released.items() if key != "cells"}), cells=cells)
    return notebook, _notes(written, slots)


@dataclass
class _Slot:
    """A released cell, and the written ones that stand for it: `found`, of which `chosen` counts and `drop` goes."""

    cell: NotebookNode
    found: list[int] = field(default_factory=list)
    chosen: int | None = None
    drop: list[int] = field(default_factory=list)

    @property
    def grade_id(self) -> str:
        return self.cell.metadata.get("nbgrader", {}).get("grade_id", "")

    @property
    def is_check(self) -> bool:
        return bool(self.grade_id) and self.cell.metadata.nbgrader.locked

    @property
    def is_answer(self) -> bool:
        """An answer or a quiz: what the student is asked to write."""
        return bool(self.grade_id) and not self.is_check

    @property
    def is_ours(self) -> bool:
        return self.is_check or self.cell.id == SETUP_ID

    def differs(self, cell: Written) -> bool:
        return cell.source.strip() != self.cell.source.strip()

    def filled(self, cell: Written) -> bool:
        return self.differs(cell) and not _blank(cell)

    def mended(self, written: Sequence[Written]) -> NotebookNode:
        cell = deepcopy(self.cell)
        if self.chosen is not None and not self.is_ours and not _blank(written[self.chosen]):
            cell.source = written[self.chosen].source
        return cell


def _blank(cell: Written) -> bool:
    return not cell.source.strip()


def _places(written: Sequence[Written], slots: list[_Slot]) -> list[int | None]:
    """For each written cell the number of the released one that it stands for, None for the student's own."""
    by_grade_id = {slot.grade_id: number for number, slot in enumerate(slots) if slot.grade_id}
    by_id = {slot.cell.id: number for number, slot in enumerate(slots)}
    places: list[int | None] = []
    for cell in written:
        place = by_grade_id.get(cell.grade_id, by_id.get(cell.id))
        retyped = place is not None and not slots[place].grade_id and slots[place].cell.cell_type != cell.type
        places.append(None if retyped else place)
    _find_by_source(written, slots, places)
    for number, slot in enumerate(slots):
        if slot.is_answer and number not in places:
            own = [at for at, place in enumerate(places) if place is None and _looks_like(written[at], slot)]
            if own:
                places[own[-1]] = number
    return places


def _find_by_source(written: Sequence[Written], slots: list[_Slot], places: list[int | None]) -> None:
    """Unchanged cells whose names are lost, and unchanged copies, which belong to what they are copies of."""
    by_source: dict[tuple[str, str], list[int]] = {}
    for number, slot in sorted(enumerate(slots), key=lambda pair: pair[0] in places):  # those not yet found come first
        by_source.setdefault((slot.cell.cell_type, slot.cell.source.strip()), []).append(number)
    for at, cell in enumerate(written):
        numbers = by_source.get((cell.type, cell.source.strip()))
        if places[at] is None and numbers:
            places[at] = numbers.pop(0) if len(numbers) > 1 else numbers[0]


def _looks_like(cell: Written, slot: _Slot) -> bool:
    """An answer defines the name that the released stub defines; a quiz begins with the released question."""
    if slot.cell.cell_type == "markdown":
        return cell.type == "markdown" and cell.source.strip().split("\n")[0] == slot.cell.source.split("\n")[0]
    stub = re.search(r"^(?:def|class)\s+(\w+)", slot.cell.source, re.MULTILINE)
    name = stub[1] if stub else slot.grade_id
    defines = rf"^(?:(?:async\s+def|def|class)\s+{name}\b|{name}\s*(?::[^=\n]*)?=[^=])"
    return cell.type == "code" and bool(re.search(defines, cell.source, re.MULTILINE))


def _choose(slot: _Slot, written: Sequence[Written]) -> None:
    """Of several copies: of an answer the last one that was filled in, of another cell the first."""
    if slot.found:
        filled = [at for at in slot.found if slot.filled(written[at])]
        slot.chosen = filled[-1] if slot.is_answer and filled else slot.found[0]
        kept = {slot.chosen} if slot.is_check else {slot.chosen, *filled}
        slot.drop = [at for at in slot.found if at not in kept]


def _own_cells(
    written: Sequence[Written], places: list[int | None], slots: list[_Slot]
) -> tuple[list[Written], list[list[Written]]]:
    """The student's own cells before the first released one, and after each of the released ones."""
    before: list[Written] = []
    after: list[list[Written]] = [[] for _ in slots]
    here = before
    for at, (cell, place) in enumerate(zip(written, places, strict=True)):
        if place is not None and slots[place].chosen == at:
            here = after[place]
        elif (place is None or at not in slots[place].drop) and not _blank(cell):
            here.append(cell)
    return before, after


def _own(cell: Written, number: int) -> NotebookNode:
    return NEW[cell.type](cell.source, id=f"own-{number}")


def _notes(written: Sequence[Written], slots: list[_Slot]) -> list[str]:
    """One sentence for each kind of thing that was mended, with the names of the cells; they are ours."""
    graded = [slot for slot in slots if slot.grade_id]
    if not any(slot.found for slot in graded):
        return ["None of the graded cells of this assignment is in the file. Is it another notebook?"]
    mended: dict[str, list[str]] = {}
    for slot in graded:
        for what in _what_was_mended(slot, [written[at] for at in slot.found], written):
            mended.setdefault(what, []).append(f"`{slot.grade_id}`")
    notes = [f"{what}: {', '.join(names)}." for what, names in mended.items()]
    setup = next((slot for slot in slots if slot.cell.id == SETUP_ID and slot.chosen is not None), None)
    if setup and setup.differs(written[setup.chosen]):
        notes.append("The set-up cell at the top was changed. Grading does not run it.")
    return notes


def _what_was_mended(slot: _Slot, found: list[Written], written: Sequence[Written]) -> list[str]:
    if slot.is_check:
        touched = len(found) != 1 or slot.differs(found[0]) or found[0].type != "code"
        return ["Checks were changed, copied or deleted, and the released ones count"] if touched else []
    if not found:
        return ["Cells were deleted and count as not attempted"]
    chosen, what = written[slot.chosen], []
    if len(found) > 1:
        what.append("Of cells that are there more than once, the last one that was filled in counts")
    if _blank(chosen):
        what.append("Cells are empty and count as not attempted")
    if chosen.type != slot.cell.cell_type:
        what.append("Cells were turned into another type, and back again for grading")
    if chosen.grade_id != slot.grade_id:
        what.append("Cells had lost their nbgrader names and were found again")
    return what
