"""The list of a class: read as schools and platforms export it, and kept in the class's folder."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from grading.classroom import STUDENT, Classroom
from grading.exchange.folding import fold, identity, letters
from grading.exchange.headers import OWN_ID, PARTICIPANT, is_an_id, is_brightspace, is_canvas, is_known, kinds
from grading.exchange.people import Roster, Student, folder_names
from grading.exchange.tables import Row, Table, read_table
from grading.exchange.updating import Changes, updated
from grading.problems import GradingError
from utils.files import write_whole

__all__ = ["Changes", "Roster", "Student", "fold", "keep", "kept", "letters", "read_roster", "read_rosters"]

SHORTENED_BY_EXCEL = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)
MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
LOGINS = ("login", "sis_login")
TEST_STUDENT = {"studenttest", "teststudent"}  # Canvas adds one to every course


def read_roster(path: Path) -> Roster:
    """Read a CSV file with a line that names its columns: any usual separator and encoding, see `tables.read_table`.

    One column must hold the id of a student (id, student id, username, login, e-mail, …, in the languages of
    `grading.exchange.headers`); of several, the first of `OWN_ID` that is not empty in all rows. First name, last name
    or a full name, e-mail and the ids of a learning platform help to find students in the names of files. Rows without
    an id are skipped, as platforms put totals there; `Roster.notes` names the people among them.

    Raises GradingError if it cannot be read, has no id column or nobody with an id, or has an id twice or one that
    Excel has cut short.
    """
    table = read_table(path, is_known)
    columns = _columns(table)
    rows = [row for row in table.rows.values() if not (is_canvas(table.headers) and _is_no_student(row, columns))]
    kind, notes = _own_kind(table, columns, rows)
    if is_brightspace(table.headers):
        rows = [replace(row, values=tuple(value.removeprefix("#") for value in row.values)) for row in rows]
    people = [_student(row, columns, kind) for row in rows]
    students = [student for student in people if student.school_id]
    without = [student.name for student in people if not student.school_id and student.name]
    _refuse_bad_ids([(student.school_id, row.start) for student, row in zip(people, rows, strict=True)], table)
    folders = folder_names(student.school_id for student in students)
    notes += [f"{_people(without)} left out: nothing under {_header(table, columns, kind)!r}."] if without else []
    students = [replace(student, id=folders[student.school_id]) for student in students]
    return Roster(tuple(students), tuple(notes), _guesses_names(rows, columns))


def read_rosters(paths: Sequence[Path]) -> Roster:
    """Several lists of one class, such as those of its sections, as one: who is on two of them is one, by the id.

    Raises GradingError as `read_roster` does.
    """
    lists = [read_roster(path) for path in paths]
    people: dict[str, Student] = {}
    for student in (student for one in lists for student in one.students):
        earlier = people.setdefault(identity(student.school_id), student)
        groups = dict.fromkeys(filter(None, (earlier.group, student.group)))
        people[identity(student.school_id)] = replace(earlier, group=", ".join(groups))
    folders = folder_names(student.school_id for student in people.values())
    students = tuple(replace(student, id=folders[student.school_id]) for student in people.values())
    return Roster(students, tuple(note for one in lists for note in one.notes), any(one.guessed for one in lists))


def keep(roster: Roster, classroom: Classroom) -> Changes:
    """Bring what the class's folder knows of its students up to this roster, and say what changed.

    A student keeps the folder's name that they have. Who is not on the new roster stays, marked as gone.

    Raises GradingError if what was kept before is damaged.
    """
    earlier = kept(classroom)
    changes = updated(earlier, roster)
    people = [asdict(student) for student in changes.roster.students]
    write_whole(classroom.roster, json.dumps({"students": people}, indent=1, ensure_ascii=False))
    return changes


def kept(classroom: Classroom) -> Roster | None:
    """The class as `keep` left it; None if no roster was given yet. Raises GradingError if the file is damaged."""
    try:
        people = json.loads(classroom.roster.read_text(encoding="utf-8"))["students"]
        students = tuple(Student(**person | {"former": tuple(person.get("former", ()))}) for person in people)
        if unfit := next((one.id for one in students if not STUDENT.fullmatch(one.id)), None):
            raise ValueError(f"{unfit!r} is no folder's name")
        return Roster(students)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        give = classroom.command("roster", "list.csv")
        raise GradingError(f"{classroom.roster} is damaged ({error}). Delete it, and give it again: {give}") from None


Columns = dict[str, int]  # {kind: place of its column}


def _columns(table: Table) -> Columns:
    """Of several columns of a kind the first that is filled."""
    rows = [row.values for row in table.rows.values()]
    found: Columns = {}
    for place, kind in enumerate(kinds(table.headers, rows)):
        if kind and (kind not in found or not any(row[found[kind]] for row in rows)):
            found[kind] = place
    return found


def _is_no_student(row: Row, columns: Columns) -> bool:
    """In Canvas's own file: rows of possible points and the like, which have no id, and the test student."""
    an_id = row.values[columns["canvas_id" if "canvas_id" in columns else "id"]]
    return not an_id or letters(row.values[columns["full_name"]]) in TEST_STUDENT


