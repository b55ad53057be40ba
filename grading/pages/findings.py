"""What went wrong in a class, how often, and for whom: named mistakes, and other ways to fail."""

import re
from collections import defaultdict
from dataclasses import dataclass, field

from grading.assignment import Assignment
from grading.results import Graded, Mark
from utils.checking import Status, Verdict
from utils.checking.outcome import Problem
from utils.checking.shorten import shorten


@dataclass
class Finding:
    """A named mistake, or another way to fail, and who did it."""

    exercise: str
    name: str
    sentence: str
    students: list[str] = field(default_factory=list)


def named_mistakes(graded: list[Graded], assignment: Assignment) -> list[Finding]:
    """Which named mistakes the class made, the most frequent first, each with its sentence and who made it."""
    sentences = {
        (task.grade_id, mistake.name): mistake.explanation
        for task in assignment.tasks
        for exercise in task.exercises
        for mistake in exercise.mistakes
    }
    found: dict[tuple[str, str], Finding] = {}
    for one, mark in _failed(graded):
        if mark.verdict.mistake:
            key = (mark.grade_id, mark.verdict.mistake)
            sentence = sentences.get(key, mark.verdict.explanation)
            name = mark.verdict.mistake.replace("_", " ")
            found.setdefault(key, Finding(mark.verdict.exercise, name, sentence)).students.append(one.student)
    return _most_frequent_first(found, assignment)


def other_failures(graded: list[Graded], assignment: Assignment) -> dict[str, list[Finding]]:
    """{exercise: its answers that fail without a named mistake or an incident, by what went wrong}."""
    found: dict[tuple[str, str], Finding] = {}
    for one, mark in _failed(graded):
        if not mark.verdict.mistake and not mark.incident:
            key = (mark.grade_id, _what_went_wrong(mark.verdict))
            found.setdefault(key, Finding(mark.verdict.exercise, "", key[1])).students.append(one.student)
    by_exercise = defaultdict(list)
    for finding in _most_frequent_first(found, assignment):
        by_exercise[finding.exercise].append(finding)
    return by_exercise


def _what_went_wrong(verdict: Verdict) -> str:
    """The verdict's summary, made equal for students to whom the same thing happened."""
    if re.fullmatch(r"\d+ of \d+ cases fail\.", verdict.summary):
        return "It gave wrong values that no named mistake explains."
    error = verdict.problem.partition(":")[0].partition("\n")[0]
    if verdict.summary == f"It {Problem.RAISED}." and error.isidentifier():
        return f"It raised {shorten(error, 60)}."
    return verdict.summary


def _failed(graded: list[Graded]) -> list[tuple[Graded, Mark]]:
    return [(one, mark) for one in graded for mark in one.marks if mark.verdict.status is Status.FAILED]


def _most_frequent_first(found: dict[tuple[str, str], Finding], assignment: Assignment) -> list[Finding]:
    """Those of equal frequency stand in the order of the exercises."""
    order = [task.grade_id for task in assignment.tasks]
    keys = sorted(found, key=lambda key: (-len(found[key].students), order.index(key[0])))
    return [found[key] for key in keys]
