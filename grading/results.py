"""What grading one submission came to, in plain values that are written as JSON and read back."""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from grading.classroom import Classroom
from grading.problems import GradingError
from utils.checking import Earned, Status, Verdict
from utils.files import write_whole


@dataclass(frozen=True)
class Mark:
    """What one check came to: the check cell's `grade_id`, the points, and the verdict with its diagnosis.

    `seconds` are of processor time: what the submission's processes used while they were asked. `incident` is empty, or
    says what the submission did that kept the check from ending in the usual way. `fault` is empty, or says what the
    judge or the machine lacked: such a mark is no mark, and the submission is graded again. `remark` is what an
    instructor should know of the answer, such as that it calls the course's own library; it costs no points.
    """

    grade_id: str
    points: float
    max_points: float
    verdict: Verdict
    seconds: float = 0.0
    incident: str = ""
    fault: str = ""
    remark: str = ""

    @property
    def note_on_incident(self) -> str:
        """The sentence among a result's notes; empty where nothing happened."""
        return f"{self.verdict.exercise} {self.incident}." if self.incident else ""


@dataclass(frozen=True)
class Graded:
    """One student's submission of one assignment, graded.

    `notes` say what was repaired in the file and what the submission did that it should not. `seed` is that of the
    random cases, `sha256` that of the file as it was handed in, `key` of everything that the marks follow from,
    `seconds` are those of the processor that the submission used, and `unsafe` is true where there was no sandbox.
    `missing` are packages that it failed to import, as it says itself. `basis` is what the marks follow from besides
    the file, see `grading.basis`; `apart` has another {grade_id: basis} for marks that were replaced later, alone.
    """

    student: str
    assignment: str
    marks: list[Mark]
    notes: list[str] = field(default_factory=list)
    seed: int = 0
    sha256: str = ""
    key: str = ""
    seconds: float = 0.0
    peak_megabytes: float = 0.0
    unsafe: bool = False
    missing: list[str] = field(default_factory=list)
    basis: dict[str, str] = field(default_factory=dict)
    apart: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def points(self) -> float:
        return sum(mark.points for mark in self.marks)

    @property
    def max_points(self) -> float:
        return sum(mark.max_points for mark in self.marks)

    @property
    def fault(self) -> str:
        """What the judge or the machine lacked, by the first mark that says so; empty if these are marks."""
        return next((mark.fault for mark in self.marks if mark.fault), "")

    @property
    def why_not_graded(self) -> str:
        """The reason why the file could not be read; empty if it was graded.

        In the place of such a file stand marks of exercises not attempted, with the reason, which is in the notes too.
        """
        reasons = {mark.verdict.summary for mark in self.marks} & set(self.notes)
        if not self.marks or reasons:
            return " ".join(self.notes) or "There is no result for it."
        return ""

    def with_marks_of(self, later: "Graded", cells: Collection[str]) -> "Graded":
        """This result with the marks that `later`, of the same file, has for these cells. All else stays as it is.

        The key stays, too: it is that of the rules by which the other marks were given.
        """
        newer = {mark.grade_id: mark for mark in later.marks if mark.grade_id in cells}
        gone = {mark.note_on_incident for mark in self.marks if mark.grade_id in newer}
        came = [mark.note_on_incident for mark in newer.values() if mark.incident]
        apart = {cell: basis for cell, basis in self.apart.items() if cell not in newer}
        if later.basis != self.basis:
            apart |= dict.fromkeys(newer, later.basis)
        return replace(
            self,
            marks=[newer.get(mark.grade_id, mark) for mark in self.marks],
            notes=[*(note for note in self.notes if note not in gone), *came],
            unsafe=self.unsafe or later.unsafe,
            apart=apart,
        )

    def write(self, path: Path) -> None:
        """Write as JSON, whole or not at all."""
        write_whole(path, json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, path: Path) -> "Graded":
        """Read what `write` wrote."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        marks = [_mark(mark) for mark in fields.pop("marks")]
        return cls(marks=marks, **fields)


def read_results(classroom: Classroom, assignment: str) -> list[Graded]:
    """What grading has found so far, by student. Raises GradingError if there is nothing, or a file is damaged."""
    return list(each_result(classroom, assignment))


def each_result(classroom: Classroom, assignment: str) -> Iterator[Graded]:
    """The same one by one, for what needs no two of them at once: a cohort may have more than memory has room for."""
    folder = classroom.result("anyone", assignment).parent
    paths = sorted(folder.glob("[!.]*.json"))
    if not paths:
        first = classroom.command("grade")
        raise GradingError(f"{folder} holds no results. Grade the assignment first: {first}")
    yield from map(_read_result, paths)


def missing_packages(graded: Iterable[Graded]) -> dict[str, list[str]]:
    """{package that is not installed where it was graded: students who import it}, the most wanted first."""
    found: dict[str, list[str]] = {}
    for one in graded:
        for package in one.missing:
            found.setdefault(package, []).append(one.student)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


def _read_result(path: Path) -> Graded:
    try:
        return Graded.read(path)
    except (ValueError, KeyError, TypeError) as error:
        message = f"{path} is damaged ({error}). Delete it, and grade the assignment again: the rest is kept."
        raise GradingError(message) from None


def _mark(fields: dict[str, Any]) -> Mark:
    verdict: dict[str, Any] = fields.pop("verdict")
    verdict["status"] = Status(verdict["status"])
    verdict["credit"] = [Earned(**one) for one in verdict.get("credit", ())]
    return Mark(verdict=Verdict(**verdict), **fields)
