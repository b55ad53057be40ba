"""The work on one file of a batch, in a process that judges one after another."""

import hashlib
from dataclasses import replace
from functools import lru_cache

import nbformat
from nbformat import NotebookNode

from grading.assignment import Assignment, make_assignment
from grading.judging.grade import grade_notebook
from grading.judging.job import Job, Judged
from grading.judging.kept import new_sandbox, warm_sandbox
from grading.judging.private_checks import declared_exercises
from grading.results import Graded, Mark
from grading.submission.reading import Unreadable, read_content
from utils.checking import Status, Verdict


def prepare(job: Job) -> None:
    """All that is done once for a batch, so that its time is no submission's.

    Raises GradingError if there is no sandbox here, or an exercise is missing or breaks.
    """
    for task in _assignment(job).tasks:
        _ = task.exercises
    if not job.cold:
        warm_sandbox(job).wait_until_ready()


def grade_content(job: Job, student: str, content: bytes | str, key: str) -> Judged:
    """Grade the bytes of one submission, or the reason why they could not be read. Whatever they are, it ends."""
    prepare(job)
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
        Mark(task.grade_id, 0, task.points, Verdict(task.exercise, Status.NOT_ATTEMPTED, why))
        for task in assignment.tasks
    ]
    return Judged(Graded(student, assignment.name, marks, notes=[why], seed=job.rules.seed), assignment.notebook)


def _grade(job: Job, student: str, assignment: Assignment, notebook: NotebookNode) -> Judged:
    if job.cold:
        with new_sandbox(job) as sandbox:
            return grade_notebook(student, assignment, notebook, job.rules, sandbox)
    return grade_notebook(student, assignment, notebook, job.rules, warm_sandbox(job))


@lru_cache(maxsize=1)
def _assignment(job: Job) -> Assignment:
    private = declared_exercises(dict(job.private))
    return make_assignment(job.assignment, nbformat.reads(job.released, as_version=4), private)
