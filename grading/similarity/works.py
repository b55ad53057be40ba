"""The files that are compared: those of the class, and those of earlier years, each content once."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from grading.assignment import Assignment
from grading.classroom import Classroom
from grading.exchange.archives import Found
from grading.exchange.filenames import assignment_in, is_notebook
from grading.submission.parsing import Unreadable, file_bytes
from grading.untrusted.text import printable
from utils.paths import NOTEBOOKS


@dataclass(frozen=True)
class File:
    """A submission: whose it is, as it is shown; `student` is "" for one of an earlier year."""

    label: str
    student: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Work:
    """One content, and all files that have it. Files of a group that handed in together are one."""

    files: tuple[File, ...]

    @property
    def students(self) -> list[str]:
        """Those of this class; empty for a work of an earlier year."""
        return [file.student for file in self.files if file.student]

    @property
    def labels(self) -> list[str]:
        return [file.label for file in self.files]

    def read(self) -> bytes:
        """The content. Raises Unreadable where the file has gone since."""
        return self.files[0].read()


def of_class(classroom: Classroom, assignment: Assignment) -> Iterator[File]:
    """What the class has handed in."""
    for student in classroom.students(assignment.name):
        path = classroom.submitted(student, assignment.name)
        yield File(student, student, lambda path=path: file_bytes(path))


def of_earlier(files: Sequence[Found], assignment: Assignment) -> Iterator[File]:
    """The notebooks of this assignment in a folder or a zip.

    Of a class's folder, or an archive of one, only what lies in `submitted/` is looked at.
    """
    lessons = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
    of_a_class = any("submitted" in file.name.parts for file in files)
    for file in files:
        inside = file.name.parts[file.name.parts.index("submitted") + 1 :] if "submitted" in file.name.parts else ()
        if file.problem or not is_notebook(file.name) or of_a_class and len(inside) < 2:
            continue
        if assignment_in(file.name, lessons) in (None, assignment.name):
            yield File(f"earlier: {inside[0] if inside else printable(file.name)}", "", file.read)


def same_content(files: Iterable[File]) -> list[Work]:
    """The files as works, those of this class first. What cannot be read is left out: grading says so."""
    by_hash: dict[bytes, list[File]] = {}
    for file in files:
        try:
            by_hash.setdefault(hashlib.sha256(file.read()).digest(), []).append(file)
        except Unreadable:
            continue
    return sorted((Work(tuple(found)) for found in by_hash.values()), key=lambda work: not work.students)
