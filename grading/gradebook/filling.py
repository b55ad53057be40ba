"""A platform's own CSV file with scores filled in, in its own way to write, and not a byte else changed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grading.exchange.folding import fold, identity, letters
from grading.exchange.headers import GRADE, PARTICIPANT, is_an_id, is_canvas, is_known, kinds
from grading.exchange.people import Roster, Student
from grading.exchange.tables import Table, read_table
from grading.problems import GradingError

# What platforms write around an assignment's name: Canvas its number, Moodle the kind of grade, and so on.
DECORATIONS = (
    re.compile(r"^(assignment|aufgabe|devoir|tarea|compito|opdracht|tarefa)\s*:\s*", re.IGNORECASE),  # Moodle
    re.compile(r"\s*\((real|punkte)\)$", re.IGNORECASE),  # Moodle
    re.compile(r"\s*\(\d+\)$"),  # Canvas
    re.compile(r"\s+points grade(\s*<.*>)?$", re.IGNORECASE),  # Brightspace
    re.compile(r"\s*\[[^\]]*\]\s*(\|\s*\d+)?$"),  # Blackboard
    re.compile(r"\s*\([\d.]+ pts\)$"),  # Gradescope's questions, which are numbered: "1.2: conv2d (2.0 pts)"
    re.compile(r"^\d+(\.\d+)*:\s*"),
)
# Where platforms say how many points are possible: in the header, in a column, or in a row that is nobody's (Canvas).
POSSIBLE = re.compile(r"MaxPoints:([\d.,]+)|Total Pts:\s*([\d.,]+)|\(([\d.]+) pts\)", re.IGNORECASE)
POSSIBLE_COLUMNS = frozenset(
    ["maximumgrade", "bestebewertung", "notemaximale", "calificacionmaxima", "valutazionemassima", "maximumcijfer"]
    + ["notamaxima", "maxpoints"]
)
EXCUSED = "EX"  # Canvas's mark for who need not hand in

NAMES = ("first_name", "last_name", "full_name")


@dataclass(frozen=True)
class Filled:
    """A template with scores in it.

    Attributes:
        content: the file.
        written: how many scores.
        found: folders of those who have a row in it.
        excused: folders of those whom it excuses.
    """

    content: bytes
    written: int
    found: set[str]
    excused: set[str]


@dataclass(frozen=True)
class Template:
    """A file to fill in. `kinds` say what each column holds, see `grading.exchange.headers.kinds`."""

    table: Table
    kinds: Sequence[str]

    @classmethod
    def read(cls, path: Path) -> "Template":
        """Raises GradingError if it cannot be read, or no column tells who a row belongs to."""
        table = read_table(path, is_known)
        found = kinds(table.headers, [row.values for row in table.rows.values()])
        if not any(map(is_an_id, found)):
            seen = ", ".join(filter(None, table.headers)) or "none, it is empty"
            raise GradingError(
                f"{path} has no column that tells who a row belongs to. Its columns are: {seen}. Give the CSV that the "
                "platform exported, with its first line. Such a column is called ID, SIS Login ID, Username, Email "
                "address or the like."
            )
        return cls(table, found)

    def find(self, wanted: str) -> int | None:
        """Place of the one column with this header, as platforms decorate it; None if there is none, or several."""
        for title, said in ((fold, fold(wanted)), (_undecorated, fold(wanted)), (_letters, letters(wanted))):
            titles = [title(header) for header in self.table.headers]
            if titles.count(said) == 1:
                return titles.index(said)
        return None

    def column_of(self, wanted: str, alone: bool = True) -> int:
        """Place of the column with this header. Alone it may be the grade's, in Moodle's worksheet of one assignment.

        Raises GradingError if there is none, or several.
        """
        if (found := self.find(wanted)) is not None:
            return found
        grades = [place for place, header in enumerate(self.table.headers) if letters(header) in GRADE]
        if alone and {"participant", "identifier"} & set(self.kinds) and len(grades) == 1:
            return grades[0]
        raise self.no_column(wanted)

    def no_column(self, wanted: str) -> GradingError:
        """That there is no column for it, or several, and which columns there are."""
        others = (header for header, kind in zip(self.table.headers, self.kinds, strict=True) if not is_an_id(kind))
        known = ", ".join(filter(None, others))
        return GradingError(
            f"{self.table.name} has no column {wanted!r}, or several. Say with --column where the scores belong; "
            f"these are there: {known}."
        )

    def possible(self, column: int) -> float | None:
        """How many points the file itself says are possible in that column; None if it does not say."""
        if said := POSSIBLE.search(self.table.headers[column]):
            return _as_number(next(filter(None, said.groups())))
        if is_canvas(self.table.headers):
            nobodys = (row.values for row in self.table.rows.values() if not self._ids(row.values))
            return next((found for values in nobodys if (found := _as_number(values[column])) is not None), None)
        header = letters(self.table.headers[column])
        beside = POSSIBLE_COLUMNS if header in (*GRADE, "totalscore") else {f"{header}maxpoints"}  # Gradescope's
        places = [place for place, one in enumerate(self.table.headers) if letters(one) in beside]
        said = {_as_number(row.values[place]) for row in self.table.rows.values() for place in places}
        return said.pop() if len(said) == 1 else None

    def filled(self, points: Mapping[int, Mapping[str, str]], people: Roster) -> Filled:
        """The file with {column: {folder of a student: points}} written in.

        Rows of nobody, or of several people, stay as they are, and so does a score of who is excused.
        """
        by_kind = _by_kind(people)
        comma = self._has_decimal_commas()
        values, found, excused = {}, set(), set()
        for place, row in self.table.rows.items():
            who = self._who(row.values, by_kind, people)
            student = next(iter(who)) if len(who) == 1 else ""
            for column, own in points.items():
                if student in own:
                    found.add(student)
                    if row.values[column].upper() == EXCUSED:
                        excused.add(student)
                    else:
                        values[place, column] = own[student].replace(".", ",") if comma else own[student]
        return Filled(self.table.filled(values), len(values), found, excused)

    def _ids(self, values: Sequence[str]) -> list[tuple[str, str]]:
        return [(kind, value) for kind, value in zip(self.kinds, values, strict=True) if is_an_id(kind) and value]

    def _who(self, values: Sequence[str], by_kind: Mapping[tuple[str, str], set[str]], people: Roster) -> set[str]:
        """Whose row it may be, by ids of the same kind first, then by any, and last by what may be left of one.

        A number of one system may be another's number for somebody else: there, the names must not disagree.
        """
        ids = self._ids(values)
        numbered = [("participant", found[1]) for _, value in ids if (found := PARTICIPANT.fullmatch(value))]
        ids = [(kind, value) for kind, value in ids if not PARTICIPANT.fullmatch(value)]
        known = set().union(*(by_kind.get((kind, identity(value)), set()) for kind, value in ids + numbered))
        for search in (people.with_exact_id, people.with_id):
            unknown = [value for kind, value in ids if (kind, identity(value)) not in by_kind]
            known |= {who.id for value in unknown for who in search(value) if self._may_be(who, values)}
            if known:
                break
        return known

    def _may_be(self, student: Student, values: Sequence[str]) -> bool:
        """Whether the row has no name, or one that shares a word with the student's."""
        named = [value for kind, value in zip(self.kinds, values, strict=True) if kind in NAMES]
        row, own = (set(map(letters, re.findall(r"[^\W_]+", text))) for text in (" ".join(named), student.name))
        return not row or not own or bool(row & own)

    def _has_decimal_commas(self) -> bool:
        """Whether numbers in columns that are nobody's id have a comma: 21,00."""
        places = [place for place, kind in enumerate(self.kinds) if not kind]
        values = [row.values[place] for row in self.table.rows.values() for place in places]
        commas, points = (sum(bool(re.fullmatch(rf"[+-]?\d+[{sign}]\d+", value)) for value in values) for sign in ",.")
        return commas > points


def _by_kind(people: Roster) -> dict[tuple[str, str], set[str]]:
    """{(kind of id, id): folders of those who are known by it}."""
    found: dict[tuple[str, str], set[str]] = {}
    for student in people.students:
        for kind, an_id in _known_as(student).items():
            found.setdefault((kind, identity(an_id)), set()).add(student.id)
    return found


def _known_as(student: Student) -> dict[str, str]:
    return {"email": student.email, **student.known_as} if student.email else dict(student.known_as)


def _undecorated(header: str) -> str:
    for decoration in DECORATIONS:
        header = decoration.sub("", header.strip())
    return fold(header)


def _letters(header: str) -> str:
    """`01 Convolution (4711)` is 01convolution."""
    return letters(_undecorated(header))


def _as_number(text: str) -> float | None:
    """The number that `10`, `10.00` and `10,00` are; None for what is none."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
