"""Runs of a batch in a process of its own, which a test can kill. They are forked from one that has imported it all."""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

from grading.assignment import load_assignment
from grading.batch import Tally, grade_class
from grading.classroom import Classroom
from grading.judging.cluster import ClusterJudges
from grading.judging.job import Job, Rules
from grading.judging.local import LocalJudges
from tests.grading.school import NAME

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])


def grade_all(
    root: Path,
    seed: int = 0,
    private: tuple = (),
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    again: bool = False,
    report: Callable = lambda total, tally: None,
) -> Tally:
    classroom = Classroom(root)
    assignment = load_assignment(classroom.released(NAME))
    job = Job(NAME, classroom.released(NAME).read_text(encoding="utf-8"), Rules(seed=seed), private)
    with ClusterJudges(scheduler) if scheduler else LocalJudges(workers) as judges:
        return grade_class(classroom, assignment, job, judges, again=again, report=report)


def started(target, *args, **options) -> BaseProcess:
    """A process that runs `target`."""
    run = FORKS.Process(target=target, args=args, kwargs=options)
    run.start()
    return run


def grade_until_killed(root: Path, steps: int, **options) -> None:
    """Grade, and be killed right before step `steps`: a statement to the database, a commit, a file put in place."""
    left = iter(range(steps, 0, -1))

    def step(*_) -> None:
        if next(left) == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", step)
    event.listen(Engine, "commit", step)
    sys.addaudithook(lambda name, _: step() if name == "os.rename" else None)
    grade_all(root, **options)


def grade_one_and_wait(root: Path, **options) -> None:
    """Grade until there is one result, and then stay there."""
    grade_all(root, report=lambda total, tally: time.sleep(3600) if tally.graded else None, **options)
