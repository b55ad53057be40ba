"""Whose a file is: the clues of its name, looked up on the roster. Nobody is guessed."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grading.exchange.clues import Clues, Grouped, Person
from grading.exchange.folding import fold, identity, letters, only_looks_alike, written
from grading.exchange.people import Roster, Student
from grading.problems import GradingError

LASTING = ("canvas_id",)  # kinds of numbers that a person keeps; Moodle gives another one in each assignment
MOST_MEMBERS = 12  # of a group that hands in one notebook
LOOKS_LIKE_A_GROUP = re.compile(r"^(gr[ou]+pp?[eo]?|groep|team)", re.IGNORECASE)


class NotPlaced(GradingError):
    """Why a file is not placed."""


@dataclass(frozen=True)
class Owners:
    """Those who handed a file in: their ids, what they were known by, and notes, a sentence each.

    `resembling`: what was written only resembles what they are called.
    """

    students: tuple[str, ...]
    evidence: str
    notes: tuple[str, ...] = ()
    resembling: bool = False


class WhoseFiles:
    """`owners` for the files of one collection, found once for all that have the same clues, as those of a zip do."""

    def __init__(self, roster: Roster | None):
        self._roster = roster
        self._found: dict[tuple, Owners | str] = {}

    def owners(self, clues: Clues) -> Owners:
        """Who handed in the file of which these are the clues. Raises NotPlaced if that is not clear."""
        key = clues.people, clues.above, clues.problem
        if key not in self._found:
            try:
                self._found[key] = owners(clues, self._roster)
            except NotPlaced as problem:
                self._found[key] = str(problem)
        found = self._found[key]
        if isinstance(found, str):
            raise NotPlaced(found)
        return found


def owners(clues: Clues, roster: Roster | None) -> Owners:
    """Who handed in the file of which these are the clues. Raises NotPlaced if that is not clear."""
    if roster is None:
        return _without_roster(clues)
    if clues.problem and not any(person.number for person in clues.people):
        raise NotPlaced(clues.problem)
    found, missing = [], []
    for person in clues.people:
        one = _owners_of(person, roster, clues.problem)
        found.append(one)
        if not one.students:
            missing.append(next(iter((*person.names, *person.ids)), ""))
    students = tuple(dict.fromkeys(student for one in found for student in one.students))
    if not students:
        raise NotPlaced(clues.problem or _nobody(clues))
    _refuse_anothers_folder(clues.above, students, roster)
    notes = [note for one in found for note in one.notes]
    notes += [f"Handed in together with {', '.join(missing)}, who is not on the roster."] if missing else []
    evidence = " and ".join(sorted(one.evidence for one in found))
    return Owners(students, evidence, tuple(notes), any(one.resembling for one in found))


def _nobody(clues: Clues) -> str:
    maybe = [one.group for person in clues.people for one in person.grouped]
    hint = f" If {maybe[0]!r} is a group, give a roster with a column `group`." if maybe else ""
    return f"Nobody on the roster has this name or id.{hint}"


def _without_roster(clues: Clues) -> Owners:
    if clues.problem:
        raise NotPlaced(clues.problem)
    if not clues.people or not all(person.alone for person in clues.people):
        raise NotPlaced("Its name does not say clearly whose it is. Give a roster, or rename the file.")
    students = tuple(dict.fromkeys(person.alone for person in clues.people))
    names = [name for person in clues.people for name in person.names[-1:]]
    notes = tuple(_only_one_of(name) for name in names if LOOKS_LIKE_A_GROUP.search(name))
    return Owners(students, " and ".join(sorted(_key(person) or person.alone for person in clues.people)), notes)


def _owners_of(person: Person, roster: Roster, problem: str) -> Owners:
    """Whom all that is said of a person fits; a group's members where it is a group; nobody if nobody fits."""
    numbered = _numbered(person, roster)
    by_id = [] if numbered else _any(roster.with_id(an_id) for an_id in person.ids)
    named = _named(person, roster)
    by_level, evidence, resembling = ([], "", False) if numbered or by_id or named else _at_level(person, roster)
    readings = [reading for reading in (numbered, by_id, named, by_level) if reading]
    if not readings or (numbered and not named and _group(person, roster)):
        return _group_owners(person, roster, numbered)
    agreed = [student for student in readings[0] if all(student in reading for reading in readings)]
    if len(agreed) != 1:
        either = agreed or _any(readings)
        raise NotPlaced(f"It can be from {' or '.join(sorted(student.school_id for student in either))}.")
    student = agreed[0]
    notes = () if problem else _doubts(person, student, bool(numbered), bool(named))
    return Owners((student.id,), _key(person) or evidence, notes, resembling)


