"""Canvas, "Download Submissions": a flat zip of `nowakmei_LATE_1002_50002_01_convolution-1.ipynb`.

The parts are the sortable name (or the group's), the user's number, and the attachment's; see Canvas's own
https://github.com/instructure/canvas-lms/blob/master/lib/content_zipper.rb. The dates in the zip are those of the
download, so they are not read.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from grading.exchange.archives import Found
from grading.exchange.clues import Clues, Person
from grading.exchange.filenames import as_id, first_match, id_of, most, outside_of_zips

NAMED = re.compile(
    r"(?P<name>[^_]+(?:_[^_\d][^_]*)*?)_(?P<late>LATE_)?(?P<user>\d+)_(?P<attachment>[1-9]\d*)_(?P<file>.+)"
)
ANONYMOUS = re.compile(r"(?P<late>LATE_)?anon_[^_]+_\d+_(?P<file>.+)", re.IGNORECASE)
TRY = re.compile(r"-(\d{1,4})(?=\.\w+$|$)")
A_DATE = re.compile(r"20\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])")

SWITCH_OFF = (
    "Canvas made this export with anonymous grading, so it names nobody. Switch that off in the settings of the "
    "assignment (or show the students' names in SpeedGrader), and download the submissions again."
)


def recognizes(files: Sequence[Found], known: Sequence[str]) -> float:
    return most(files, lambda parts: _match(parts, known))


def clues(files: Sequence[Found], known: Sequence[str]) -> dict[PurePosixPath, Clues | None]:
    told: dict[PurePosixPath, Clues | None] = {}
    for file in files:
        if match := _match(outside_of_zips(file.name), known):
            told[file.name] = _clues(file.name, *match)
    return told


def goes_back(file: PurePosixPath, page: str) -> PurePosixPath | None:
    """What a page has to be called in the zip for "Re-upload Submissions", by the file handed in.

    Canvas reads the numbers of the user and of the attachment, makes a comment of the page, and calls it there as the
    attachment was called, ending and all: https://github.com/instructure/canvas-lms/issues/2406.
    """
    found = NAMED.fullmatch(outside_of_zips(file)[-1])
    return PurePosixPath(found.string[: found.start("file")] + page) if found else None


def _match(parts: tuple[str, ...], known: Sequence[str]) -> tuple[int, re.Match] | None:
    anonymous = first_match(ANONYMOUS, parts[-1:])
    found = anonymous or first_match(NAMED, parts[-1:])
    if found and (anonymous or _is_canvas(found[1], known)):
        return len(parts) - 1, found[1]
    return None


def _is_canvas(found: re.Match, known: Sequence[str]) -> bool:
    """Not `s0001_2_11_tiny_transformer.ipynb` nor `s0001_20240924_101530_…`, which are a school's own names."""
    if any(found.string[found.start("attachment") :].startswith(assignment) for assignment in known):
        return False
    a_person = not re.search(r"\d", found["name"]) or min(len(found["user"]), len(found["attachment"])) >= 3
    return a_person and not A_DATE.fullmatch(found["user"])


def _clues(name: PurePosixPath, place: int, found: re.Match) -> Clues:
    own = PurePosixPath(TRY.sub("", found["file"]))
    if found.re is ANONYMOUS:
        return Clues((), own, problem=SWITCH_OFF, late=bool(found["late"]))
    tries = TRY.search(found["file"])
    alone = as_id(f"{id_of(found['name'], '')}_{found['user']}") if id_of(found["name"], "") else as_id(found["user"])
    return Clues(
        (Person(found["user"], "canvas_id", names=(found["name"],), alone=alone, key=found["user"]),),
        _inside(name, place, own),
        above=name.parts[:place],
        late=bool(found["late"]),
        version=(int(found["attachment"]), int(tries[1]) if tries else 0),
    )


def _inside(name: PurePosixPath, place: int, own: PurePosixPath) -> PurePosixPath:
    """What the student called it: in a zip of theirs, the path in it."""
    return own.joinpath(*name.parts[place + 1 :])
