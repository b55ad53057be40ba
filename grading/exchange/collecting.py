"""From what a platform exports to submitted/STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb, and what could not be placed.

The steps: the files of the source (`archives`), what their names say (`readers`), whose they are (`identity`), which
version counts (`versions`), and where it goes (`placing`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path, PurePosixPath

from grading.classroom import Classroom
from grading.exchange import readers
from grading.exchange.archives import Found, files_in
from grading.exchange.clues import Clues
from grading.exchange.content import looks_like_a_notebook
from grading.exchange.filenames import assignment_in, is_notebook, outside_of_zips, without_packing
from grading.exchange.folding import fold, written
from grading.exchange.identity import NotPlaced, Owners, WhoseFiles
from grading.exchange.leftovers import what_it_is
from grading.exchange.memory import Memory, Outcome
from grading.exchange.placing import TIMESTAMP, Placed, place
from grading.exchange.roster import keep, kept, read_roster
from grading.exchange.versions import HandedIn, choose
from grading.problems import GradingError, nothing_released
from grading.untrusted.text import printable
from utils.paths import NOTEBOOKS

__all__ = ["TIMESTAMP", "Collected", "Placed", "collect"]

MOST_NAMES = 4  # of files in one sentence


@dataclass(frozen=True)
class Collected:
    """What became of the files of a source.

    Attributes:
        reader: which reader read it, see `grading.exchange.readers`.
        placed: one for each student and assignment.
        not_placed: the name of each file that was left out, fit to be shown, and why.
        beside: how many files lay beside a notebook that was placed, and are none themselves.
    """

    reader: str = readers.PLAIN
    placed: list[Placed] = field(default_factory=list)
    not_placed: list[tuple[str, str]] = field(default_factory=list)
    beside: int = 0


def collect(
    source: Path,
    classroom: Classroom,
    assignment: str | None = None,
    roster: Path | None = None,
    reader: str = "",
    complete: Collection[PurePosixPath] | None = None,
    memory: Memory | None = None,
) -> Collected:
    """Copy the submissions in a folder or a zip into the classroom. The source stays as it is.

    Args:
        source: a folder, a zip, or the export of a platform; see `grading.exchange.readers`.
        assignment: which one it is; where it is None, the files must say so in their names.
        roster: CSV file of the class, see `grading.exchange.roster.read_roster`, which is kept in the class's folder.
            Without it, the kept one counts; without any, the names say who it is.
        reader: the name of the reader; "" takes the first that recognizes the source.
        complete: for a folder that others write into meanwhile, see `archives.files_in`.
        memory: of earlier collections of this folder into this class. What has been decided is not among `placed`.

    The newest version of a submission counts, here and against what was collected before. Nobody is guessed: a file
    that may belong to two people, or two people's files that may belong to one, are not placed.

    Raises GradingError if the source or the roster cannot be read, the assignment or nothing at all was released, or
    there is no such reader.
    """
    known = sorted(path.name for path in classroom.root.glob("release/*") if classroom.released(path.name).is_file())
    if not known:
        raise nothing_released(classroom)
    if assignment is not None and assignment not in known:
        raise GradingError(f"{assignment} was not released in {classroom.root}. Released: {', '.join(known)}.")
    whose = WhoseFiles(keep(read_roster(roster), classroom).roster if roster else kept(classroom))
    memory = memory or Memory()
    with files_in(source, complete, memory) as found:
        files = without_packing(found, known)
        name, told = readers.read(files, known, reader)
        handed_in, collected = [], Collected(name)
        left: list[tuple[Found, Clues, NotPlaced]] = []
        for file in files:
            if said := told[file.name]:  # nothing is said of the platform's own files
                if complete is not None:  # who writes into the folder chooses the names and what lies beside a file
                    said = replace(said, submitted=None, has_own_time=True, late=False)
                try:
                    handed_in.append(_identify(file, said, known, assignment, whose, memory))
                except NotPlaced as problem:
                    left.append((file, said, problem))
        _place_all(handed_in, collected, classroom, memory)
        return _with_left(collected, left, handed_in, whose)


class _NotTheNotebook(NotPlaced):
    """It is another file than the notebook that is collected, as may lie beside one."""


def _identify(
    file: Found, said: Clues, known: Sequence[str], assignment: str | None, whose: WhoseFiles, memory: Memory
) -> HandedIn:
    if file.problem:
        raise NotPlaced(f"It is {file.problem}.")
    lessons = sorted({*known, *_lessons_of_the_course()})
    named = assignment_in(said.own, lessons) or assignment_in(file.name, lessons)
    if not is_notebook(file.name) and not (
        named and memory.is_notebook(file, outside_of_zips(file.name), looks_like_a_notebook)
    ):
        raise _NotTheNotebook(what_it_is(file.name))
    if assignment and named not in (None, assignment):
        raise _NotTheNotebook(f"It is called like {named}, and you collect {assignment}.")
    if named and named not in known:
        raise _NotTheNotebook(f"It is called like {named}, which was not released.")
    assignment = assignment or named
    if not assignment:
        raise NotPlaced("Its name does not say which assignment it is. Name the assignment, or rename the file.")
    return HandedIn(file, said, whose.owners(said), assignment)


@cache
def _lessons_of_the_course() -> frozenset[str]:
    return frozenset(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


def _place_all(handed_in: list[HandedIn], collected: Collected, classroom: Classroom, memory: Memory) -> None:
    spellings = {fold(folder.name): folder.name for folder in classroom.root.glob("submitted/*")}
    outcomes: dict[tuple[str, str], Outcome] = {}
    for (student, assignment), versions in _by_student(handed_in).items():
        known, refused = memory.outcomes.get((student, assignment), ((), {}))
        if known != versions or not (refused or classroom.submitted(student, assignment).is_file()):
            refused = _place(student, versions, spellings, collected, classroom)
        outcomes[student, assignment] = versions, refused
    memory.outcomes = outcomes
    refused_once = {name: why for _, refused in outcomes.values() for name, why in refused.items()}  # a group's file
    collected.not_placed.extend(refused_once.items())


def _place(
    student: str, versions: list[HandedIn], spellings: dict[str, str], collected: Collected, classroom: Classroom
) -> dict[str, str]:
    """Place what counts of a student's files. The names of those that are refused, and why."""
    resembling = [one for one in versions if one.owners.resembling]
    refused = {}
    if 0 < len(resembling) < len(versions):
        refused = {printable(one.file.name): f"Its name only resembles that of {student}." for one in resembling}
        versions = [one for one in versions if not one.owners.resembling]
    try:
        _refuse_two_people(student, versions, spellings)
        collected.placed.append(place(choose(versions, classroom), student, collected.reader, classroom))
    except NotPlaced as problem:
        refused |= {printable(one.file.name): str(problem) for one in versions}
    return refused