def _doubts(person: Person, student: Student, numbered: bool, named: bool) -> tuple[str, ...]:
    """What an instructor should look at where a platform's number and name do not both say who it is."""
    if numbered and not named and person.names and not _is_like(person.names[0], student):
        return (_only_one_of(person.names[0], student),)
    other = student.known_as.get(person.kind, "")
    if named and not numbered and other and person.kind in LASTING:
        return (f"Placed by the name alone: its number is {person.number}, and the roster's for them is {other}.",)
    return ()


def _numbered(person: Person, roster: Roster) -> list[Student]:
    """Whom the platform knows under this number; not who has the same as an id of another kind."""
    wanted = identity(person.number)
    known = roster.with_exact_id(person.number) if wanted else []
    return [student for student in known if identity(student.known_as.get(person.kind, "")) == wanted]


def _named(person: Person, roster: Roster) -> list[Student]:
    """By the first name that anybody has, or by what follows the name of a group that the roster has them in."""
    if whole := next(filter(None, map(roster.with_name, person.names)), []):
        return whole
    return _any(roster.with_name(one.name) for one in person.grouped if _is_grouped(one, roster))


def _is_grouped(grouped: Grouped, roster: Roster) -> bool:
    """Whether it is a group and a person, and not a person with a hyphen in the name whom the roster does not have.

    The roster says so; or all of several with the same beginning are on the roster without it, and none of them with.
    """
    if any(letters(grouped.group) in student.groups for student in roster.with_name(grouped.name)):
        return True
    several = len(grouped.others) > 1
    return several and all(map(roster.with_name, grouped.others)) and not any(map(roster.with_name, grouped.wholes))


def _at_level(person: Person, roster: Roster) -> tuple[list[Student], str, bool]:
    """Whom the first level fits that fits anybody, that level with those around it, and whether it only resembles."""
    for depth, readings in enumerate(person.levels):
        whole, *others = readings
        around = [level[0] for level in person.levels[:depth]]
        if found := roster.with_id(whole) or roster.with_name(whole):
            return found, "/".join(map(written, (*around, _by_one_id(whole, roster)))), only_looks_alike(whole)
        matching = [other for other in others if roster.with_id(other) or roster.with_name(other)]
        if matching:
            found = _any(roster.with_id(other) or roster.with_name(other) for other in matching)
            return found, "/".join(map(written, (*around, *matching))), False
    found = _any(roster.with_id(one) or roster.with_name(one) for one in person.loosely)
    return found, "/".join(written(level[0]) for level in person.levels), bool(found)


def _by_one_id(an_id: str, roster: Roster) -> str:
    """The student's folder, so that two ids of one person, an old and a new one, are not two people; else as it was."""
    found = roster.with_exact_id(an_id)
    return found[0].id if len(found) == 1 else an_id


def _group_owners(person: Person, roster: Roster, numbered: Sequence[Student]) -> Owners:
    """All members of the group that is named. The one whom a platform's number names must be among them."""
    members = _group(person, roster)
    if outside := [student for student in numbered if student not in members]:
        raise NotPlaced(
            f"It is called like a group of the roster, and by its number it is from {outside[0].school_id}, who is not "
            "in that group. Correct the group on the roster."
        )
    name = next(iter((*person.names, *(level[0] for level in person.levels[-1:]))), "")
    return Owners(tuple(student.id for student in members), _key(person) or fold(name))


def _group(person: Person, roster: Roster) -> list[Student]:
    """The members of the group that is named, in a path by its innermost part. A whole section of a class is none."""
    named = {letters(one) for one in (*person.names, *(text for level in person.levels[-1:] for text in level))} - {""}
    members = roster.in_group(named)
    return members if len(members) <= MOST_MEMBERS and len(members) < len(roster.present) else []


def _key(person: Person) -> str:
    """What tells people apart by the platform's own naming is never that of a folder's or file's name."""
    return f"\0{person.key}" if person.key else ""


def _any(readings: Iterable[Sequence[Student]]) -> list[Student]:
    return list(dict.fromkeys(student for reading in readings for student in reading))


def _is_like(name: str, student: Student) -> bool:
    """Whether a name may be another form of the student's: it begins or ends with their last name."""
    last = letters(student.last_name)
    return bool(last) and (letters(name).startswith(last) or letters(name).endswith(last))


def _only_one_of(name: str, student: Student | None = None) -> str:
    whose = (
        f"{student.school_id} was found by the platform's number alone" if student else "It is placed for one person"
    )
    return (
        f"The export calls it {name!r}. {whose}: if that is a group, the other members are not known. "
        "Give a roster with a column `group`."
    )


def _refuse_anothers_folder(above: Sequence[str], students: Sequence[str], roster: Roster) -> None:
    """A file that a platform has named for one person and that lies in the folder of another is nobody's."""
    for folder in above:
        found = roster.with_exact_id(folder) or roster.with_name(folder)
        if found and not any(student.id in students for student in found):
            either = ", ".join(sorted({*(one.school_id for one in found), *students}))
            raise NotPlaced(f"It lies in the folder of one student and is called like another's: {either}.")
