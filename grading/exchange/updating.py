"""From the roster that a class has to the next one: who came, who went, and whose names or ids changed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from grading.exchange.folding import identity, letters
from grading.exchange.headers import IDS, OWN_ID
from grading.exchange.people import Roster, Student, folder_names

FEW = 3  # who may go without a question

COMPARED = ("school_id", "first_name", "last_name", "email")


@dataclass(frozen=True)
class Changes:
    """What a new roster changed. `changed` holds (before, now) of whose id, name or e-mail is another.

    `first` is true if there was no roster before: then all of them came.
    """

    roster: Roster
    came: list[Student] = field(default_factory=list)
    went: list[Student] = field(default_factory=list)
    came_back: list[Student] = field(default_factory=list)
    changed: list[tuple[Student, Student]] = field(default_factory=list)
    first: bool = False

    def sentences(self) -> Iterator[str]:
        """What an instructor should read, a line each."""
        if self.first:
            yield f"{len(self.came)} {'student is' if len(self.came) == 1 else 'students are'} on the roster"
            return
        for what, students in (("came", self.came), ("came back", self.came_back), ("went", self.went)):
            if students:
                yield f"{what} since the last roster: {', '.join(map(str, students))}"
        stayed = sum(not one.gone for one in self.roster.students) - len(self.came) - len(self.came_back)
        if len(self.went) > max(stayed, FEW):
            yield (
                f"{len(self.went)} went and {stayed} stayed. If this is the list of one section alone, give those of "
                "all of them at once, one file after the other."
            )
        gone = {letters(one.name) for one in self.roster.students if one.gone} - {""}
        if both := [one.name for one in self.came if letters(one.name) in gone]:
            yield (
                f"came and went by the same name: {', '.join(both)}. No id says that each is one person. If so, give "
                "one list that has both ids."
            )
        for before, now in self.changed:
            yield f"changed: {_difference(before, now)}"


def updated(earlier: Roster | None, roster: Roster) -> Changes:
    """The class after this roster: everybody on it, and those who are not any more, marked as gone."""
    before = {student.id: student for student in earlier.students} if earlier else {}
    pairs = _pairs(list(before.values()), roster)
    newcomers = [student for student in roster.students if student.id not in pairs]
    folders = folder_names((student.school_id for student in newcomers), before)
    came = [replace(student, id=folders[student.school_id]) for student in newcomers]
    met = [(before[pairs[now.id]], now) for now in roster.students if now.id in pairs]
    stayed = [(old, _merged(old, now, roster.guessed)) for old, now in met]
    there = {old.id for old, _ in stayed}
    missing = [old for old in before.values() if old.id not in there]
    everybody = [*came, *(now for _, now in stayed), *(replace(old, gone=True) for old in missing)]
    return Changes(
        roster=Roster(tuple(sorted(everybody, key=lambda student: student.id)), roster.notes),
        came=came,
        went=[old for old in missing if not old.gone],
        came_back=[now for old, now in stayed if old.gone],
        changed=[(old, now) for old, now in stayed if _what_changed(old, now)],
        first=earlier is None,
    )


def _pairs(before: list[Student], roster: Roster) -> dict[str, str]:
    """{id on the new roster: id of the same person in the class}, one to one.

    A person is the same by the same id of the school; else by what systems of one kind call them; else by an id that
    another column holds, such as a school's own id among Canvas's SIS ids, and the same name: each if that points to
    one person alone.
    """
    earlier = Roster(tuple(before))
    owners: dict[tuple[str, str], set[str]] = {}
    for student in before:
        for key in _known_keys(student):
            owners.setdefault(key, set()).add(student.id)
    found: dict[str, str] = {}
    for student in roster.students:
        own = owners.get(("own", identity(student.school_id)), set())
        others = set().union(*(owners.get(key, set()) for key in _known_keys(student)))
        same = own if len(own) == 1 else others or _same_person(student, earlier)
        if len(same) == 1:
            found[student.id] = next(iter(same))
    claims = Counter(found.values())
    return {new: old for new, old in found.items() if claims[old] == 1 or _is_own(new, old, roster, earlier)}


def _same_person(student: Student, earlier: Roster) -> set[str]:
    """The folders of those who have any of the student's ids in any column, and the student's name."""
    found = (old for an_id in student.written_ids for old in earlier.with_exact_id(an_id))
    return {old.id for old in found if old.names & student.names}


def _is_own(new: str, old: str, roster: Roster, earlier: Roster) -> bool:
    """Whether the two have the same id of the school: then that decides between people who share another id."""
    now, before = roster.of_folder(new), earlier.of_folder(old)
    return now is not None and before is not None and identity(now.school_id) == identity(before.school_id)


def _known_keys(student: Student) -> set[tuple[str, str]]:
    """(kind, id) of each id. A participant's number in Moodle is another one in each assignment."""
    keys = {(kind, identity(an_id)) for kind, an_id in student.known_as.items() if kind in IDS}
    return keys | {("own", identity(student.school_id))}


def _merged(old: Student, now: Student, guessed: bool) -> Student:
    """What the new roster says, and of the old one what the new is silent on, or guesses: where a last name begins.

    The school's own id is by the kind that ranks higher: a list by e-mail does not rename who has a student number.
    """
    known_as = {**old.known_as, **now.known_as}
    replaced = [an_id for kind, an_id in old.known_as.items() if kind in IDS and known_as[kind] != an_id]
    if guessed and letters(old.name) == letters(now.name):
        now = replace(now, first_name=old.first_name, last_name=old.last_name)
    own_kind = min(_own_kind(old), _own_kind(now), key=OWN_ID.index)
    return replace(
        now,
        id=old.id,
        school_id=known_as.get(own_kind, old.school_id),
        first_name=now.first_name or old.first_name,
        last_name=now.last_name or old.last_name,
        email=now.email or old.email,
        group=now.group or old.group,
        known_as=known_as,
        former=tuple(dict.fromkeys((*old.former, *replaced))),
    )


def _own_kind(student: Student) -> str:
    """Which kind of id the school's is; the lowest, if somebody has written another id into `roster.json`."""
    return next((kind for kind in OWN_ID if student.known_as.get(kind) == student.school_id), OWN_ID[-1])


def _what_changed(old: Student, now: Student) -> list[str]:
    return [name for name in COMPARED if getattr(old, name) and getattr(old, name) != getattr(now, name)]


def _difference(old: Student, now: Student) -> str:
    names = {"school_id": "id", "first_name": "first name", "last_name": "last name", "email": "e-mail"}
    parts = (f"{names[name]} {getattr(old, name)!r} is now {getattr(now, name)!r}" for name in _what_changed(old, now))
    return f"{old}: {', '.join(parts)}"
