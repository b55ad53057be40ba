"""Brightspace (D2L): `12346-67890 - Grete Haddad - Sep 25, 2024 1126 AM/01_convolution.ipynb`, a folder an attempt.

The date is when it was handed in, in the language of the course; of several attempts the last counts.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from grading.exchange.archives import Found
from grading.exchange.clues import Clues, Person
from grading.exchange.dates import date_in
from grading.exchange.filenames import first_match, id_of, most, outside_of_zips

NAMED = re.compile(r"(?P<user>\d+)-\d+ ?- (?P<name>.+) - (?P<date>.*(?<!\d)20\d\d(?!\d).*)")


def recognizes(files: Sequence[Found], known: Sequence[str]) -> float:
    return most(files, lambda parts: first_match(NAMED, parts))


def clues(files: Sequence[Found], known: Sequence[str]) -> dict[PurePosixPath, Clues | None]:
    told: dict[PurePosixPath, Clues | None] = {}
    for file in files:
        match = first_match(NAMED, outside_of_zips(file.name))
        if match:
            place, found = match
            person = Person(names=(found["name"],), alone=id_of(found["name"]), key=found["user"])
            own = PurePosixPath(*file.name.parts[place + 1 :])
            told[file.name] = Clues((person,), own, file.name.parts[:place], submitted=date_in(found["date"]))
        elif file.name.name == "index.html":
            told[file.name] = None
    return told


def goes_back(file: PurePosixPath, page: str) -> PurePosixPath | None:
    """Where a page has to stand in the zip for "Add Feedback Files", by the file handed in: in the same folder."""
    match = first_match(NAMED, outside_of_zips(file))
    return PurePosixPath(match[1].string, page) if match else None
