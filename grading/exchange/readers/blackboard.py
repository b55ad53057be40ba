"""Blackboard, "Download Assignment Files": `gradebook_COURSE_ASSIGNMENT_mnowak_attempt_2024-09-24-21-26-00_a.ipynb`.

Beside each is a text without a file's name behind the date, which is Blackboard's own. Of several attempts the last
counts; its date is when it was handed in.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath

from grading.exchange.archives import Found
from grading.exchange.clues import Clues, Person
from grading.exchange.filenames import as_id, first_match, most, outside_of_zips

# The first date is Blackboard's: what a student calls the file comes behind it, and may look like all of this again.
NAMED = re.compile(
    r"(?:gradebook_)?(?P<what>.+?)_attempt_(?P<date>\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)(?:_(?P<file>.+)|(?P<own>\.txt))",
    re.IGNORECASE,
)
MOST_WORDS = 4  # of an id with lines below


def recognizes(files: Sequence[Found], known: Sequence[str]) -> float:
    return most(files, lambda parts: first_match(NAMED, parts))


def clues(files: Sequence[Found], known: Sequence[str]) -> dict[PurePosixPath, Clues | None]:
    told: dict[PurePosixPath, Clues | None] = {}
    for file in files:
        if match := first_match(NAMED, outside_of_zips(file.name)):
            place, found = match
            own = PurePosixPath(found["file"] or "", *file.name.parts[place + 1 :])
            clues_ = Clues(
                (_person(found["what"], known),), own, file.name.parts[:place], submitted=_time(found["date"])
            )
            told[file.name] = None if found["own"] else clues_
    return told


def _person(what: str, known: Sequence[str]) -> Person:
    """Course, assignment and id may all have lines below in them, so the id is one of several ends."""
    behind = next((what.rpartition(f"{one}_")[2] for one in known if f"{one}_" in what), "")
    words = (behind or what).split("_")
    ends = tuple("_".join(words[-number:]) for number in range(1, min(MOST_WORDS, len(words)) + 1))
    return Person(ids=ends, alone=as_id(behind or words[-1]), key=what)


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d-%H-%M-%S").astimezone()
    except ValueError:
        return None
