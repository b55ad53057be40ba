"""A folder into which learners or a sync tool write: what arrives is collected, graded, and answered with a page.

It is looked at again and again. Signals of the file system would tell sooner, but a folder on a network sends none of
what other machines write, and whether a file is complete shows in its size and time alone.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from grading.classroom import Classroom
from grading.exchange.collecting import Collected, collect
from grading.exchange.folders import State, entries_below, state_of
from grading.exchange.memory import Memory
from grading.problems import Busy, GradingError


class Incoming:
    """What is in a folder, from one look to the next. A file is complete if two looks find it the same."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._last: dict[PurePosixPath, State] = {}
        self._taken: dict[PurePosixPath, State] = {}
        self._complete: dict[PurePosixPath, State] = {}

    def look(self) -> bool:
        """Whether a file is complete that has not been taken yet."""
        now = dict(self._files())
        self._complete = {name: state for name, state in now.items() if self._last.get(name) == state}
        self._last = now
        return any(self._taken.get(name) != state for name, state in self._complete.items())

    @property
    def complete(self) -> Collection[PurePosixPath]:
        """The files that were complete at the last look."""
        return self._complete.keys()

    def take(self) -> None:
        """These are dealt with, until they change."""
        self._taken = dict(self._complete)

    def _files(self) -> Iterator[tuple[PurePosixPath, State]]:
        for path, status in entries_below(self._folder):
            yield PurePosixPath(path.relative_to(self._folder)), state_of(status)


@dataclass
class Watch:
    """Rounds of looking, collecting and grading. What one round could not do, the next one does.

    Args:
        incoming: the folder.
        classroom: the class.
        assignment: which one all files are of; None where their names say so.
        reader: see `grading.exchange.collecting.collect`.
        grade: grades what waits of one assignment, and writes the pages. It may raise GradingError.
        say: is told what was collected, of which each file is in it once.
        trouble: is told what went wrong, once until it is another thing.
        to_grade: assignments in which something waits, at first whatever an earlier run has left.

    Raises GradingError if there is no such folder.
    """

    incoming: Path
    classroom: Classroom
    assignment: str | None
    reader: str
    grade: Callable[[str], None]
    say: Callable[[Collected], None]
    trouble: Callable[[str], None]
    to_grade: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if not self.incoming.is_dir():
            raise GradingError(f"{self.incoming} is no folder. Name the one that submissions arrive in.")
        self._folder = Incoming(self.incoming)
        self._said: set[tuple[str, str]] = set()
        self._memory = Memory()
        self._trouble = ""

    def round(self) -> None:
        """Look once, and do what there is to do."""
        try:
            if self._folder.look():
                self._collect()
            for name in sorted(self.to_grade):
                self.grade(name)
                self.to_grade.discard(name)
            self._trouble = ""
        except GradingError as error:
            goes_on = " It is tried again from now on." if isinstance(error, Busy) else ""
            self._say_trouble(f"{error}{goes_on}")
        except OSError as error:  # a disk that is full, a network folder that has gone
            self._say_trouble(f"{error} It is tried again from now on.")

    def _collect(self) -> None:
        found = collect(
            self.incoming,
            self.classroom,
            self.assignment,
            reader=self.reader,
            complete=self._folder.complete,
            memory=self._memory,
        )
        self._folder.take()
        new = replace(
            found,
            placed=[placed for placed in found.placed if placed.attempt],
            not_placed=[file for file in found.not_placed if file not in self._said],
        )
        self._said = set(found.not_placed)
        self.to_grade |= {placed.assignment for placed in new.placed}
        if new.placed or new.not_placed:
            self.say(new)

    def _say_trouble(self, what: str) -> None:
        if what != self._trouble:
            self.trouble(what)
        self._trouble = what
