"""Google Classroom and Drive: `Grete Haddad - Copy of 01_convolution.ipynb`, in any of its usual languages.

Drive's zips do not say when a file was handed in.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from grading.exchange.archives import Found
from grading.exchange.clues import Clues, Person
from grading.exchange.filenames import (
    as_written,
    id_of,
    is_notebook,
    most,
    outside_of_zips,
    stem,
    without_assignment,
)
from grading.exchange.folding import written

HYPHEN = re.compile(r"\s+[-–—_]\s+|_")


def recognizes(files: Sequence[Found], known: Sequence[str]) -> float:
    return most(files, lambda parts: _words(parts, known))


def clues(files: Sequence[Found], known: Sequence[str]) -> dict[PurePosixPath, Clues | None]:
    told: dict[PurePosixPath, Clues | None] = {}
    for file in files:
        parts = outside_of_zips(file.name)
        if name := _words(parts, known):
            levels = ((name, *filter(None, HYPHEN.split(name))),)
            exact = as_written(stem(PurePosixPath(parts[-1])), known)
            person = Person(levels=levels, alone=id_of(name), key=written(exact))
            own = PurePosixPath(parts[-1].partition(" - ")[2], *file.name.parts[len(parts) :])
            told[file.name] = Clues((person,), own, parts[:-1])
    return told


def _words(parts: tuple[str, ...], known: Sequence[str]) -> str:
    """The name in `Name - file`: it has a blank, as an id has none."""
    last = PurePosixPath(parts[-1])
    before, hyphen, _ = stem(last).partition(" - ")
    name = without_assignment(stem(last), known)
    return name if hyphen and " " in before.strip() and " " in name and is_notebook(last) else ""
