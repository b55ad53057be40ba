"""GitHub Classroom: `01-convolution-submissions/01-convolution-mnowak/…`, a repository a student or a team.

What follows the assignment's name is the name on GitHub, or the team's. A clone has the time of cloning.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from grading.exchange.archives import Found
from grading.exchange.clues import Clues, Person
from grading.exchange.filenames import as_id, is_zip, most, outside_of_zips

AROUND = re.compile(r"(?P<assignment>.+)-submissions?", re.IGNORECASE)


def recognizes(files: Sequence[Found], known: Sequence[str]) -> float:
    return most(files, lambda parts: _match(parts, known))


def clues(files: Sequence[Found], known: Sequence[str]) -> dict[PurePosixPath, Clues | None]:
    told: dict[PurePosixPath, Clues | None] = {}
    for file in files:
        if match := _match(outside_of_zips(file.name), known):
            place, user = match
            person = Person(user, "github", levels=((user,),), alone=as_id(user), key=user)
            told[file.name] = Clues((person,), PurePosixPath(*file.name.parts[place + 1 :]), file.name.parts[:place])
    return told


def _match(parts: tuple[str, ...], known: Sequence[str]) -> tuple[int, str] | None:
    """The repository's place in the path, and what follows the assignment's name in its name."""
    for place, part in enumerate(parts):
        is_folder = place < len(parts) - 1
        if not is_folder and not is_zip(part):
            break
        around = AROUND.fullmatch(parts[place - 1]) if place else None
        slugs = [around["assignment"]] if around else [re.sub(r"[\W_]+", "-", one) for one in known]
        repository = part if is_folder else re.sub(r"(-(main|master))?\.zip$", "", part, flags=re.IGNORECASE)
        for slug in slugs:
            if repository.lower().startswith(f"{slug}-".lower()) and not AROUND.fullmatch(repository):
                return place, repository[len(slug) + 1 :]
    return None
