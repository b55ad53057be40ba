"""The list of a class: a CSV file as schools and learning platforms export it."""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from grading.classroom import STUDENT
from grading.problems import GradingError

# Headers are compared without case, spaces and signs. The first of these that is there gives the student's id.
ID = ("studentid", "id", "username", "sisloginid", "loginid", "login", "idnumber", "sisuserid", "userid", "email")
FIRST_NAME = ("firstname", "givenname")
LAST_NAME = ("lastname", "surname", "familyname")
FULL_NAME = ("fullname", "name", "student")
EMAIL = ("email", "emailaddress", "mail")
LOOKS_LIKE_AN_ID = re.compile("id$|login|username|number|email|^mail")


@dataclass(frozen=True)
class Student:
    """`keys` are all the ids under which any system may know the student, folded by `fold`."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    keys: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def names(self) -> set[str]:
        """The name in both orders, as file names have it: letters and digits only."""
        orders = (self.first_name + self.last_name, self.last_name + self.first_name)
        return {letters(name) for name in orders} - {""}


@dataclass(frozen=True)
class Roster:
    students: tuple[Student, ...]

    def with_id(self, an_id: str) -> list[Student]:
        """Whoever any system knows under this id; more than one if two systems give the same."""
        return self._by_id.get(fold(an_id), [])

    def with_name(self, name: str) -> list[Student]:
        return self._by_name.get(letters(name), [])

    @cached_property
    def _by_id(self) -> dict[str, list[Student]]:
        return _index((key, student) for student in self.students for key in student.keys)

    @cached_property
    def _by_name(self) -> dict[str, list[Student]]:
        return _index((name, student) for student in self.students for name in student.names)


def _index(pairs: Iterable[tuple[str, Student]]) -> dict[str, list[Student]]:
    index: dict[str, list[Student]] = {}
    for key, student in pairs:
        index.setdefault(key, []).append(student)
    return index


def fold(text: str) -> str:
    """Text as it is compared: without case, and the same however accents are written."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def letters(text: str) -> str:
    """Letters and digits of a name, without accents and case: `O'Neill, Zoë` is oneillzoe."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKD", fold(text)), flags=re.UNICODE)


def read_roster(path: Path) -> Roster:
    """Read a CSV file, separated by commas, semicolons or tabs, whose first line names the columns.

    One column must hold the id of a student (id, student id, username, login, …); first name, last name or a full name,
    e-mail and the ids of a learning platform help to find students in the names of files. Rows without an id are
    skipped, as platforms put totals there.

    Raises GradingError if it cannot be read, has no id column, or has an id that is not one or is there twice.
    """
    try:
        text = _decode(path.read_bytes())
    except OSError as error:
        raise GradingError(f"The roster {path} cannot be read: {error.strerror}.") from error
    first_line = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first_line.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
    headers = {letters(header): header for header in reversed(rows.fieldnames or []) if header}
    id_column = _first(ID, headers)
    if not id_column:
        raise GradingError(f"The roster {path} has no column for the id of a student. Call one of them `id`.")
    try:
        students = [_student(row, headers, id_column) for row in rows if row[id_column].strip()]
    except csv.Error as error:
        raise GradingError(f"The roster {path} is not a CSV file: {error} (line {rows.line_num}).") from error
    _refuse_bad_ids([student.id for student in students], path)
    return Roster(tuple(students))


def _decode(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")  # what Excel writes in the west


def _first(wanted: tuple[str, ...], headers: dict[str, str]) -> str:
    return next((headers[name] for name in wanted if name in headers), "")


def _student(row: dict[str, str], headers: dict[str, str], id_column: str) -> Student:
    def value(wanted: tuple[str, ...]) -> str:
        return row.get(_first(wanted, headers), "").strip()

    first_name, last_name = value(FIRST_NAME), value(LAST_NAME)
    if not first_name and not last_name:
        last_name, comma, first_name = (part.strip() for part in value(FULL_NAME).partition(","))
        if not comma:
            first_name, _, last_name = last_name.rpartition(" ")
    ids = [row[header].strip() for name, header in headers.items() if LOOKS_LIKE_AN_ID.search(name)]
    ids += re.findall(r"Participant (\d+)", " ".join(row[header] for header in headers.values()))  # Moodle's
    ids += [an_id.split("@")[0] for an_id in ids if "@" in an_id]
    keys = frozenset(fold(an_id) for an_id in [*ids, row[id_column]] if an_id)
    return Student(row[id_column].strip(), first_name, last_name, value(EMAIL), keys)


def _refuse_bad_ids(ids: list[str], path: Path) -> None:
    seen: set[str] = set()
    for an_id in ids:
        if not STUDENT.fullmatch(an_id):
            raise GradingError(
                f"The roster {path} has the id {an_id!r}. An id is a folder's name: letters, digits and . _ @ - only."
            )
        if fold(an_id) in seen:
            raise GradingError(f"The roster {path} has the id {an_id} twice.")
        seen.add(fold(an_id))
