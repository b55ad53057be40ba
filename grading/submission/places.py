"""Which released cell each cell of a submission stands for, whatever has happened to its names."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby

from nbformat import NotebookNode

from grading.submission.names import Names, defined_by, names_of
from grading.submission.parsing import Written
from grading.submission.sameness import essence, essence_of_ours, without_trailing_blanks
from utils.cells import SETUP_ID, grade_id, role

ENOUGH_LINES = 0.5  # share of a question's lines by which it is known again, wherever it stands


def answer_name(cell: NotebookNode) -> str:
    """The name that a released answer cell asks for."""
    names = names_of(cell.source).makes
    return grade_id(cell) if grade_id(cell) in names else min(names, default=grade_id(cell))


class Places:
    """Looks for the released cell that each written one stands for.

    By its nbgrader name or its cell id; unchanged but for layout, by its source; an answer by the name that it makes, a
    quiz by its question. What is still missing then is what stands in its place, between the same neighbours.

    Attributes:
        found: for each written cell the number of the released one, None for the student's own.
    """

    def __init__(self, written: Sequence[Written], released: Sequence[NotebookNode]):
        self._written, self._released = written, released
        self._code = [_Code(cell) for cell in written]
        self.found: list[int | None] = self._by_names()
        self._find_by_source()
        self._find_answers()
        self._find_quizzes()
        self._find_between()

    def defines(self, at: int, name: str) -> bool:
        """Whether the written cell `at` is code that makes this name."""
        return name in self._code[at].defines

    def _by_names(self) -> list[int | None]:
        by_grade_id = {grade_id(cell): number for number, cell in enumerate(self._released) if role(cell)}
        by_id = {cell.id: number for number, cell in enumerate(self._released)}
        found: list[int | None] = []
        for cell in self._written:
            number = by_grade_id.get(cell.grade_id, by_id.get(cell.id))
            ours = None if number is None else self._released[number]
            retyped = ours is not None and not role(ours) and ours.cell_type != cell.type
            found.append(None if retyped else number)
        return found

    def _find_by_source(self) -> None:
        """Unchanged cells whose names are lost, and unchanged copies, which belong to what they are copies of."""
        by_essence: dict[tuple[str, str], list[int]] = {}
        present = set(self.found)
        for number in sorted(range(len(self._released)), key=present.__contains__):  # those not yet found come first
            cell = self._released[number]
            key = cell.cell_type, essence_of_ours(cell.cell_type, cell.source)
            by_essence.setdefault(key, []).append(number)
        for at in self._own():
            cell = self._written[at]
            numbers = by_essence.get((cell.type, essence(cell.type, cell.source)))
            if numbers:
                self.found[at] = numbers.pop(0) if len(numbers) > 1 else numbers[0]

    def _find_answers(self) -> None:
        for number in self._missing("answer"):
            name = answer_name(self._released[number])
            own = [at for at in self._own() if self.defines(at, name)]
            if own and self._may_move(own[-1], number):
                self.found[own[-1]] = number

    def _may_move(self, at: int, number: int) -> bool:
        """Whether a cell works as well where the released one stands: no own cell between makes or takes its names."""
        place = max((at for at, found in enumerate(self.found) if found is not None and found < number), default=-1)
        moved = self._code[at].names
        between = [one.names for one in self._code[min(at, place) + 1 : max(at, place + 1)]]
        if at > place:
            return not any(moved.takes & names.makes for names in between)
        return not any(moved.makes & names.takes for names in between)

    def _find_quizzes(self) -> None:
        """By the question's first line or half of its lines; where it was deleted, by the place of the answer."""
        for number in self._missing("quiz"):
            lines = _lines(self._released[number].source)
            shared = {at: len(lines.keys() & _lines(self._written[at].source).keys()) for at in self._own("markdown")}
            first = next(iter(lines), "")
            known = [at for at in shared if first in _lines(self._written[at].source)]
            known += [at for at, count in shared.items() if count and count >= ENOUGH_LINES * len(lines)]
            near = [at for at in self._between(number) if self._written[at].type != "code"]
            candidates = known or [at for at in near if self._written[at].source.strip()]
            if candidates:
                self.found[max(candidates, key=lambda at: shared.get(at, 0))] = number

    def _between(self, number: int) -> list[int]:
        """The own cells that stand between the neighbours of a missing one."""
        return next((own for own, missing in self._gaps() if number in missing), [])

    def _find_between(self) -> None:
        """Changed cells whose names are lost: where as many own cells stand as are missing, they stand for those."""
        for own, missing in list(self._gaps()):
            for type_ in ("code", "markdown"):
                ours = [number for number in missing if self._may_be_changed(number, type_)]
                theirs = [at for at in own if self._written[at].type == type_]
                if len(ours) == len(theirs):
                    for at, number in zip(theirs, ours, strict=True):
                        self.found[at] = number

    def _may_be_changed(self, number: int, type_: str) -> bool:
        cell = self._released[number]
        return cell.cell_type == type_ and not role(cell) and cell.id != SETUP_ID

    def _gaps(self) -> Iterator[tuple[list[int], range | list[int]]]:
        """Own cells that follow each other, with the missing released ones between the neighbours on both sides."""
        present = set(self.found)
        before = -1
        runs = [list(run) for _, run in groupby(range(len(self.found)), lambda at: self.found[at] is None)]
        for position, run in enumerate(runs):
            last = self.found[run[-1]]
            if last is not None:
                before = last
                continue
            after = self.found[runs[position + 1][0]] if position + 1 < len(runs) else len(self._released)
            yield run, [number for number in range(before + 1, after or 0) if number not in present]

    def _own(self, type_: str = "") -> list[int]:
        cells = zip(self._written, self.found, strict=True)
        return [at for at, (cell, found) in enumerate(cells) if found is None and type_ in ("", cell.type)]

    def _missing(self, role_: str) -> list[int]:
        present = set(self.found)
        return [number for number, cell in enumerate(self._released) if role(cell) == role_ and number not in present]


class _Code:
    """The names of a written cell, read where somebody asks; text has none."""

    def __init__(self, cell: Written):
        self._source = cell.source if cell.type == "code" else ""

    @cached_property
    def names(self) -> Names:
        return names_of(self._source)

    @cached_property
    def defines(self) -> frozenset[str]:
        return defined_by(self._source)


def _lines(text: str) -> dict[str, None]:
    """The lines of a text that say something, in order and without their layout."""
    return dict.fromkeys(line for line in without_trailing_blanks(text).split("\n") if line)
