"""Which released cell each cell of a submission stands for, whatever has happened to its names."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby

from nbformat import NotebookNode

from grading.submission.magics import file_written, text_written
from grading.submission.names import Names, defined_by, files_spread, names_of
from grading.submission.parsing import Written
from grading.submission.sameness import essence, essence_of_ours, without_trailing_blanks
from utils.cells import SETUP_ID, grade_id, role

ENOUGH_LINES = 0.5  # share of a cell's lines by which it is known again


def answer_name(cell: NotebookNode) -> str:
    """The name that a released answer cell asks for."""
    names = names_of(cell.source).makes
    return grade_id(cell) if grade_id(cell) in names else min(names, default=grade_id(cell))


class Places:
    """Looks for the released cell that each written one stands for.

    By its nbgrader name or its cell id; unchanged but for layout, by its source; an answer by the name that it makes, a
    quiz by its question. What is still missing then is what stands between the same neighbours, if it has half of the
    lines, or if as many own cells stand there as are missing.

    Attributes:
        found: for each written cell the number of the released one, None for the student's own.
    """

    def __init__(self, written: Sequence[Written], released: Sequence[NotebookNode]):
        self._written, self._released = written, released
        self._content = [_Content(cell) for cell in written]
        self._files: dict[str, set[str]] = defaultdict(set)  # the names in each file that a cell writes
        for content in self._content:
            if content.file:
                self._files[content.file] |= content.names_in_file
        self.found: list[int | None] = self._by_names()
        self._find_by_source()
        self._find_answers()
        self._find_quizzes()
        self._find_changed_by_lines()
        self._find_changed_by_number()

    def defines(self, at: int, name: str) -> bool:
        """Whether the written cell `at` is code that makes this name, or takes it out of a file of the student's."""
        content = self._content[at]
        return name in content.defines or any(name in self._files.get(file, ()) for file in content.spread)

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
        """Whether a cell works as well where the released one stands: nothing that it passes makes or takes its names.

        What stands between the released one's predecessor and the next released cell comes before it anyway.
        """
        moved = self._content[at].names
        known = [(found, place) for place, found in enumerate(self.found) if found is not None]
        _, before = max((pair for pair in known if pair[0] < number), default=(-1, -1))
        if at < before:
            return not any(moved.makes & one.names.takes for one in self._content[at + 1 : before + 1])
        after = min((place for found, place in known if found > number and place > before), default=at)
        return not any(moved.takes & one.names.makes for one in self._content[after:at])

    def _find_quizzes(self) -> None:
        """By the question's first line or half of its lines; where it was deleted, by the place of the answer."""
        for number in self._missing("quiz"):
            lines = _lines(self._released[number].source)
            first = next(iter(lines), "")
            texts = self._own("markdown")
            known = [at for at in texts if first in self._content[at].lines]
            known += [at for at in texts if self._shares_enough(at, lines)]
            near = [at for at in self._between(number) if self._written[at].type != "code" and self._content[at].lines]
            if candidates := known or near:
                self.found[max(candidates, key=lambda at: self._shared(at, lines))] = number

    def _between(self, number: int) -> list[int]:
        """The own cells that stand between the neighbours of a missing one."""
        return next((own for own, missing in self._gaps() if number in missing), [])

    def _find_changed_by_lines(self) -> None:
        for own, missing in list(self._gaps()):
            for number in (number for number in missing if self._may_be_changed(number)):
                lines = _lines(self._released[number].source)
                same = [at for at in self._of_type(own, number) if self._shares_enough(at, lines)]
                if same:
                    self.found[max(same, key=lambda at: self._shared(at, lines))] = number

    def _find_changed_by_number(self) -> None:
        for own, missing in list(self._gaps()):
            for type_ in ("code", "markdown"):
                ours = [number for number in missing if self._may_be_changed(number, type_)]
                theirs = [at for at in own if self._written[at].type == type_]
                if len(ours) == len(theirs):
                    for at, number in zip(theirs, ours, strict=True):
                        self.found[at] = number

    def _of_type(self, own: list[int], number: int) -> list[int]:
        type_ = self._released[number].cell_type
        return [at for at in own if self.found[at] is None and self._written[at].type == type_]

    def _may_be_changed(self, number: int, type_: str = "") -> bool:
        cell = self._released[number]
        return type_ in ("", cell.cell_type) and not role(cell) and cell.id != SETUP_ID

    def _shared(self, at: int, lines: dict[str, None]) -> int:
        return len(lines.keys() & self._content[at].lines.keys())

    def _shares_enough(self, at: int, lines: dict[str, None]) -> bool:
        return bool(lines) and self._shared(at, lines) >= ENOUGH_LINES * len(lines)

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


class _Content:
    """What a written cell says, read where somebody asks. Text has no names."""

    def __init__(self, cell: Written):
        self._source, self._code = cell.source, cell.source if cell.type == "code" else ""

    @cached_property
    def names(self) -> Names:
        return names_of(self._code)

    @cached_property
    def defines(self) -> frozenset[str]:
        return defined_by(self._code)

    @cached_property
    def spread(self) -> set[str]:
        return files_spread(self._code)

    @property
    def file(self) -> str:
        return file_written(self._code)

    @property
    def names_in_file(self) -> frozenset[str]:
        return defined_by(text_written(self._code))

    @cached_property
    def lines(self) -> dict[str, None]:
        return _lines(self._source)


def _lines(text: str) -> dict[str, None]:
    """The lines of a text that say something, in order and without their layout."""
    return dict.fromkeys(line for line in without_trailing_blanks(text).split("\n") if line)
