"""The page on a whole course: points by lesson, who falls behind, which mistakes stay, which exercise is too hard."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from grading.assignment import Assignment
from grading.gradebook.due_dates import DueDates
from grading.pages.findings import Finding, named_mistakes
from grading.pages.render import render
from grading.results import Graded

if TYPE_CHECKING:
    from grading.gradebook.book import Score

LATEST = 2  # lessons that tell whether somebody falls behind
ENOUGH = 0.5  # of the points that could be had in them
TOO_FEW = 0.5  # of the class: an exercise is too hard if fewer can do it, by the upper end of the interval
MOST = 0.5  # of the class: a mistake that more make is one of the lesson's


@dataclass(frozen=True)
class Points:
    """One student and one lesson: points that the gradebook counts, out of those that are graded so far."""

    points: float
    of: float
    waits: bool = False

    @property
    def share(self) -> float:
        return self.points / self.of if self.of else 1.0


@dataclass(frozen=True)
class Rate:
    """How many passed an exercise, of those whose file could be read."""

    title: str
    passed: int
    untouched: int
    total: int

    @property
    def share(self) -> float:
        return self.passed / self.total

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.passed, self.total)

    @property
    def too_hard(self) -> bool:
        return self.interval[1] < TOO_FEW


@dataclass(frozen=True)
class Lesson:
    """What the page needs of one graded assignment, and not its results, of which a course has thousands.

    Attributes:
        name, title: of the assignment.
        max_points: with the quiz.
        points: {student: what they have}, of those whose submission is graded.
        rates: of its exercises.
        mistakes: the named ones, and who made them.
        handed_in: how many files were graded.
        due: when it was due.
        pages: {student: address of the feedback page, from the course page on}.
        unsafe: some of it was graded without a sandbox.
        to_grade: who has handed in and has no points yet.
    """

    name: str
    title: str
    max_points: float
    points: Mapping[str, Points]
    rates: Sequence[Rate]
    mistakes: Sequence[Finding]
    handed_in: int
    due: DueDates = field(default_factory=DueDates)
    pages: Mapping[str, str] = field(default_factory=dict)
    unsafe: bool = False
    to_grade: Collection[str] = frozenset()

    @property
    def mean(self) -> float:
        """Of the points' shares, over those whose submission is graded."""
        return statistics.fmean(one.share for one in self.points.values()) if self.points else 0.0

    def is_due(self, student: str, now: datetime) -> bool:
        """Whether the student's time for it is over. Where no date is known, it is."""
        due = self.due.students.get(student, self.due.everybody)
        return due is None or due <= now

    def counts(self, student: str, now: datetime) -> bool:
        """Whether it tells how the student is doing: it is due, and what they handed in is graded."""
        return student not in self.to_grade and self.is_due(student, now)


@dataclass(frozen=True)
class Behind:
    """Somebody who falls behind: the latest lessons, with None for what was not handed in; shares of points."""

    student: str
    latest: list[tuple[str, Points | None]]
    share: float
    before: float | None


@dataclass(frozen=True)
class Staying:
    """A named mistake that students made in several lessons, or that most made in one."""

    name: str
    sentence: str
    places: list[str]
    students: list[str]


def lesson(
    assignment: Assignment,
    graded: list[Graded],
    scores: Iterable[Score],
    due: DueDates | None = None,
    pages: Mapping[str, str] | None = None,
    handed_in: Iterable[str] = (),
) -> Lesson:
    """Sum up one assignment. `scores` are the gradebook's; `handed_in` is who has a submission, graded or not."""
    read = [one for one in graded if not one.why_not_graded]
    scores = [score for score in scores if score.points is not None]
    most = assignment.quiz_points + sum(task.points for task in assignment.tasks)
    points = {score.student: _points(score) for score in scores}
    return Lesson(
        assignment.name,
        assignment.title,
        most,
        points,
        [rate for task in assignment.tasks if (rate := _rate(task.grade_id, assignment, read)).total],
        named_mistakes(read, assignment),
        len(graded),
        due or DueDates(),
        pages or {},
        any(one.unsafe for one in graded),
        frozenset(handed_in) - points.keys(),
    )


def _points(score: Score) -> Points:
    waits = score.needs_manual_grade
    return Points(score.points or 0.0, score.max_points - (score.by_hand if waits else 0.0), waits)


