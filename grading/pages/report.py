"""The page that an instructor gets: how the class did, and which named mistakes it made."""

import hashlib
import io
import re
import statistics
import tokenize
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from nbformat import NotebookNode

from grading.assignment import Assignment
from grading.pages.render import render
from grading.results import Graded, Mark
from utils.checking import Status, Verdict
from utils.checking.calling import Problem
from utils.checking.describe import shorten

SHOWN_MISTAKES = 15  # the rest is folded
MANY_POINTS = 20  # from here on, points are shown in ten ranges


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


@dataclass
class Finding:
    """A named mistake, or another way to fail, and who did it."""

    exercise: str
    name: str
    sentence: str
    students: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Group:
    """Students whose submissions are the same file, or hold the same answers."""

    what: str
    students: list[str]


def class_page(
    graded: list[Graded],
    assignment: Assignment,
    not_graded: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    answers: Mapping[str, dict[str, str]] | None = None,
    unsafe: bool = False,
) -> str:
    """One HTML page on a whole class.

    Args:
        graded: one for each student. A file that could not be read counts as not graded, and has no part in the rates.
        assignment: what was asked for.
        not_graded: {student or file: why it could not be graded}, beyond those without marks.
        names: {student: name}, to show beside the id.
        answers: {student: what `answer_fingerprints` gave for the notebook}, to find equal answers.
        unsafe: graded without a sandbox; the page says so.
    """
    refused = {one.student: why for one in graded if (why := one.why_not_graded)}
    with_marks = sorted((one for one in graded if one.student not in refused), key=lambda one: one.student)
    return render(
        "report.html",
        unsafe=unsafe,
        title=assignment.title,
        graded=with_marks,
        max_points=sum(task.points for task in assignment.tasks),
        mean=statistics.fmean(one.points for one in with_marks) if with_marks else 0,
        median=statistics.median(one.points for one in with_marks) if with_marks else 0,
        seeds=sorted({one.seed for one in with_marks}),
        distribution=distribution(with_marks, assignment),
        exercises=[_summary(task.grade_id, with_marks, assignment) for task in assignment.tasks] if with_marks else [],
        tasks=assignment.tasks,
        mistakes=named_mistakes(with_marks, assignment),
        shown_mistakes=SHOWN_MISTAKES,
        other_failures=other_failures(with_marks, assignment),
        incidents=[(one.student, mark) for one in with_marks for mark in one.marks if mark.incident],
        noted=[(one.student, notes) for one in with_marks if (notes := _notes(one))],
        not_graded=sorted((refused | dict(not_graded or {})).items()),
        same=same_submissions(with_marks, answers or {}),
        names=names or {},
    )


def _notes(graded: Graded) -> list[str]:
    """The notes that say more than the incidents, which stand in a table of their own."""
    incidents = [mark.incident for mark in graded.marks if mark.incident]
    return [note for note in graded.notes if not any(incident in note for incident in incidents)]


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


def other_failures(graded: list[Graded], assignment: Assignment) -> list[Finding]:
    """Answers that fail without a named mistake or an incident, by what went wrong."""
    found: dict[tuple[str, str], Finding] = {}
    for one, mark in _failed(graded):
        if not mark.verdict.mistake and not mark.incident:
            key = (mark.grade_id, _what_went_wrong(mark.verdict))
            found.setdefault(key, Finding(mark.verdict.exercise, "", key[1])).students.append(one.student)
    return _most_frequent_first(found, assignment)


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


def answer_fingerprints(notebook: NotebookNode, assignment: Assignment) -> dict[str, str]:
    """{grade_id: fingerprint of the answer}, for the answers that were changed.

    Equal answers have equal fingerprints; comments, blank lines and spaces within a line do not count.
    """
    by_id = {cell.id: cell for cell in notebook.cells}
    released = {cell.id: cell for cell in assignment.notebook.cells}
    fingerprints = {}
    for grade_id, cell_id in assignment.answer_cells.items():
        if cell_id in by_id and by_id[cell_id].source != released[cell_id].source:
            fingerprints[grade_id] = hashlib.sha256("\0".join(_words(by_id[cell_id].source)).encode()).hexdigest()
    return fingerprints


def _words(source: str) -> list[str]:
    """The tokens of Python code without comments; the lines of what is no Python."""
    source = source.encode("utf-8", "replace").decode()
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return source.splitlines()
    return [token.string for token in tokens if token.type not in (tokenize.COMMENT, tokenize.NL)]


def same_submissions(graded: list[Graded], answers: Mapping[str, dict[str, str]]) -> list[Group]:
    """Groups of students who handed in the same file, or other files with the same answers throughout.

    Submissions in which nothing was attempted are left out.
    """
    attempted = [one for one in graded if any(mark.verdict.status is not Status.NOT_ATTEMPTED for mark in one.marks)]
    files, contents = defaultdict(list), defaultdict(list)
    for one in attempted:
        files[one.sha256 or one.student].append(one.student)
        contents[tuple(sorted(answers.get(one.student, {}).items())) or one.student].append(one.student)
    same_files = [group for group in files.values() if len(group) > 1]
    same_answers = [group for group in contents.values() if len(group) > 1 and group not in same_files]
    return [Group("the same file", group) for group in same_files] + [
        Group("the same answers", g) for g in same_answers
    ]