def _by_student(handed_in: list[HandedIn]) -> dict[tuple[str, str], list[HandedIn]]:
    """{(student, assignment): what they handed in}, in the order of the students."""
    groups: dict[tuple[str, str], list[HandedIn]] = {}
    first_spelling: dict[str, str] = {}
    for one in handed_in:
        for student in one.owners.students:
            spelling = first_spelling.setdefault(fold(student), student)
            groups.setdefault((spelling, one.assignment), []).append(one)
    return dict(sorted(groups.items()))


def _refuse_two_people(student: str, versions: list[HandedIn], spellings: dict[str, str]) -> None:
    """`spellings` are the names of the folders in submitted/, by `fold`: some disks do not tell Anna from anna."""
    if len({one.owners.evidence for one in versions}) > 1:
        names = sorted({printable(PurePosixPath(one.file.name.parts[0])) for one in versions})
        more = " and others" if len(names) > MOST_NAMES else ""
        raise NotPlaced(f"Two people may be the student {student}: {', '.join(names[:MOST_NAMES])}{more}.")
    if spellings.get(fold(student), student) != student:
        raise NotPlaced(f"The student is called {spellings[fold(student)]} in submitted/, and {student} here.")


def _with_left(
    collected: Collected,
    left: list[tuple[Found, Clues, NotPlaced]],
    handed_in: list[HandedIn],
    whose: WhoseFiles,
) -> Collected:
    """Name what was left out, and only count what lies beside somebody's notebook."""
    students = {student for one in handed_in for student in one.owners.students}
    homes = {folder for one in handed_in for folder in one.file.name.parents if _is_home(folder, one.owners)}
    beside = 0
    for file, said, problem in left:
        is_beside = homes.intersection(file.name.parents) or students.intersection(_students(said, whose))
        if isinstance(problem, _NotTheNotebook) and is_beside:
            beside += 1
        else:
            collected.not_placed.append((printable(file.name), str(problem)))
    return replace(collected, not_placed=sorted(collected.not_placed), beside=beside)


def _is_home(folder: PurePosixPath, owners: Owners) -> bool:
    """Whether a folder is called like those who handed in what is in it."""
    return folder.name in owners.students or written(folder.name) == owners.evidence


def _students(said: Clues, whose: WhoseFiles) -> Sequence[str]:
    try:
        return whose.owners(said).students
    except NotPlaced:
        return ()
