"""The gradebook as a CSV file: a plain one, or one that Canvas or Moodle imports."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from grading.exchange.roster import LOOKS_LIKE_AN_ID, fold, letters
from grading.problems import GradingError
from utils.files import write_whole

if TYPE_CHECKING:  # nbgrader takes a second to import, and a command that exports nothing should not wait for it
    from grading.gradebook.book import Book, Score

FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")


class Kind(StrEnum):
    PLAIN = "plain"
    CANVAS = "canvas"
    MOODLE = "moodle"


@dataclass
class Exported:
    """What an export came to: scores written, whom it left out, and whose score waits for a person to grade a quiz."""

    path: Path
    written: int = 0
    not_in_template: list[str] = field(default_factory=list)
    not_final: list[str] = field(default_factory=list)


def export(
    book: Book,
    assignment: str,
    path: Path,
    kind: Kind = Kind.PLAIN,
    template: Path | None = None,
    column: str = "",
    known_as: Mapping[str, Iterable[str]] = MappingProxyType({}),
) -> Exported:
    """Write the scores of one assignment, late penalties taken off, to a CSV file.

    Args:
        book: the class's gradebook.
        assignment: which one.
        path: where to; replaced as a whole.
        kind: whose import reads it. With a template it does not matter.
        template: a CSV that Canvas or Moodle exported, with a row for each student. It comes back with the scores
            filled in. A row is a student's if one of its ids is that student's id, email or lms_user_id.
        column: the header that the scores belong under, if it is not that of the assignment's name.
        known_as: further ids of students, such as the keys of a `grading.exchange.roster.Student`.

    Raises GradingError if the assignment is not in the gradebook, or the template has no column that identifies
    people, or no column for the scores.
    """
    scores = book.scores(assignment)
    graded = [score for score in scores if score.points is not None]
    done = Exported(path, not_final=[score.student for score in graded if score.needs_manual_grade])
    if template:
        sheet = _Sheet.read(template)
        found = sheet.fill(graded, sheet.column_of(column or assignment), known_as)
        done.not_in_template = [score.student for score in graded if score.student not in found]
        done.written = len(found)
    else:
        sheet = _Sheet(_TABLES[kind](scores, column or assignment))
        done.written = len(graded)
    write_whole(path, sheet.text())
    return done


def harmless(value: str) -> str:
    """The value with an apostrophe before what a spreadsheet would compute; numbers and a lone dash stay.

    See OWASP, "CSV Injection": a cell that begins with = + - @, a tab or a line break can be a formula.
    """
    if value.strip() == "-" or re.fullmatch(r"[+-]?\d+(\.\d+)?", value):
        return value
    return "'" + value if FORMULA.match(value) else value


def _number(points: float | None) -> str:
    return "" if points is None else f"{points:.6f}".rstrip("0").rstrip(".")


def _plain(scores: Sequence[Score], column: str) -> list[list[str]]:
    header = ["student", "last_name", "first_name", "email", "lms_user_id", column, "max_score", "late_penalty"]
    rows = [
        [one.student, one.last_name, one.first_name, one.email, one.lms_user_id]
        + [_number(one.points), _number(one.max_points), _number(one.late_penalty), one.timestamp]
        + ["yes" if one.needs_manual_grade else ""]
        for one in scores
    ]
    return [header + ["submitted", "needs_manual_grade"], *rows]


def _canvas(scores: Sequence[Score], column: str) -> list[list[str]]:
    """The columns of Canvas's own export; its second row holds the points that are possible."""
    possible = _number(scores[0].max_points) if scores else ""
    rows = [
        [f"{one.last_name}, {one.first_name}".strip(", "), one.lms_user_id, "", one.student, "", _number(one.points)]
        for one in scores
    ]
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", column]
    return [header, ["    Points Possible", "", "", "", "", possible], *rows]


def _moodle(scores: Sequence[Score], column: str) -> list[list[str]]:
    """Columns that Moodle's import of grades maps to people by username, id number or email address."""
    rows = [
        [one.student, one.lms_user_id, one.first_name, one.last_name, one.email, _number(one.points)] for one in scores
    ]
    return [["Username", "ID number", "First name", "Last name", "Email address", column], *rows]


_TABLES = {Kind.PLAIN: _plain, Kind.CANVAS: _canvas, Kind.MOODLE: _moodle}


@dataclass
class _Sheet:
    """The rows of a CSV file, the header first."""

    rows: list[list[str]]
    delimiter: str = ","
    name: str = ""

    @classmethod
    def read(cls, path: Path) -> _Sheet:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise GradingError(f"{path} cannot be read as UTF-8 text: {error}") from error
        header = text.split("\n", 1)[0]
        delimiter = max(",;\t", key=header.count)
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
        if not rows or not any(map(_identifies, rows[0])):
            raise GradingError(
                f"{path} has no column that tells who a row belongs to. Give the CSV that Canvas or Moodle exported, "
                "with its first line. Such a column is called ID, SIS Login ID, Username, Email address or the like."
            )
        width = max(map(len, rows))
        return cls([row + [""] * (width - len(row)) for row in rows], delimiter, str(path))

    def column_of(self, wanted: str) -> int:
        """Place of the column with this header. Canvas puts its own number behind it, Moodle's worksheet says Grade."""
        titles = [fold(re.sub(r"\s*\(\d+\)\s*$", "", title)) for title in self.rows[0]]
        if titles.count(fold(wanted)) == 1:
            return titles.index(fold(wanted))
        if "identifier" in titles and titles.count("grade") == 1:
            return titles.index("grade")
        known = ", ".join(title for title in self.rows[0] if not _identifies(title))
        raise GradingError(f"{self.name} has no column {wanted!r}, or several. Name one of these: {known}.")

    def fill(self, scores: Sequence[Score], column: int, known_as: Mapping[str, Iterable[str]]) -> set[str]:
        """Write each score into its row; who has one. Rows of nobody, or of several people, stay as they are."""
        places = [place for place, title in enumerate(self.rows[0]) if _identifies(title)]
        owners: dict[str, set[str]] = {}
        for score in scores:
            ids = [score.student, score.email, score.lms_user_id, *known_as.get(score.student, ())]
            for identity in filter(None, map(fold, ids)):
                owners.setdefault(identity, set()).add(score.student)
        points = {score.student: _number(score.points) for score in scores}
        found = set()
        for row in self.rows[1:]:
            who = set().union(*(owners.get(_identity(row[place]), set()) for place in places))
            if len(who) == 1:
                (student,) = who
                row[column] = points[student]
                found.add(student)
        return found

    def text(self) -> str:
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, delimiter=self.delimiter, lineterminator="\n")
        writer.writerows([harmless(value) for value in row] for row in self.rows)
        return stream.getvalue()


def _identifies(title: str) -> bool:
    """Whether a column tells who a row belongs to. Names do not: two people can share one."""
    return bool(LOOKS_LIKE_AN_ID.search(letters(title))) or letters(title) == "identifier"


def _identity(text: str) -> str:
    """An id as it can stand in the gradebook. Moodle's worksheet writes "Participant 12" for 12."""
    return fold(text).removeprefix("participant ")
