"""nbgrader's own layout: submitted/STUDENT/ASSIGNMENT/…, with the time in a timestamp.txt beside the notebook."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import PurePosixPath

from grading.exchange.archives import Found
from grading.exchange.clues import Clues, Person
from grading.exchange.filenames import as_id, most, outside_of_zips
from grading.submission.parsing import Unreadable

TIMESTAMP = "timestamp.txt"


def recognizes(files: Sequence[Found], known: Sequence[str]) -> bool:
    return most(files, lambda parts: _student(parts, known))


def clues(files: Sequence[Found], known: Sequence[str]) -> dict[PurePosixPath, Clues | None]:
    times = {file.name.parent: _time(file) for file in files if file.name.name == TIMESTAMP and not file.problem}
    told: dict[PurePosixPath, Clues | None] = {}
    for file in files:
        if student := _student(outside_of_zips(file.name), known):
            person = Person(levels=((student,),), alone=as_id(student))
            is_ours = file.name.name in (TIMESTAMP, "receipt.json")
            told[file.name] = (
                None
                if is_ours
                else Clues((person,), file.name, submitted=times.get(file.name.parent), has_own_time=True)
            )
    return told


def _student(parts: Sequence[str], known: Sequence[str]) -> str:
    """The folder above the first that is called like an assignment; "" if there is none."""
    folders = parts[:-1]
    return next((folders[place - 1] for place, name in enumerate(folders) if place and name in known), "")


def _time(file: Found) -> datetime | None:
    from nbgrader.utils import parse_utc  # takes seconds to import

    with suppress(Unreadable, ValueError, OverflowError):
        return parse_utc(file.read()[:100].decode().strip()).replace(tzinfo=UTC)
    return None
