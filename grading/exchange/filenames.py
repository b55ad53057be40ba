"""What the name of a file says: who handed it in, for which assignment, and which of several versions it is.

Known are the exports of Canvas and Moodle, nbgrader's folders, a folder or a zip for each student, and a student's id
in the file's name.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from grading.classroom import STUDENT
from grading.exchange.roster import letters

# doejane_LATE_12345_678910_01_convolution-1.ipynb: name, user's id, attachment's id, and a number for each further try
CANVAS = re.compile(r"(?P<name>[^_]+(?:_[^_\d][^_]*)*?)_(?P<late>LATE_)?(?P<user>\d+)_(?P<file_id>\d+)_.+")

# Jane Doe_123456_assignsubmission_file_/01_convolution.ipynb, or the same with the file's name at the end
MOODLE = re.compile(r"(?P<name>.+?)_(?P<user>\d+)_assignsubmission_file(?:_(?P<file>.*))?")

CANVAS_TRY = re.compile(r"-(\d{1,4})$")
BROWSER_COPY = re.compile(r"\s*\((\d{1,4})\)$")


@dataclass(frozen=True)
class Clues:
    """What a name says. `names` are ids or names of a person, the most trustworthy first; a platform gives one, and its
    own `number`. `alone` is the student's id without a roster, "" if that is not clear.

    `version` is larger for a newer version of the same file, as far as the name tells.
    """

    names: tuple[str, ...]
    number: str = ""
    alone: str = ""
    late: bool = False
    version: tuple[int, ...] = ()


def assignment_in(name: PurePosixPath, known: Sequence[str]) -> str | None:
    """The assignment whose name stands in the file's name, or else in that of a folder; None if there is none."""
    for part in reversed(name.parts):
        for assignment in known:
            if letters(assignment) in letters(part):
                return assignment
    return None


def clues(name: PurePosixPath, assignment: str) -> Clues:
    """Read the name of a submission of this assignment.

    What lies in a student's zip or folder has names of the student's choice, so the outermost name that says something
    is believed, and nothing in a zip.
    """
    parts = _outside_of_zips(name)
    for part in parts:
        if found := CANVAS.fullmatch(part):
            return _canvas(found, name.stem)
        if found := MOODLE.fullmatch(part):
            return _moodle(found, name.stem)
    return _plain(parts, assignment)


def is_platforms(part: str) -> bool:
    """Whether Canvas or Moodle has given this name to a file or a folder."""
    return bool(CANVAS.fullmatch(part) or MOODLE.fullmatch(part))


def _outside_of_zips(name: PurePosixPath) -> tuple[str, ...]:
    packed = (number for number, part in enumerate(name.parts, 1) if part.lower().endswith(".zip"))
    return name.parts[: next(packed, None)]


def _canvas(found: re.Match, stem: str) -> Clues:
    alone = _id(f"{_ascii(found['name'], '')}_{found['user']}") or _id(found["user"])
    version = (int(found["file_id"]), _number(CANVAS_TRY, stem))
    return Clues((found["name"],), found["user"], alone, bool(found["late"]), version)


def _moodle(found: re.Match, stem: str) -> Clues:
    """Moodle's number is another one for each assignment, so it cannot be the student's id."""
    version = (_number(BROWSER_COPY, stem),)
    return Clues((found["name"],), found["user"], _id(_ascii(found["name"], ".")), version=version)


def _plain(parts: tuple[str, ...], assignment: str) -> Clues:
    """nbgrader's folder above that of the assignment; else the folders outside, and what the file is called."""
    *folders, last = parts
    stem = PurePosixPath(last).stem
    version = (_number(BROWSER_COPY, stem),)
    if assignment in folders[1:]:
        student = folders[folders.index(assignment, 1) - 1]
        return Clues((student,), alone=_id(student), version=version)
    own_name = re.sub(rf"[\s_.-]*{re.escape(assignment)}[\s_.-]*", "", BROWSER_COPY.sub("", stem), flags=re.IGNORECASE)
    said = [folder for folder in folders if folder not in (assignment, "submitted")]
    said += [own_name] if own_name else []
    return Clues(tuple(said), alone=_id(said[0]) if len(said) == 1 else "", version=version)


def _id(text: str) -> str:
    return text if STUDENT.fullmatch(text) else ""


def _ascii(name: str, separator: str) -> str:
    """A name as a student's id, where it has letters that can stand in one."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return separator.join(re.findall("[a-z0-9]+", plain.lower()))


def _number(pattern: re.Pattern, stem: str) -> int:
    found = pattern.search(stem)
    return int(found[1]) if found else 0
