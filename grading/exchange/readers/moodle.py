"""Moodle, "Download all submissions": `Mei Nowak_7000_assignsubmission_file_/01_convolution.ipynb`.

Without folders, the file's name is at the end of the same. The group's name and a hyphen may stand before the
student's; with blind marking, the word for a participant stands instead of the name. The number is that of the
participant in this assignment, which the grading worksheet has too. The dates in the zip are those of the download:
https://github.com/moodle/moodle/blob/main/public/files/classes/local/archive_writer/zip_writer.php gives none.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from grading.exchange.archives import Found
from grading.exchange.clues import Clues, Grouped, Person
from grading.exchange.filenames import first_match, id_of, most, outside_of_zips
from grading.exchange.headers import PARTICIPANT

NAMED = re.compile(r"(?P<name>.+?)_(?P<user>\d+)_assignsubmission_(?P<kind>file|onlinetext)(?:_(?P<file>.*))?")
LOOKS_LIKE_A_GROUP = re.compile(
    r"gr[ou]+pp?[eo]?n?\b|groep|team|class|klasse|section|tutori|lab\b|kurs|\d", re.IGNORECASE
)

BLIND = (
    "Moodle made this export with blind marking, so it names nobody. Give the grading worksheet of the assignment as a "
    "roster, after one with names if you have that, or reveal the identities and download again."
)


def recognizes(files: Sequence[Found], known: Sequence[str]) -> float:
    return most(files, lambda parts: first_match(NAMED, parts))


def clues(files: Sequence[Found], known: Sequence[str]) -> dict[PurePosixPath, Clues | None]:
    matches = {file.name: first_match(NAMED, outside_of_zips(file.name)) for file in files}
    groups = _groups({found["name"] for _, found in filter(None, matches.values())})
    return {name: _clues(name, *match, groups) for name, match in matches.items() if match}


def goes_back(file: PurePosixPath, page: str) -> PurePosixPath | None:
    """Where a page has to stand in the zip for "Upload multiple feedback files in a zip", by the file handed in.

    Moodle reads the number in the folder's name, and takes it among the participants of that assignment alone:
    https://github.com/moodle/moodle/blob/main/public/mod/assign/feedback/file/importziplib.php.
    """
    parts = outside_of_zips(file)
    if not (match := first_match(NAMED, parts)):
        return None
    place, found = match
    is_a_folder = place < len(parts) - 1
    return PurePosixPath(found.string if is_a_folder else f"{found.string[: found.end('kind')]}_", page)


def _groups(names: set[str]) -> Mapping[str, dict[str, str]]:
    """{what stands before a hyphen: {what stands after it: both}}, over all names of the export."""
    groups = defaultdict(dict)
    for whole in names:
        for before, after in _splits(whole):
            groups[before][after] = whole
    return groups


def _splits(name: str) -> list[tuple[str, str]]:
    return [(name[: hyphen.start()], name[hyphen.end() :]) for hyphen in re.finditer("-", name) if name[hyphen.end() :]]


def _clues(name: PurePosixPath, place: int, found: re.Match, groups: Mapping[str, dict[str, str]]) -> Clues:
    own, above = PurePosixPath(found["file"] or "", *name.parts[place + 1 :]), name.parts[:place]
    splits = _splits(found["name"])
    sure = [after for before, after in splits if LOOKS_LIKE_A_GROUP.search(before)]
    if any(PARTICIPANT.fullmatch(f"{one} {found['user']}") for one in (found["name"], *(after for _, after in splits))):
        return Clues((Person(found["user"], "participant", key=found["user"]),), own, above, problem=BLIND)
    person = Person(
        found["user"],
        "participant",
        names=(found["name"], *sure),
        grouped=tuple(
            Grouped(before, after, frozenset(groups[before]), frozenset(groups[before].values()))
            for before, after in splits
            if after not in sure
        ),
        alone=id_of(sure[0] if sure else found["name"]),
        key=found["user"],
    )
    return Clues((person,), own, above)
