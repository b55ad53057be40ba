"""CSV files of our own making: a plain one, and those that the imports of Canvas and Moodle read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # nbgrader takes a second to import, and a command that exports nothing should not wait for it
    from grading.exchange.people import Student
    from grading.gradebook.book import Score
    from grading.gradebook.columns import Column

FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")


class Kind(StrEnum):
    PLAIN = "plain"
    CANVAS = "canvas"
    MOODLE = "moodle"


@dataclass(frozen=True)
class Row:
    """A student as the roster knows them, and {assignment: score}."""

    student: Student
    scores: Mapping[str, Score]

    @property
    def is_graded(self) -> bool:
        return any(score.points is not None for score in self.scores.values())

    @property
    def person(self) -> Score:
        """Any of the scores: names and address of the gradebook are the same in all."""
        return next(iter(self.scores.values()))


@dataclass(frozen=True)
class Sheet:
    """All that a file may hold: a row for each student, and the columns of `assignments`."""

    rows: Sequence[Row]
    columns: Sequence[Column]
    assignments: Sequence[str]


def as_csv(sheet: Sheet, kind: Kind) -> str:
    """The file as text."""
    stream = io.StringIO(newline="")
    table = _LAYOUTS[kind](sheet)
    csv.writer(stream, lineterminator="\n").writerows([harmless(value) for value in row] for row in table)
    return stream.getvalue()


def harmless(value: str) -> str:
    """The value with an apostrophe before what a spreadsheet would compute; numbers and a lone dash stay.

    See OWASP, "CSV Injection": a cell that begins with = + - @, a tab or a line break can be a formula.
    """
    if value.strip() == "-" or re.fullmatch(r"[+-]?\d+(\.\d+)?", value):
        return value
    return "'" + value if FORMULA.match(value) else value


def number(points: float | None) -> str:
    """Points as platforms read them: 7.5, and not 7.500000."""
    return "" if points is None else f"{points:.6f}".rstrip("0").rstrip(".")


def _plain(sheet: Sheet) -> list[list[str]]:
    """Who they are; for each assignment the score and what belongs to it; then the exercises."""
    several = len(sheet.assignments) > 1
    header = ["student", "last_name", "first_name", "email", "lms_user_id"]
    totals = {column.assignment: column for column in sheet.columns if not column.exercise}
    exercises = [column for column in sheet.columns if column.exercise]
    for name in sheet.assignments:
        about = ["max_score", "late_penalty", "submitted", "needs_manual_grade"]
        header += [totals[name].header or name, *(f"{name} {what}" if several else what for what in about)]
    header += [column.header or column.names[0 if several else 1] for column in exercises]
    table = [header]
    for row in sheet.rows:
        person = row.person
        line = [row.student.school_id, person.last_name, person.first_name, person.email, person.lms_user_id]
        for name in sheet.assignments:
            line += _score(row.scores.get(name))
        table.append(line + [number(column.points.get(row.student.id)) for column in exercises])
    return table


def _score(score: Score | None) -> list[str]:
    if score is None:
        return [""] * 5
    numbers = [number(one) for one in (score.points, score.max_points, score.late_penalty)]
    return [*numbers, _local(score.timestamp), "yes" if score.needs_manual_grade else ""]


def _local(timestamp: str) -> str:
    """A time in UTC as local time with its offset: ISO 8601, which spreadsheets and programs read."""
    if not timestamp:
        return ""
    return datetime.fromisoformat(timestamp).replace(tzinfo=UTC).astimezone().isoformat(" ", "seconds")


def _canvas(sheet: Sheet) -> list[list[str]]:
    """The columns of Canvas's own export; its second row holds the points that are possible."""
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *_headers(sheet)]
    possible = [number(column.possible) for column in sheet.columns]
    table = [header, ["    Points Possible", "", "", "", "", *possible]]
    for row in sheet.rows:
        known = row.student.known_as
        name = f"{row.person.last_name}, {row.person.first_name}".strip(", ")
        canvas_id = known.get("canvas_id", "")
        login = known.get("sis_login") or known.get("login") or row.student.school_id
        login = "" if login == canvas_id else login
        table.append([name, canvas_id, known.get("sis_id", ""), login, "", *_points(sheet, row)])
    return table


def _moodle(sheet: Sheet) -> list[list[str]]:
    """Columns that Moodle's import of grades maps to people by username, id number or email address."""
    table = [["Username", "ID number", "First name", "Last name", "Email address", *_headers(sheet)]]
    for row in sheet.rows:
        person, known = row.person, row.student.known_as
        ids = [known.get("login") or row.student.school_id, known.get("id_number", "")]
        table.append([*ids, person.first_name, person.last_name, person.email, *_points(sheet, row)])
    return table


def _headers(sheet: Sheet) -> list[str]:
    return [column.header or column.names[0] for column in sheet.columns]


def _points(sheet: Sheet, row: Row) -> list[str]:
    return [number(column.points.get(row.student.id)) for column in sheet.columns]


_LAYOUTS = {Kind.PLAIN: _plain, Kind.CANVAS: _canvas, Kind.MOODLE: _moodle}