def _rate(grade_id: str, assignment: Assignment, graded: Iterable[Graded]) -> Rate:
    verdicts = [mark.verdict for one in graded for mark in one.marks if mark.grade_id == grade_id and not mark.fault]
    passed = sum(verdict.passed for verdict in verdicts)
    untouched = sum(verdict.status == "not attempted" for verdict in verdicts)
    return Rate(assignment.exercise_titles[grade_id], passed, untouched, len(verdicts))


def course_page(lessons: Sequence[Lesson], students: Mapping[str, str], now: datetime) -> str:
    """One HTML page on all assignments that are graded.

    Args:
        lessons: in their order.
        students: {student: name, or ""} of who is in the class.
        now: what is not due by then holds nobody up.
    """
    return render(
        "course.html",
        script="sort.js",
        unsafe=any(one.unsafe for one in lessons),
        lessons=lessons,
        students=students,
        names={student: name for student, name in students.items() if name},
        sums={
            student: sum(one.points[student].points for one in lessons if student in one.points) for student in students
        },
        total=sum(one.max_points for one in lessons),
        now=now,
        behind=falling_behind(lessons, students, now),
        latest=LATEST,
        repeated=repeated_mistakes(lessons),
        common=common_mistakes(lessons),
        rates=sorted((rate for one in lessons for rate in one.rates), key=lambda rate: rate.share),
    )


def falling_behind(lessons: Sequence[Lesson], students: Iterable[str], now: datetime) -> list[Behind]:
    """Who has not handed in the latest lesson that is due, or has too few points in the latest ones; the worst first.

    What was not handed in has no points. What is still to be graded holds nobody up, like what is not due. `before` is
    the share in all lessons before the latest, None without any.
    """
    found = []
    for student in students:
        due = [one for one in lessons if one.counts(student, now)]
        latest = [(one.name, one.points.get(student)) for one in due[-LATEST:]]
        share = _share(due[-LATEST:], student)
        if due and (share < ENOUGH or latest[-1][1] is None):
            earlier = due[:-LATEST]
            found.append(Behind(student, latest, share, _share(earlier, student) if earlier else None))
    return sorted(found, key=lambda one: (one.share, one.student))


def _share(lessons: Iterable[Lesson], student: str) -> float:
    """Of all points that these lessons gave."""
    had = [one.points.get(student, Points(0.0, one.max_points)) for one in lessons]
    return Points(sum(one.points for one in had), sum(one.of for one in had)).share


def repeated_mistakes(lessons: Sequence[Lesson]) -> list[Staying]:
    """Mistakes of one name that somebody made in one lesson and again in another, with all who did."""
    made: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    where: dict[str, list[tuple[str, Finding]]] = defaultdict(list)
    for one in lessons:
        for finding in one.mistakes:
            where[finding.name].append((one.name, finding))
            for student in finding.students:
                made[finding.name][student].add(one.name)
    staying = []
    for name, of in made.items():
        if students := sorted(student for student, in_lessons in of.items() if len(in_lessons) > 1):
            places = [_place(*place) for place in where[name] if set(students) & set(place[1].students)]
            staying.append(Staying(name, where[name][-1][1].sentence, places, students))
    return sorted(staying, key=lambda one: (-len(one.students), one.name))


def common_mistakes(lessons: Sequence[Lesson]) -> list[Staying]:
    """Mistakes that more than half of those made who handed the lesson in."""
    return [
        Staying(finding.name, finding.sentence, [_place(one.name, finding)], finding.students)
        for one in lessons
        for finding in one.mistakes
        if len(finding.students) > MOST * one.handed_in
    ]


def _place(lesson: str, finding: Finding) -> str:
    return f"{lesson[:2]} {finding.exercise}"


def wilson(passed: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval in which the share lies that would pass if the class were as large as could be.

    It holds for small classes and for shares near 0 and 1, where the usual one leaves the range.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference. Journal of the American
    Statistical Association 22 (1927), 209-212.
    """
    z = statistics.NormalDist().inv_cdf(0.5 + confidence / 2)
    share, shrink = passed / of, 1 + z * z / of
    centre = (share + z * z / (2 * of)) / shrink
    half = z * math.sqrt(share * (1 - share) / of + (z / (2 * of)) ** 2) / shrink
    return max(0.0, centre - half), min(1.0, centre + half)
