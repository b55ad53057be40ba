"""The gradebook as a CSV file: a plain one, or one that Canvas or Moodle imports."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from grading.exchange.people import Roster, Student
from grading.gradebook.filling import Template
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
    """What an export came to: scores written, whom it left out, and whose score waits for a person to grade a quiz.

    `max_points` are those of the assignment, and `by_hand` those among them that a person gives.
    """

    path: Path
    written: int = 0
    not_in_template: list[str] = field(default_factory=list)
    not_final: list[str] = field(default_factory=list)
    max_points: float = 0.0
    by_hand: float = 0.0


@dataclass(frozen=True)
class _Row:
    """A score, and what the roster knows of whose it is."""

    score: Score
    student: Student


def export(
    book: Book,
    assignment: str,
    path: Path,
    kind: Kind = Kind.PLAIN,
    template: Path | None = None,
    column: str = "",
    roster: Roster | None = None,
    per_exercise: bool = False,
) -> Exported:
    """Write the scores of one assignment, late penalties taken off, to a CSV file.

    Args:
        book: the class's gradebook.
        assignment: which one.
        path: where to; replaced as a whole.
        kind: whose import reads it. With a template it does not matter.
        template: a CSV that a platform exported, with a row for each student. It comes back with the scores filled in
            and nothing else changed. A row is a student's if one of its ids is an id of that student.
        column: the header that the scores belong under, if it is not that of the assignment's name.
        roster: under which ids systems know the students, as `grading.exchange.roster.kept` has it. Without it, only
            the gradebook's ids are known.
        per_exercise: in the plain kind, a column more for each exercise and quiz, without late penalties.

    Raises GradingError if the assignment is not in the gradebook, or the template has no column that identifies
    people, or no column for the scores, or a platform's file is to have a column for each exercise.
    """
    if per_exercise and (template or kind is not Kind.PLAIN):
        raise GradingError("A column for each exercise is in the plain file alone: leave --kind and --template out.")
    scores = book.scores(assignment)
    rows = [_Row(score, _person(score, roster)) for score in scores]
    rows = [row for row in rows if row.score.points is not None or not row.student.gone]
    graded = [row for row in rows if row.score.points is not None]
    done = Exported(path, not_final=[row.student.school_id for row in graded if row.score.needs_manual_grade])
    if scores:
        done.max_points, done.by_hand = scores[0].max_points, scores[0].by_hand
    if template:
        sheet = Template.read(template)
        points = {row.student.id: _number(row.score.points) for row in graded}
        people = Roster(tuple(row.student for row in rows))
        content, found = sheet.filled(points, sheet.column_of(column or assignment), people)
        done.not_in_template = [row.student.school_id for row in graded if row.student.id not in found]
        done.written = len(found)
    else:
        table = _TABLES[kind](rows, column or assignment)
        if per_exercise:
            _add_exercises(table, rows, book.points_by_cell(assignment))
        content, done.written = _as_csv(table), len(graded)
    write_whole(path, content)
    return done


def _person(score: Score, roster: Roster | None) -> Student:
    """The student by the roster; one who is not on it, by the gradebook, where a platform's number may stand."""
    if found := roster.of_folder(score.student) if roster else None:
        in_gradebook = {"canvas_id": score.lms_user_id} if score.lms_user_id else {}
        return replace(found, known_as={**in_gradebook, **found.known_as})
    number = score.lms_user_id
    platforms = {"canvas_id": number, "id_number": number} if number else {}
    return Student(score.student, "", score.first_name, score.last_name, score.email, known_as=platforms)


def harmless(value: str) -> str:
    """The value with an apostrophe before what a spreadsheet would compute; numbers and a lone dash stay.

    See OWASP, "CSV Injection": a cell that begins with = + - @, a tab or a line break can be a formula.
    """
    if value.strip() == "-" or re.fullmatch(r"[+-]?\d+(\.\d+)?", value):
        return value
    return "'" + value if FORMULA.match(value) else value


def _number(points: float | None) -> str:
    return "" if points is None else f"{points:.6f}".rstrip("0").rstrip(".")


def _plain(rows: Sequence[_Row], column: str) -> list[list[str]]:
    header = ["student", "last_name", "first_name", "email", "lms_user_id", column, "max_score", "late_penalty"]
    table = [header + ["submitted", "needs_manual_grade"]]
    for row in rows:
        one = row.score
        numbers = [_number(one.points), _number(one.max_points), _number(one.late_penalty)]
        names = [row.student.school_id, one.last_name, one.first_name, one.email, one.lms_user_id]
        table.append([*names, *numbers, _local(one.timestamp), "yes" if one.needs_manual_grade else ""])
    return table


def _local(timestamp: str) -> str:
    """A time in UTC as local time with its offset: ISO 8601, which spreadsheets and programs read."""
    return (
        datetime.fromisoformat(timestamp).replace(tzinfo=UTC).astimezone().isoformat(" ", "seconds")
        if timestamp
        else ""
    )


def _add_exercises(table: list[list[str]], rows: Sequence[_Row], points: Mapping[str, Mapping[str, float]]) -> None:
    """A column more for each graded cell: by the exercise's name, or by that of the quiz."""
    names = list(dict.fromkeys(name for one in points.values() for name in one))
    table[0] += [name.removeprefix("check_") for name in names]
    for line, row in zip(table[1:], rows, strict=True):
        own = points.get(row.score.student, {})
        line += [_number(own.get(name)) for name in names]


def _canvas(rows: Sequence[_Row], column: str) -> list[list[str]]:
    """The columns of Canvas's own export; its second row holds the points that are possible."""
    possible = _number(rows[0].score.max_points) if rows else ""
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", column]
    table = [header, ["    Points Possible", "", "", "", "", possible]]
    for row in rows:
        one, known = row.score, row.student.known_as
        name = f"{one.last_name}, {one.first_name}".strip(", ")
        canvas_id = known.get("canvas_id", "")
        login = known.get("sis_login") or known.get("login") or row.student.school_id
        login = "" if login == canvas_id else login
        table.append([name, canvas_id, known.get("sis_id", ""), login, "", _number(one.points)])
    return table


def _moodle(rows: Sequence[_Row], column: str) -> list[list[str]]:
    """Columns that Moodle's import of grades maps to people by username, id number or email address."""
    table = [["Username", "ID number", "First name", "Last name", "Email address", column]]
    for row in rows:
        one, known = row.score, row.student.known_as
        ids = [known.get("login") or row.student.school_id, known.get("id_number", "")]
        table.append([*ids, one.first_name, one.last_name, one.email, _number(one.points)])
    return table


_TABLES = {Kind.PLAIN: _plain, Kind.CANVAS: _canvas, Kind.MOODLE: _moodle}


def _as_csv(table: Sequence[Sequence[str]]) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows([harmless(value) for value in row] for row in table)
    return stream.getvalue()
