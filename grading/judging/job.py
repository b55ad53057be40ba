"""What a batch's workers need to know, in plain values, and the work on one file. It runs in a worker."""

import atexit
import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from grading.assignment import Assignment, make_assignment
from grading.judging.grade import Judged, Rules, grade_notebook
from grading.judging.private_checks import declared_exercises
from grading.results import Graded, Mark
from grading.sandbox import Sandbox
from grading.sandbox.library import library_of
from grading.submission.reading import Unreadable, read_content
from utils.checking import Status, Verdict

WARM_MEGABYTES = 1_000  # more than the warm process, and a clean one beside a student's, ever take

Kind = tuple[Path | None, bool, float, frozenset[str]]

_kept: dict[Kind, Sandbox] = {}  # this worker's one warm sandbox, by its kind


@dataclass(frozen=True)
class Job:
    """A batch: the released notebook, the rules, and an instructor's private checks as (file name, source).

    `data` is a folder, on each worker's machine, that submissions may read.
    """

    assignment: str
    released: str
    rules: Rules
    private: tuple[tuple[str, str], ...] = ()
    data: str | None = None
    cold: bool = False
    unsafe: bool = False


def grade_content(job: Job, student: str, content: bytes | str, key: str) -> Judged:
    """Grade the bytes of one submission, or the reason why they could not be read. Whatever they are, it ends."""
    judged, repairs = _judged(job, student, content)
    graded = replace(
        judged.graded,
        notes=repairs + judged.graded.notes,
        sha256=hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else "",
        key=key,
        unsafe=job.unsafe,
    )
    return replace(judged, graded=graded)


def _judged(job: Job, student: str, content: bytes | str) -> tuple[Judged, list[str]]:
    """The result, and what had to be repaired before."""
    assignment = _assignment(job)
    try:
        if isinstance(content, str):
            raise Unreadable(content)
        reading = read_content(content, assignment)
    except Unreadable as error:
        return _unreadable(job, student, assignment, str(error)), []
    return _grade(job, student, assignment, reading.notebook), reading.notes


def _unreadable(job: Job, student: str, assignment: Assignment, why: str) -> Judged:
    """No points, and the reason, for a file that is no notebook; in its place stands the released one."""
    marks = [
        Mark(task.grade_id, 0, task.points, Verdict(task.exercises[0].name, Status.NOT_ATTEMPTED, why))
        for task in assignment.tasks
    ]
    return Judged(Graded(student, assignment.name, marks, notes=[why], seed=job.rules.seed), assignment.notebook)


def _grade(job: Job, student: str, assignment: Assignment, notebook: NotebookNode) -> Judged:
    if job.cold:
        with _sandbox(job) as sandbox:
            return grade_notebook(student, assignment, notebook, job.rules, sandbox)
    return grade_notebook(student, assignment, notebook, job.rules, _warm_sandbox(job))


def _sandbox(job: Job) -> Sandbox:
    return Sandbox(*_kind_of_sandbox(job))


def _kind_of_sandbox(job: Job) -> Kind:
    """All that a sandbox depends on: the data, whether it is unsafe, the most memory, and its part of our library."""
    limits = job.rules.limits
    most = limits.memory_megabytes + 2 * limits.scratch_megabytes + WARM_MEGABYTES
    return Path(job.data) if job.data else None, job.unsafe, most, _library(job)


def _warm_sandbox(job: Job) -> Sandbox:
    """The sandbox that this worker keeps, from one batch to the next, until a batch needs another kind."""
    kind = _kind_of_sandbox(job)
    if kind not in _kept:
        for other in _kept.values():
            other.close()
        _kept.clear()
        _kept[kind] = Sandbox(*kind)
        atexit.register(_kept[kind].close)
    return _kept[kind]


@lru_cache(maxsize=1)
def _assignment(job: Job) -> Assignment:
    private = declared_exercises(dict(job.private))
    return make_assignment(job.assignment, nbformat.reads(job.released, as_version=4), private)


@lru_cache(maxsize=1)
def _library(job: Job) -> frozenset[str]:
    return library_of(_assignment(job), (source for _, source in job.private))