def _own_kind(table: Table, columns: Columns, rows: Sequence[Row]) -> tuple[str, list[str]]:
    """The kind of id that is the student's own, and a note if it is not the one that could be expected."""
    candidates = [kind for kind in OWN_ID if kind in columns]
    seen = ", ".join(header for header in table.headers if header) or "none, it is empty"
    if not candidates:
        raise GradingError(
            f"The roster {table.name} has no column for the id of a student. Its columns are: {seen}. "
            "Call one of them `id`, `username`, `student id` or `email`."
        )
    filled = [kind for kind in candidates if any(row.values[columns[kind]] for row in rows)]
    if not filled:
        empty = ", ".join(repr(_header(table, columns, kind)) for kind in candidates)
        raise GradingError(
            f"The roster {table.name} names nobody: no row has anything under {empty}. Its columns are: {seen}."
        )
    if filled[0] == candidates[0]:
        return filled[0], []
    empty, taken = (_header(table, columns, kind) for kind in (candidates[0], filled[0]))
    return filled[0], [f"The column {empty!r} of the roster is empty, so {taken!r} is the id."]


def _header(table: Table, columns: Columns, kind: str) -> str:
    return table.headers[columns[kind]]


def _student(row: Row, columns: Columns, own_kind: str) -> Student:
    """Without the folder's name, which depends on the others. An empty `school_id` where the row has none."""

    def value(kind: str) -> str:
        return row.values[columns[kind]] if kind in columns else ""

    first_name, last_name = _names(value("first_name"), value("last_name"), value("full_name"))
    known_as = {kind: _as_school_writes(value(kind)) for kind in columns if is_an_id(kind) and value(kind)}
    known_as.pop("participant", None)
    if number := next(filter(None, map(PARTICIPANT.fullmatch, row.values)), None):
        known_as["participant"] = number[1]
    own = known_as.get(own_kind, "")
    email = value("email") or next(filter(MAIL.fullmatch, map(value, LOGINS)), "")  # many schools' logins are addresses
    return Student("", own, first_name, last_name, email, value("group"), known_as=known_as)


def _names(first: str, last: str, full: str) -> tuple[str, str]:
    """First and last name. Beside a first name, a column called "Name" may hold the last one alone."""
    if first and not last:
        return first, re.sub(rf"\b{re.escape(first)}\b", "", full).strip(" ,")
    if last:
        return first, last
    last, comma, first = (part.strip() for part in full.partition(","))
    if not comma:
        first, _, last = last.rpartition(" ")
    return first, last


def _guesses_names(rows: Sequence[Row], columns: Columns) -> bool:
    if "full_name" not in columns or not {"first_name", "last_name"}.isdisjoint(columns):
        return False
    return not any("," in row.values[columns["full_name"]] for row in rows)


def _as_school_writes(an_id: str) -> str:
    """Excel makes 12345.0 of 12345."""
    return identity(an_id) if re.fullmatch(r"\d+[.,]0", an_id) else an_id


def _refuse_bad_ids(ids: Sequence[tuple[str, int]], table: Table) -> None:
    """`ids` are (id, place in the text)."""
    for school_id, start in ids:
        if SHORTENED_BY_EXCEL.fullmatch(school_id):
            raise GradingError(
                f"The roster {table.name} has the id {school_id} in line {table.line(start)}: Excel has cut a long "
                "number short. Export the roster again and do not save it with Excel, or format that column as text."
            )
    counts = Counter(identity(school_id) for school_id, _ in ids if school_id)
    if twice := next((one for one in ids if counts[identity(one[0])] > 1), None):
        raise GradingError(
            f"The roster {table.name} has the id {twice[0]} twice, first in line {table.line(twice[1])}."
        )


def _people(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"
