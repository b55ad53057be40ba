"""A folder or a zip of files: the student's id or name in the file's name, or a folder or a zip for each student."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import PurePosixPath

from grading.exchange.archives import Found
from grading.exchange.clues import Clues, Person
from grading.exchange.filenames import (
    as_id,
    as_written,
    depth_of_the_class,
    is_notebook,
    is_zip,
    outside_of_zips,
    stem,
    without_assignment,
    work,
)
from grading.exchange.folding import letters

WRAPPERS = {"submitted", "submission", "submissions", "abgabe", "abgaben", "rendus", "entregas", "consegne"}
WRAPPERS |= {"inleveringen", "handedin", "uploads", "downloads", "download", "export"}
OF_THE_COURSE = {"notebooks", "solutions", "release"}

# A school's own `ID_attempt` and `ID_date` in front of or behind the name
NUMBERS_BEHIND = re.compile(r"(?:[_ ]+\d+(?:-\d+)*)+$")
NUMBERS_BEFORE = re.compile(r"^(?:\d+(?:-\d+)*[_ ]+)+")


def recognizes(files: Sequence[Found], known: Sequence[str]) -> bool:
    return True


def clues(files: Sequence[Found], known: Sequence[str]) -> dict[PurePosixPath, Clues | None]:
    paths = {file.name: outside_of_zips(file.name) for file in files}
    wrapper, people = _wrapper(files, known), _among_people(files, known)
    read = cache(lambda parts, notebook: _clues(parts, notebook, wrapper, people, known))  # a zip's files have the same
    return {name: replace(read(parts, is_notebook(name)), own=name) for name, parts in paths.items()}


def _clues(
    parts: tuple[str, ...], notebook: bool, wrapper: str, people: set[tuple[str, ...]], known: Sequence[str]
) -> Clues:
    """Of the files in this zip, or of this file, that are called like notebooks, or are not."""
    *folders, last = parts
    said = [
        folder for depth, folder in enumerate(folders, 1) if parts[:depth] in people or not _says_nothing(folder, known)
    ]
    exact, own = as_written(stem(PurePosixPath(last)), known), without_assignment(stem(PurePosixPath(last)), known)
    numbered = (own, NUMBERS_BEHIND.sub("", own), NUMBERS_BEFORE.sub("", own))
    levels = [(folder, as_written(folder, known)) for folder in said]
    levels += [numbered if own == exact else (exact,)] if own else []
    loosely = [without_assignment(folder, known) for folder in said]
    loosely += numbered if own != exact else ()
    alone = [folder for folder in said if folder != wrapper]
    alone += [exact] if own and (notebook or is_zip(last)) else []
    is_clear = len(alone) == 1 and not (alone[0] == exact and (own != exact or NUMBERS_BEHIND.search(own)))
    person = Person(
        levels=_levels(levels), loosely=tuple(filter(None, loosely)), alone=as_id(alone[0]) if is_clear else ""
    )
    attempts = [found[0] for pattern in (NUMBERS_BEFORE, NUMBERS_BEHIND) if (found := pattern.search(own))]
    version = tuple(map(int, re.findall(r"\d{1,18}", "_".join(attempts))))
    return Clues((person,), PurePosixPath(*parts), version=version, has_own_time=True)


def _levels(levels: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(dict.fromkeys(filter(None, level))) for level in levels)


def _says_nothing(folder: str, known: Sequence[str]) -> bool:
    """Whether the name of a folder is nobody's: a usual one around submissions, or one of the course's own folders."""
    name = letters(folder)
    return name in WRAPPERS | OF_THE_COURSE or name in map(letters, known) or bool(re.match("reach(-|$)", folder))


def _wrapper(files: Sequence[Found], known: Sequence[str]) -> str:
    """The one folder in which everything handed in is, if several folders or files in it are somebody's; or ""."""
    paths = map(list, work(files))
    said = [path for path in paths if path[1:] or without_assignment(stem(PurePosixPath(*path)), known)]
    first = {path[0] for path in said}
    inside = {path[1] for path in said if path[1:] and not _says_nothing(path[1], known)}
    whole = len(first) == 1 and all(path[1:] for path in said)
    return first.pop() if whole and len(inside) > 1 else ""


def _among_people(files: Sequence[Found], known: Sequence[str]) -> set[tuple[str, ...]]:
    """Folders whose names are nobody's, beside what is somebody's: they may belong to somebody of that name.

    A few files beside a folder of many are no reason to think so.
    """
    paths = work(files)
    depth = depth_of_the_class(paths)
    if any(not _says_nothing(folder, known) for path in list(paths)[:1] for folder in path[:depth]):
        return set()  # all of it is one person's, or in one more folder
    folders = {path[: depth + 1] for path in paths if len(path) > depth + 1}
    nobodys = {folder for folder in folders if _says_nothing(folder[-1], known)}
    lone = [
        path for path in paths if len(path) == depth + 1 and without_assignment(stem(PurePosixPath(path[-1])), known)
    ]
    if nobodys != folders:
        return nobodys
    return {one for one in nobodys if sum(path[: depth + 1] == one for path in paths) <= len(lone)}
