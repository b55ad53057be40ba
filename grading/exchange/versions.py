"""Which of several files of one student counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from grading.classroom import Classroom
from grading.exchange.archives import Found
from grading.exchange.clues import Clues
from grading.exchange.content import is_as_released, is_solution
from grading.exchange.filenames import copy_number, is_named_like
from grading.exchange.identity import NotPlaced, Owners
from grading.submission.parsing import Unreadable
from utils.paths import SOLUTIONS

FROM_THE_COURSE = "It is from a copy of the course, whose folder solutions/ was left out."
ONLY_THE_COURSES = (
    "It is the course's own solution, in its folder solutions/, and no notebook of the student's is there."
)
NEVER = datetime.min.replace(tzinfo=UTC)
MOST_VERSIONS = 20  # that are read of one student: each may have to be unpacked


@dataclass(frozen=True)
class HandedIn:
    """A file that is somebody's."""

    file: Found
    clues: Clues
    owners: Owners
    assignment: str

    @property
    def submitted(self) -> datetime | None:
        """When it came in, None if nothing tells that can be trusted."""
        return self.clues.submitted or (self.file.modified if self.clues.has_own_time else None)

    @property
    def age(self) -> tuple:
        """Larger for a newer version: what the platform says, then the name, then the time of the file itself."""
        said = (self.clues.version, self.clues.submitted or NEVER)
        return (
            *said,
            is_named_like(self.clues.own, self.assignment),
            copy_number(self.clues.own, self.assignment),
            self.submitted or NEVER,
        )


@dataclass(frozen=True)
class Choice:
    """The version that counts, its bytes, and notes for the instructor, a sentence each."""

    newest: HandedIn
    content: bytes
    notes: tuple[str, ...]


def choose(versions: Sequence[HandedIn], classroom: Classroom) -> Choice:
    """The version that counts of what one student handed in for one assignment.

    In a copy of the course that is the one in `notebooks/`. What is called like the assignment goes before anything
    beside it, and what somebody wrote before the course's own copies. Of the rest the newest counts, as far as the
    platform, the names and the times tell.

    Raises NotPlaced if nothing tells which of two different notebooks that is, if the newest cannot be read, if there
    are more than MOST_VERSIONS, or if a copy of the course has nothing but the course's own solution.
    """
    kept = _without_solutions(_best_named(versions))
    if len(kept) > MOST_VERSIONS:
        raise NotPlaced(f"These are more than {MOST_VERSIONS} notebooks of one student. Leave the one that counts.")
    notes = [FROM_THE_COURSE] if len(kept) < len(_best_named(versions)) else []
    notes += [f"The newest of {len(kept)} versions."] if len(kept) > 1 else []
    kept = _own_work(kept, classroom)
    newest = max(kept, key=lambda one: (one.age, str(one.file.name)))
    content = _content(newest)
    _refuse_a_twin(newest, content, kept)
    if is_solution(content, newest.assignment):
        if newest.file.name.parent.name == SOLUTIONS.name:
            raise NotPlaced(ONLY_THE_COURSES)
        notes.append("It equals the solution that the course ships.")
    return Choice(newest, content, (*notes, *newest.clues.notes, *newest.owners.notes))


def _best_named(versions: Sequence[HandedIn]) -> list[HandedIn]:
    named = [one for one in versions if is_named_like(one.clues.own, one.assignment)]
    return named or list(versions)


def _without_solutions(versions: Sequence[HandedIn]) -> list[HandedIn]:
    folders = {one.file.name.parent for one in versions}
    return [
        one
        for one in versions
        if one.file.name.parent.name != "solutions" or one.file.name.parent.with_name("notebooks") not in folders
    ]


def _own_work(versions: list[HandedIn], classroom: Classroom) -> list[HandedIn]:
    """Without the course's own copies, if something else is there: nobody wants those to be graded."""
    if len(versions) == 1:
        return versions
    for is_ours in (is_solution, lambda content, name: is_as_released(content, name, classroom)):
        versions = [one for one in versions if not _is(is_ours, one)] or versions
    return versions


def _is(ours: Callable[[bytes, str], bool], one: HandedIn) -> bool:
    try:
        return ours(one.file.read(), one.assignment)
    except Unreadable:
        return False


def _refuse_a_twin(newest: HandedIn, content: bytes, versions: Sequence[HandedIn]) -> None:
    undated = [one for one in versions if newest.clues.submitted and not one.clues.submitted]
    as_new = [one for one in versions if one.age == newest.age]
    if any(_content(one) != content for one in (*undated, *as_new)):
        raise NotPlaced("These are two notebooks of one student, and nothing says which is newer. Take one away.")


def _content(one: HandedIn) -> bytes:
    try:
        return one.file.read()
    except Unreadable as error:
        raise NotPlaced(f"The newest version cannot be read: {error}") from error
