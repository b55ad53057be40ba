"""Students, and the list of them: found by any id or name by which a system knows them."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from grading.classroom import STUDENT
from grading.exchange.folding import fold, identity, letters, loose_identities


@dataclass(frozen=True)
class Student:
    """One person of a class.

    Attributes:
        id: the name of the student's folder, a `grading.classroom.STUDENT`.
        school_id: the id as the school writes it, which is shown and exported. The same as `id` for most.
        first_name, last_name, email, group: as the roster has them, or "".
        gone: was on an earlier roster, and is not on the newest.
        known_as: {kind of id, see `grading.exchange.headers`: id as written}.
        former: ids that the student had before, by which older files name them.
    """

    id: str
    school_id: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    group: str = ""
    gone: bool = False
    known_as: Mapping[str, str] = field(default_factory=dict, compare=False)
    former: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "school_id", self.school_id or self.id)

    @property
    def written_ids(self) -> set[str]:
        return {self.id, self.school_id, self.email, *self.known_as.values()} - {""}

    @property
    def keys(self) -> frozenset[str]:
        """All the ids under which any system may know the student, folded by `identity`."""
        return frozenset(map(identity, self.written_ids))

    @property
    def order(self) -> tuple[str, str, str]:
        """By which people are sorted: last name, first name, folder."""
        return fold(self.last_name), fold(self.first_name), self.id

    @property
    def names(self) -> set[str]:
        """The name in both orders, as file names have it: letters and digits only."""
        orders = (self.first_name + self.last_name, self.last_name + self.first_name)
        return {letters(name) for name in orders} - {""}

    @property
    def groups(self) -> set[str]:
        """The names of the student's groups, as `letters` has them."""
        return {letters(group) for group in re.split("[,;|]", self.group)} - {""}

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def __str__(self) -> str:
        return f"{self.name} ({self.school_id})" if self.name else self.school_id


@dataclass(frozen=True)
class Roster:
    """A class. `notes` say what an instructor should know of the file that it was read from, a sentence each.

    `guessed` is true where names stood there whole, `Omar de la Cruz`, so that nothing says where the last one begins.
    """

    students: tuple[Student, ...]
    notes: tuple[str, ...] = ()
    guessed: bool = False

    def with_id(self, an_id: str) -> list[Student]:
        """Whoever any system knows under this id; more than one if two systems give the same.

        Where nobody has it, zeros in front of a number, and a domain before or behind a login, do not count. Those who
        left the class are found where nobody else is.
        """
        loose = (one for form in loose_identities(an_id) for one in self._by_loose_id.get(form, ()))
        return self.with_exact_id(an_id) or _present(list(dict.fromkeys(loose)))

    def with_exact_id(self, an_id: str) -> list[Student]:
        """Whoever has this id, or else had it before."""
        return _present(self._by_id.get(identity(an_id), []) or self._by_former_id.get(identity(an_id), []))

    def with_name(self, name: str) -> list[Student]:
        return _present(self._by_name.get(letters(name), []))

    def of_folder(self, name: str) -> Student | None:
        """The student whose folder this is."""
        return self._by_folder.get(name)

    def in_group(self, names: Iterable[str]) -> list[Student]:
        """Who is in the class and in a group of one of these names, as `letters` has them."""
        found = {student.id for name in names for student in self._by_group.get(name, ())}
        return [student for student in self.present if student.id in found] if found else []

    @cached_property
    def present(self) -> list[Student]:
        return [student for student in self.students if not student.gone]

    @cached_property
    def _by_group(self) -> dict[str, list[Student]]:
        return _index((group, student) for student in self.present for group in student.groups)

    @cached_property
    def _by_folder(self) -> dict[str, Student]:
        return {student.id: student for student in self.students}

    @cached_property
    def _by_id(self) -> dict[str, list[Student]]:
        return _index((key, student) for student in self.students for key in student.keys)

    @cached_property
    def _by_former_id(self) -> dict[str, list[Student]]:
        return _index((identity(an_id), student) for student in self.students for an_id in student.former)

    @cached_property
    def _by_loose_id(self) -> dict[str, list[Student]]:
        forms = ((set().union(*map(loose_identities, student.written_ids)), student) for student in self.students)
        return _index((form, student) for loose, student in forms for form in loose)

    @cached_property
    def _by_name(self) -> dict[str, list[Student]]:
        return _index((name, student) for student in self.students for name in student.names)


def _index(pairs: Iterable[tuple[str, Student]]) -> dict[str, list[Student]]:
    index: dict[str, list[Student]] = {}
    for key, student in pairs:
        index.setdefault(key, []).append(student)
    return index


def _present(students: list[Student]) -> list[Student]:
    return [student for student in students if not student.gone] or students


def folder_names(school_ids: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """{id of a school: name of a folder} for new students of a class. `taken` are the folders that others have.

    An id that can be a folder's name is. Of any other the letters, digits and . _ @ - stay; what two ids would share,
    and what cannot be read any more, ends in a part of the id's hash. (nbgrader has its own use for a +, and Windows
    for a backslash.) The same ids always give the same names.
    """
    used = {fold(name) for name in taken}
    names = {}
    for school_id in sorted(set(school_ids), key=lambda one: (not STUDENT.fullmatch(one), one)):
        name = _folder_name(school_id)
        if fold(name) in used:
            name = _with_hash(name, school_id)
        used.add(fold(name))
        names[school_id] = name
    return names


def _folder_name(school_id: str) -> str:
    if STUDENT.fullmatch(school_id):
        return school_id
    letters_alone = unicodedata.normalize("NFKD", school_id)
    ascii_alone = "".join(one for one in letters_alone if one.isascii() or not one.isalnum())
    lost = any(one.isalnum() and not one.isascii() for one in letters_alone)
    name = re.sub(r"[^A-Za-z0-9._@-]+", "-", re.sub(r"[\u0300-\u036f]", "", ascii_alone)).strip("-._@")
    return name if STUDENT.fullmatch(name) and not lost else _with_hash(name, school_id)


def _with_hash(name: str, school_id: str) -> str:
    return f"{name[:50] or 'student'}-{hashlib.sha256(school_id.encode()).hexdigest()[:8]}"
