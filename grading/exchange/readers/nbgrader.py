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
OTHER_STEPS = {"source", "release", "autograded", "feedback"}  # of nbgrader's own, beside submitted/


def recognizes(files: Sequence[Found], known: Sequence[str]) -> float:
    return most([file for file in files if not _step(file.name.parts, known)], lambda parts: _student(parts, known))


def clues(files: Sequence[Found], known: Sequence[str]) -> dict[PurePosixPath, Clues | None]:
    times = {file.name.parent: _time(file) for file in files if file.name.name == TIMESTAMP and not file.problem}
    told: dict[PurePosixPath, Clues | None] = {}
    for file in files:
        if step := _step(file.name.parts, known):
            problem = f"It lies in {step}/, which is nbgrader's own. What was handed in lies in submitted/."
            told[file.name] = Clues((), file.name, problem=problem)
        elif student := _student(outside_of_zips(file.name), known):
            person = Person(levels=((student,),), alone=as_id(student))
            is_ours = file.name.name in (TIMESTAMP, "receipt.json")
            told[file.name] = (
                None
                if is_ours
                else Clues((person,), _own(file.name, known), submitted=times.get(file.name.parent), has_own_time=True)
            )
    return told


def _student(parts: Sequence[str], known: Sequence[str]) -> str:
    """The folder above the first that is called like an assignment; "" if there is none."""
    return next(iter(_above(parts, known)[-1:]), "")


def _own(name: PurePosixPath, known: Sequence[str]) -> PurePosixPath:
    return PurePosixPath(*name.parts[len(_above(name.parts, known)) + 1 :])


def _step(parts: Sequence[str], known: Sequence[str]) -> str:
    """Which other folder of nbgrader's a file lies in: above a student, or above the assignment."""
    above = [folder.lower() for folder in _above(parts, known)]
    return next((folder for folder in above[-2:] if folder in OTHER_STEPS and "submitted" not in above[-2:-1]), "")


def _above(parts: Sequence[str], known: Sequence[str]) -> Sequence[str]:
    """The folders above the first that is called like an assignment and lies in another; none if there is no such."""
    folders = parts[:-1]
    return folders[: next((place for place, name in enumerate(folders) if place and name in known), 0)]


def _time(file: Found) -> datetime | None:
    from nbgrader.utils import parse_utc  # takes seconds to import

    with suppress(Unreadable, ValueError, OverflowError):
        return parse_utc(file.read()[:100].decode().strip()).replace(tzinfo=UTC)
    return None
