"""Which submissions a run grades, and why: what has no result by these rules yet, or what was asked for by name."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grading.basis import differences, key
from grading.classroom import Classroom
from grading.problems import GradingError
from grading.results import Graded
from grading.submission.parsing import Unreadable, file_bytes


@dataclass(frozen=True)
class Chosen:
    """Who is graded now, even if nothing changed, by the class's seed.

    Attributes:
        students: names of folders; empty for all who have handed in.
        cells: the `grade_id` of checks whose marks are replaced, where the others stay; empty for all.
    """

    students: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        return bool(self.students or self.cells)


EVERYTHING = Chosen()


@dataclass(frozen=True)
class Waiting:
    """A submission to grade.

    Attributes:
        key: of the result that it will have.
        why: it is graded, for the log of changes.
        same_file: it has a result, of this very file.
        earlier: the result into which single marks are put; None where all of it is graded.
    """

    key: str
    why: str
    same_file: bool = False
    earlier: Graded | None = None


class Search:
    """Looks through what was handed in for one assignment, for one run.

    Args:
        classroom: the class's folder.
        assignment: its name.
        basis: what this run's marks follow from, see `grading.basis`.
        again: the run grades all by a new seed, or goes on with that.
        force: it grades also what has a result by these rules.
        chosen: it grades these alone, and these in any case.
    """

    def __init__(
        self,
        classroom: Classroom,
        assignment: str,
        basis: dict[str, str],
        *,
        again: bool = False,
        force: bool = False,
        chosen: Chosen = EVERYTHING,
    ):
        self.kept: list[str] = []
        self._classroom, self._assignment, self._basis = classroom, assignment, basis
        self._again, self._force, self._chosen = again, force, chosen

    def find(self) -> dict[str, Waiting]:
        """{student: what is to be done}. Who has a result that holds is in `kept`, unless they were chosen.

        Raises GradingError if single marks are asked for, of somebody who has no result to put them into.
        """
        found = {student: one for student in self._students() if (one := self._look_at(student))}
        wanted, lacking = self._chosen.students, set(self._students()) - set(found) - set(self.kept)
        if wanted and lacking:
            raise GradingError(
                f"{', '.join(sorted(lacking))}: a single mark is put into the result of the file that is there now, "
                "and there is none. Leave --exercise out, and all of it is graded."
            )
        return found

    def _students(self) -> list[str]:
        there = self._classroom.students(self._assignment)
        wanted = self._chosen.students
        return [student for student in there if student in wanted] if wanted else there

    def _look_at(self, student: str) -> Waiting | None:
        content = read_content(self._classroom, student, self._assignment)
        result = self._classroom.result(student, self._assignment)
        earlier = earlier_result(result)
        new_key = key(self._basis, content if isinstance(content, bytes) else content.encode())
        same_file = earlier is not None and earlier.sha256 == hash_of(content)
        if self._chosen.cells and not (earlier and same_file and self._can_take_marks(student, earlier)):
            return None
        if earlier and earlier.key == new_key and not (self._force or self._chosen.any):
            self.kept.append(student)
            return None
        lost = earlier is None and result.exists()
        why = "its result was damaged" if lost else "; ".join(self._reasons(earlier, same_file))
        return Waiting(new_key, why, same_file, earlier if self._chosen.cells else None)

    def _can_take_marks(self, student: str, earlier: Graded) -> bool:
        marks = {mark.grade_id for mark in earlier.marks}
        return marks.issuperset(self._chosen.cells) and self._classroom.autograded(student, self._assignment).is_file()

    def _reasons(self, earlier: Graded | None, same_file: bool) -> Iterator[str]:
        if earlier is None:
            yield "first graded"
            return
        if self._chosen.any:
            yield "this mark graded again (--exercise)" if self._chosen.cells else "graded again (--student)"
        if self._again:
            yield "all graded again (--again)"
        if not same_file:
            yield "a newer file came in"
        if changed := differences(earlier.basis, self._basis):
            yield f"other rules: {', '.join(changed)}"


def earlier_result(path: Path) -> Graded | None:
    """An earlier result; None if there is none that can be read."""
    try:
        return Graded.read(path)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def read_content(classroom: Classroom, student: str, assignment: str) -> bytes | str:
    """A submitted file, or the reason why it cannot be read."""
    try:
        return file_bytes(classroom.submitted(student, assignment))
    except Unreadable as error:
        return str(error)


def hash_of(content: bytes | str) -> str:
    """As in a result; empty for a file that cannot be read."""
    return hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else ""
