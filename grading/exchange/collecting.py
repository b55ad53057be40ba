"""From what a platform exports to submitted/STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb, and what could not be placed."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from grading.classroom import Classroom
from grading.exchange.archives import Found, files_in
from grading.exchange.filenames import Clues, assignment_in, clues, is_platforms
from grading.exchange.roster import Roster, Student, fold, keep, kept, read_roster
from grading.problems import GradingError
from grading.submission.parsing import Unreadable
from utils.files import write_whole

TIMESTAMP = "timestamp.txt"  # nbgrader's: one line, next to the submission


@dataclass(frozen=True)
class Placed:
    """A submission that was put into submitted/. `note` says what an instructor should know of it, "" for most."""

    file: str
    student: str
    assignment: str
    submitted: datetime | None
    late: bool = False
    note: str = ""


@dataclass(frozen=True)
class Collected:
    """`not_placed` holds the name of each file that was left out, fit to be shown, and why."""

    placed: list[Placed] = field(default_factory=list)
    not_placed: list[tuple[str, str]] = field(default_factory=list)


def collect(source: Path, classroom: Classroom, assignment: str | None = None, roster: Path | None = None) -> Collected:
    """Copy the submissions in a folder or a zip into the classroom. The source stays as it is.

    Args:
        source: a folder, a zip, the export of Canvas or Moodle, or nbgrader's submitted/; see `handed_in`.
        assignment: which one it is; where it is None, the files must say so in their names.
        roster: CSV file of the class, see `grading.exchange.roster.read_roster`, which is kept in the class's folder.
            Without it, the kept one counts; without any, the names say who it is.

    The newest version of a submission counts, here and against what was collected before. Nobody is guessed: a file
    that may belong to two people, or two people's files that may belong to one, are not placed.

    Raises GradingError if the source or the roster cannot be read, or the assignment was not released.
    """
    known = sorted(path.name for path in classroom.root.glob("release/*") if classroom.released(path.name).is_file())
    if assignment is not None and assignment not in known:
        raise GradingError(f"{assignment} was not released in {classroom.root}: `reach-grade release {assignment}`.")
    listed = keep(read_roster(roster), classroom).roster if roster else kept(classroom)
    collected, handed_in = Collected(), []
    with files_in(source) as files:
        files = _without_wrapper(files, known) if source.is_file() else files
        for file in files:
            if file.name.name != TIMESTAMP:
                try:
                    handed_in.append(_identify(file, known, assignment, listed))
                except _NotPlaced as problem:
                    collected.not_placed.append((shown(file.name), str(problem)))
        times = _timestamps(files)
        spellings = {fold(folder.name): folder.name for folder in classroom.root.glob("submitted/*")}
        for versions in _by_student(handed_in):
            try:
                _refuse_two_people(versions, spellings)
                collected.placed.append(_place(versions, times, classroom))
            except _NotPlaced as problem:
                collected.not_placed.extend((shown(one.file.name), str(problem)) for one in versions)
    return collected


def shown(name: PurePosixPath) -> str:
    """A name that a student may have chosen, fit for a terminal or a page: printable, and not endless."""
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(name))
    return text if len(text) <= 200 else f"{text[:100]} … {text[-99:]}"


class _NotPlaced(Exception):
    """Why a file is not placed."""


@dataclass(frozen=True)
class _HandedIn:
    """A file that is somebody's. `evidence` is what the student was known by."""

    file: Found
    student: str
    assignment: str
    evidence: str
    clues: Clues

    @property
    def age(self) -> tuple:
        """Sorts the oldest version first. What is called like the assignment goes before anything beside it."""
        named = self.assignment in self.file.name.name
        undated = datetime.min.replace(tzinfo=UTC)
        return (named, self.clues.version, self.file.modified or undated, str(self.file.name))


def _without_wrapper(files: list[Found], known: Sequence[str]) -> list[Found]:
    """A zip of a folder holds that folder. If all files are in it, it is nobody's name."""
    first, second = ({file.name.parts[at : at + 1] for file in files} for at in (0, 1))
    wrapped = len(files) > 1 and len(first) == 1 and () not in second
    if not wrapped or any(name[0] in known for name in second) or _is_platforms(files[0].name.parts[0]):
        return files
    return [replace(file, name=PurePosixPath(*file.name.parts[1:])) for file in files]


def _is_platforms(part: str) -> bool:
    return is_platforms(part) or part.lower().endswith(".zip")


def _timestamps(files: list[Found]) -> dict[PurePosixPath, datetime]:
    """For each folder of nbgrader's the time in its timestamp.txt. On a platform such a file would be the student's."""
    times = {}
    for file in files:
        if file.name.name == TIMESTAMP and not file.problem and not any(map(_is_platforms, file.name.parts)):
            with suppress(Unreadable, ValueError, OverflowError):
                times[file.name.parent] = _time(file.read())
    return times


