"""ILIAS: `Nowak_Mei_mnowak_12345/01_convolution.ipynb`: last name, first name, login, ILIAS's own number.

The folders of its multi-feedback archives are called so, and those of downloaded submissions. A file's name may begin
with the time at which it was handed in, as 14 digits; a team's lie in a folder `Team 4711` around that of a member. See
https://github.com/ILIAS-eLearning/ILIAS, class ilExAssignment, sendMultiFeedbackStructureFile.
"""

import itertools
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath

from grading.exchange.archives import Found
from grading.exchange.clues import Clues, Person
from grading.exchange.filenames import as_id, first_match, most, outside_of_zips

FOLDER = re.compile(r"(?P<words>[^_]+_[^_]+(?:_[^_]+)+)_(?P<user>\d+)")
MOST_UMLAUTS = 4
TEAM = re.compile(r"team[ _]?\d+", re.IGNORECASE)
STAMPED = re.compile(r"(?P<time>20\d{12})_(?P<file>.+)")


def recognizes(files: Sequence[Found], known: Sequence[str]) -> float:
    return most(files, lambda parts: first_match(FOLDER, parts[:-1]))


def clues(files: Sequence[Found], known: Sequence[str]) -> dict[PurePosixPath, Clues | None]:
    told: dict[PurePosixPath, Clues | None] = {}
    for file in files:
        if match := first_match(FOLDER, outside_of_zips(file.name)[:-1]):
            place, found = match
            own = file.name.parts[place + 1 :]
            stamped = STAMPED.fullmatch(own[0])
            own = (stamped["file"], *own[1:]) if stamped else own
            when = _time(stamped["time"]) if stamped else None
            above = file.name.parts[:place]
            notes = tuple(_of_a_team(part) for part in above if TEAM.fullmatch(part))
            told[file.name] = Clues((_person(found),), PurePosixPath(*own), above, submitted=when, notes=notes)
    return told


def goes_back(file: PurePosixPath, page: str) -> PurePosixPath | None:
    """Where a page has to stand in the zip for "Upload multi-feedback": in the same folder, in ILIAS's own.

    ILIAS takes the folder whose name begins with multi_feedback, and reads the number at the end of those in it.
    """
    match = first_match(FOLDER, outside_of_zips(file)[:-1])
    return PurePosixPath("multi_feedback", match[1].string, page) if match else None


def _of_a_team(folder: str) -> str:
    return (
        f"It lies in the folder {folder!r}, and ILIAS names who uploaded it: other members of the team are not known."
    )


def _person(found: re.Match) -> Person:
    """Names and logins may have lines below in them too, so each of several splits may be the true one.

    ILIAS writes names in ASCII, so that Mueller may be Müller.
    """
    words = found["words"].split("_")
    logins = tuple("_".join(words[start:]) for start in range(2, len(words)))
    names = tuple(" ".join(words[:end]) for end in range(len(words) - 1, 1, -1))
    names += tuple(variant for name in names for variant in _umlauts(name))
    return Person(ids=logins, names=names, alone=as_id(words[-1]) if len(words) == 3 else "", key=found["user"])


def _umlauts(name: str) -> list[str]:
    """The name with an umlaut, as `letters` compares it, instead of any of its ae, oe and ue."""
    between = re.split("(?<=[aouAOU])e", name)[: MOST_UMLAUTS + 1]
    rest = name[len("e".join(between)) :]
    ways = itertools.product(("e", ""), repeat=len(between) - 1)
    return ["".join(map("".join, zip(between, (*way, rest), strict=True))) for way in ways]


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").astimezone()
    except ValueError:
        return None
