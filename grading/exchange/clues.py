"""What a reader makes of the name of a file: whose it may be, which version it is, and when it came in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Protocol

from grading.exchange.archives import Found


@dataclass(frozen=True)
class Person:
    """Somebody as an export names them. What is given must agree; where a roster says otherwise, nobody is placed.

    Attributes:
        number: by which the platform knows them, where it is no id of the school's. Nobody else's number counts.
        kind: the kind of id that `number` is on a roster, see `grading.exchange.headers.IDS`.
        ids: what can only be an id; all that are found must be of one student.
        names: what can only be the name of a person or a group. The first that is found counts.
        grouped: where a group's name may stand before a person's; it counts if the roster agrees.
        levels: names of folders and files that may be an id or a name, outermost first; the first level that fits
            anybody counts. Each has its reading first, then other ones, which must agree.
        loosely: readings that only resemble what is written; they count where no level fits, and give way to who is
            called so.
        alone: the student's id where there is no roster; "" if that is not clear.
        key: what tells this person from others in the export; "" where that is the level that fits.
    """

    number: str = ""
    kind: str = ""
    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    grouped: tuple["Grouped", ...] = ()
    levels: tuple[tuple[str, ...], ...] = ()
    loosely: tuple[str, ...] = ()
    alone: str = ""
    key: str = ""


@dataclass(frozen=True)
class Grouped:
    """A name that may be a group's and a person's.

    `others` are all names that would be of persons of that group in this export, `wholes` the same as they stand there.
    """

    group: str
    name: str
    others: frozenset[str]
    wholes: frozenset[str]


@dataclass(frozen=True)
class Clues:
    """What is known of a file.

    Attributes:
        people: who handed it in; several if they did it together.
        own: its name as the student chose it, without what the platform put before it.
        above: the folders around what the platform has named; whoever they name must be the same.
        problem: why nobody can be told from the name, and what to do; "" for most.
        late: the platform itself calls it late.
        version: larger for a newer version, in this export and in later ones; () if the export does not tell.
        submitted: when it was handed in, with a zone. None if the export does not say so.
        has_own_time: the time of the file itself can be trusted, as it is that of a file, not of a download.
        notes: what an instructor should know, a sentence each.
    """

    people: tuple[Person, ...]
    own: PurePosixPath
    above: tuple[str, ...] = ()
    problem: str = ""
    late: bool = False
    version: tuple[int, ...] = ()
    submitted: datetime | None = None
    has_own_time: bool = False
    notes: tuple[str, ...] = ()


class Reader(Protocol):
    """One kind of export. A module with these two functions is one; see docs/grading.md, "Another platform".

    If the platform takes feedback back in a zip, there is a third, `goes_back(file, page)`: the path in that zip of a
    page for whoever handed in `file`; None if the file's name does not tell.
    """

    def recognizes(self, files: Sequence[Found], known: Sequence[str]) -> float:
        """Whether these files are such an export, by what cannot be mistaken, or how large a share of them is.

        `known` are the released assignments.
        """
        ...

    def clues(self, files: Sequence[Found], known: Sequence[str]) -> dict[PurePosixPath, Clues | None]:
        """For each file that the platform has named, what its name says; None for the platform's own files.

        What is left out is read as a file in a folder is.
        """
        ...