def _time(content: bytes) -> datetime:
    """The time in a timestamp.txt. Raises ValueError or OverflowError."""
    from nbgrader.utils import parse_utc  # takes seconds to import

    return parse_utc(content[:100].decode().strip()).replace(tzinfo=UTC)


def _identify(file: Found, known: Sequence[str], assignment: str | None, roster: Roster | None) -> _HandedIn:
    if file.problem:
        raise _NotPlaced(f"It is {file.problem}.")
    if file.name.suffix.lower() != ".ipynb":
        raise _NotPlaced("It is not a notebook (.ipynb).")
    named = assignment_in(file.name, known)
    if assignment and named not in (None, assignment):
        raise _NotPlaced(f"It is called like {named}, and you collect {assignment}.")
    assignment = assignment or named
    if not assignment:
        raise _NotPlaced("Its name does not say which assignment it is. Name the assignment, or rename the file.")
    said = clues(file.name, assignment)
    student, evidence = _on_roster(said, roster) if roster else (said.alone, said.number or said.alone)
    if not student:
        raise _NotPlaced("Its name does not say clearly whose it is. Give a roster, or rename the file.")
    return _HandedIn(file, student, assignment, evidence, said)


def _on_roster(said: Clues, roster: Roster) -> tuple[str, str]:
    """The student's id, and the part of the name that says so. A platform's number counts unless its name disagrees."""
    by_number = roster.with_id(said.number) if said.number else []
    by_name, evidence = _by_name(said, roster)
    agree = not by_number or not by_name or set(by_number) & set(by_name)
    found = (by_number or by_name) if agree else by_number + by_name
    if not found:
        raise _NotPlaced("Nobody on the roster has this name or id.")
    if len(found) > 1:
        raise _NotPlaced(f"It can be from {' or '.join(student.id for student in found)}.")
    return found[0].id, said.number or evidence


def _by_name(said: Clues, roster: Roster) -> tuple[list[Student], str]:
    """Whom the first name fits that fits anybody, and that name with those before it. A platform's name is no id."""
    for depth, name in enumerate(said.names, 1):
        by_id = [] if said.number else roster.with_id(name)
        if found := by_id or roster.with_name(name):
            return found, "/".join(map(fold, said.names[:depth]))
    return [], ""


def _by_student(handed_in: list[_HandedIn]) -> list[list[_HandedIn]]:
    """What each student handed in for each assignment, the oldest version first."""
    groups: dict[tuple[str, str], list[_HandedIn]] = {}
    for one in sorted(handed_in, key=lambda one: one.age):
        groups.setdefault((fold(one.student), one.assignment), []).append(one)
    return [groups[key] for key in sorted(groups)]


def _place(versions: list[_HandedIn], times: dict[PurePosixPath, datetime], classroom: Classroom) -> Placed:
    newest = versions[-1]
    try:
        content = newest.file.read()
    except Unreadable as error:
        raise _NotPlaced(f"The newest version cannot be read: {error}") from error
    submitted = times.get(newest.file.name.parent, newest.file.modified)
    path = classroom.submitted(newest.student, newest.assignment)
    notes = [f"the newest of {len(versions)} versions"] if len(versions) > 1 else []
    notes += ["handed in late, says the platform"] if newest.clues.late else []
    if path.is_file() and path.read_bytes() != content:
        before = _collected_at(path)
        if before and submitted and submitted < before:
            raise _NotPlaced(f"It is older than what was collected before ({before:%Y-%m-%d %H:%M:%S} UTC).")
        notes.append("replaces what was collected before")
    if submitted:
        write_whole(path.with_name(TIMESTAMP), f"{submitted:%Y-%m-%d %H:%M:%S} UTC")
    else:
        path.with_name(TIMESTAMP).unlink(missing_ok=True)
    write_whole(path, content)
    note = ", ".join(notes)
    return Placed(shown(newest.file.name), newest.student, newest.assignment, submitted, newest.clues.late, note)


def _refuse_two_people(versions: list[_HandedIn], spellings: dict[str, str]) -> None:
    """`spellings` are the names of the folders in submitted/, by `fold`: some disks do not tell Anna from anna."""
    student = versions[-1].student
    if len({one.evidence for one in versions}) > 1:
        names = ", ".join(sorted({shown(PurePosixPath(one.file.name.parts[0])) for one in versions}))
        raise _NotPlaced(f"Two people may be the student {student}: {names}.")
    if spellings.get(fold(student), student) != student:
        raise _NotPlaced(f"The student is called {spellings[fold(student)]} in submitted/, and {student} here.")


def _collected_at(path: Path) -> datetime | None:
    with suppress(OSError, ValueError, OverflowError):
        return _time(path.with_name(TIMESTAMP).read_bytes())
    return None
