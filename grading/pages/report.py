"""The page that an instructor gets: how the class did, which named mistakes it made, and what to look at."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from grading.assignment import Assignment
from grading.classroom import Classroom
from grading.gradebook.due_dates import DueDates
from grading.pages.findings import named_mistakes, other_failures
from grading.pages.render import render
from grading.receipt import Receipt
from grading.results import Graded, missing_packages
from utils.checking import Status

SHOWN_MISTAKES = 15  # the rest is folded
MANY_POINTS = 20  # from here on, points are shown in ten ranges


@dataclass(frozen=True)
class Class:
    """What is known of a class beside its marks, by student. All of it may be missing.

    Attributes:
        names: {student: name}, to show beside the id.
        receipts: {student: how the submission came in}.
        penalties: {student: points taken off for a late submission}.
        absent: who has not handed in, as they are shown.
        pages: {student: address of the feedback page, from the class page on}.
        similar: address of the page of submissions that are alike, from the class page on.
        find_similar: the command that makes it.
        graded_at: when the last of them was graded.
        submitted: {student: when the submission came in}, as far as that is known.
        attempts: {student: how many times they handed in}, as far as that is known.
        late: {student: by how many seconds}, of those who are late.
        due: when it is due.
        course: address of the course page, "" for none.
        to_grade: who has handed in, and has no result yet.
        grade: the command that grades them.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    receipts: Mapping[str, Receipt] = field(default_factory=dict)
    penalties: Mapping[str, float] = field(default_factory=dict)
    absent: Sequence[str] = ()
    pages: Mapping[str, str] = field(default_factory=dict)
    similar: str = ""
    find_similar: str = Classroom(Path()).command("similar")
    graded_at: datetime | None = None
    submitted: Mapping[str, datetime] = field(default_factory=dict)
    attempts: Mapping[str, int] = field(default_factory=dict)
    late: Mapping[str, float] = field(default_factory=dict)
    due: DueDates = field(default_factory=DueDates)
    course: str = ""
    to_grade: Sequence[str] = ()
    grade: str = Classroom(Path()).command("grade")


@dataclass(frozen=True)
class Range:
    """How many students have at least `low` and at most `high` points."""

    low: float
    high: float
    students: int


@dataclass(frozen=True)
class ExerciseSummary:
    """How the class did in one exercise; times in seconds."""

    title: str
    counts: dict[Status, int]
    median: float
    slowest: float
    slowest_student: str

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def class_page(
    graded: list[Graded],
    assignment: Assignment,
    not_graded: Mapping[str, str] | None = None,
    about: Class | None = None,
    unsafe: bool = False,
) -> str:
    """One HTML page on a whole class.

    Args:
        graded: one for each student. A file that could not be read counts as not graded, and has no part in the rates.
        assignment: what was asked for.
        not_graded: {student or file: why it could not be graded}, beyond those without marks.
        about: what else is known of the class.
        unsafe: graded without a sandbox; the page says so.
    """
    about = about or Class()
    refused = {one.student: why for one in graded if (why := one.why_not_graded)}
    with_marks = sorted((one for one in graded if one.student not in refused), key=lambda one: one.student)
    return render(
        "report.html",
        script="sort.js",
        unsafe=unsafe,
        title=assignment.title,
        about=about,
        names=about.names,
        graded=with_marks,
        everybody=sorted(graded, key=lambda one: one.student),
        max_points=sum(task.points for task in assignment.tasks),
        quiz_points=assignment.quiz_points,
        mean=statistics.fmean(one.points for one in with_marks) if with_marks else 0,
        median=statistics.median(one.points for one in with_marks) if with_marks else 0,
        seeds=sorted({one.seed for one in with_marks}),
        distribution=distribution(with_marks, assignment),
        exercises=[_summary(task.grade_id, with_marks, assignment) for task in assignment.tasks] if with_marks else [],
        tasks=assignment.tasks,
        mistakes=named_mistakes(with_marks, assignment),
        shown_mistakes=SHOWN_MISTAKES,
        other_failures=other_failures(with_marks, assignment),
        incidents=_by_student(with_marks, "incident"),
        remarks=_by_student(with_marks, "remark"),
        missing=missing_packages(with_marks),
        noted=[(one.student, notes) for one in with_marks if (notes := _notes(one, about.receipts.get(one.student)))],
        not_graded=sorted((refused | dict(not_graded or {})).items()),
    )


def _by_student(graded: list[Graded], what: str) -> list[tuple[str, dict[str, list[str]]]]:
    """For each student with any: {what is said: exercises of which it is said}."""
    found = []
    for one in graded:
        said: dict[str, list[str]] = {}
        for mark in one.marks:
            if sentence := getattr(mark, what):
                said.setdefault(sentence, []).append(mark.verdict.exercise)
        if said:
            found.append((one.student, said))
    return found


def _notes(graded: Graded, receipt: Receipt | None) -> list[str]:
    """How it came in, and the notes that say more than the incidents, which stand in a table of their own."""
    incidents = [mark.incident for mark in graded.marks if mark.incident]
    of_grading = [note for note in graded.notes if not any(incident in note for incident in incidents)]
    return [*(receipt.notes if receipt else ()), *of_grading]


def distribution(graded: list[Graded], assignment: Assignment) -> list[Range]:
    """Students by points: one range for each whole number of points, or ten ranges where there are many.

    A range of one whole number reaches to the most points in it, which are more where parts of a point were given.
    """
    highest = sum(task.points for task in assignment.tasks)
    count = int(highest) + 1 if highest <= MANY_POINTS else 10
    width = 1 if highest <= MANY_POINTS else highest / count
    held: dict[int, list[float]] = defaultdict(list)
    for one in graded:
        held[min(count - 1, int(one.points / width))].append(one.points)
    highest_of = {n: max(held[n], default=n) if width == 1 else (n + 1) * width for n in range(count)}
    return [Range(n * width, highest_of[n], len(held[n])) for n in range(count)]


def _summary(grade_id: str, graded: list[Graded], assignment: Assignment) -> ExerciseSummary:
    marks = {one.student: mark for one in graded for mark in one.marks if mark.grade_id == grade_id}
    counts = Counter(mark.verdict.status for mark in marks.values())
    slowest = max(marks, key=lambda student: marks[student].seconds, default="")
    return ExerciseSummary(
        assignment.exercise_titles[grade_id],
        {status: counts[status] for status in Status},
        statistics.median([mark.seconds for mark in marks.values()] or [0]),
        marks[slowest].seconds if slowest else 0,
        slowest,
    )
