"""How fast a class is graded: `reach-grade` on one core and on two, beside nbgrader's own autograde on the same files.

The clock of the whole command counts, start and gradebook included. The command and all that it starts are pinned to
the cores. Both graders must give the same scores, or the bench fails.
"""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.grading_class import LESSON, make_class, make_one
from grading.assignment import load_assignment
from grading.classroom import Classroom
from grading.gradebook.book import Book
from grading.sandbox.usage import below, megabytes
from utils.paths import COURSE

MANY, FEW = 1_000, 20  # of which ours and nbgrader's time is taken
TURNS = 3  # of each grader on one file


@dataclass(frozen=True)
class Graded:
    """One run of our command: seconds, the most memory that all its processes used, and the scores."""

    seconds: float
    megabytes: float
    scores: dict[str, float | None]


def grading_per_minute_one_core() -> tuple[float, dict]:
    """Submissions a minute with everything on one core."""
    one = _graded(_cores()[-1:])
    return MANY / one.seconds * 60, {"submissions": MANY, "seconds": [one.seconds], "peak_megabytes": one.megabytes}


def grading_two_cores() -> tuple[float, dict]:
    """How much faster two cores are than one: than each of the two alone, in the mean, since cores can differ."""
    both = _cores()[-2:]
    two, alone = _graded(both), [_graded((core,)).seconds for core in both]
    details = {"submissions": MANY, "seconds": [two.seconds], "reference_seconds": alone}
    return statistics.fmean(alone) / two.seconds, details | {"peak_megabytes": two.megabytes}


def grading_speedup() -> tuple[float, dict]:
    """Time of one submission under stock nbgrader over ours, on one core; ours over many, nbgrader's over few."""
    ours = _graded(_cores()[-1:])
    with tempfile.TemporaryDirectory() as folder:
        stock = make_class(Path(folder), FEW)
        _register(stock)
        stock_each = _nbgrader(stock, _cores()[-1:]) / FEW
        scores = _scores(stock)
    if scores != {student: ours.scores[student] for student in scores}:
        raise RuntimeError("nbgrader and reach-grade disagree on the same submissions")
    each = ours.seconds / MANY
    return stock_each / each, {"submissions": [MANY, FEW], "seconds": [each], "reference_seconds": [stock_each]}


def grading_first_mark() -> tuple[float, dict]:
    """Time that nbgrader takes for one file of a whole lesson over ours, both on two cores, in turns."""
    ours, stock, scores = [], [], []
    for turn in range(2 * TURNS):
        with tempfile.TemporaryDirectory() as folder:
            one = make_one(Path(folder))
            _register(one)
            if turn % 2:
                ours.append(_reach_grade(one, _cores()[-2:])[0])
            else:
                stock.append(_nbgrader(one, _cores()[-2:]))
            scores.append(_scores(one))
    if any(score != scores[0] for score in scores):
        raise RuntimeError("nbgrader and reach-grade disagree on the same submission")
    details = {"submissions": 1, "seconds": ours, "reference_seconds": stock}
    return statistics.median(stock) / statistics.median(ours), details


def _cores() -> tuple[int, ...]:
    """All that we may use. Those at the end are used first: the first one answers the machine's interrupts."""
    return tuple(sorted(os.sched_getaffinity(0)))


@cache
def _graded(cores: tuple[int, ...]) -> Graded:
    """The class of many, graded on these cores; measured once a process."""
    with tempfile.TemporaryDirectory() as folder:
        classroom = make_class(Path(folder), MANY)
        seconds, megabytes = _reach_grade(classroom, cores)
        return Graded(seconds, megabytes, _scores(classroom))


def _reach_grade(classroom: Classroom, cores: tuple[int, ...]) -> tuple[float, float]:
    """Seconds and peak megabytes of the whole command."""
    command = [
        sys.executable,
        "-m",
        "grading.cli",
        "grade",
        "--class",
        str(classroom.root),
        "--workers",
        str(len(cores)),
    ]
    return _run(command, cores, classroom.root)


def _register(classroom: Classroom) -> None:
    """As `reach-grade release` and `nbgrader generate_assignment` do, before anything is handed in."""
    with Book(classroom) as book:
        book.register(load_assignment(classroom.released(LESSON)))


def _nbgrader(classroom: Classroom, cores: tuple[int, ...]) -> float:
    command = [sys.executable, "-m", "nbgrader", "autograde", LESSON, f"--course-dir={classroom.root}", "--create"]
    return _run(command, cores, classroom.root)[0]


def _run(command: list[str], cores: tuple[int, ...], folder: Path) -> tuple[float, float]:
    environment = os.environ | {"PYTHONPATH": str(COURSE), "OMP_NUM_THREADS": "1", "REACH_PROGRESS": "off"}
    started, most = time.monotonic(), 0.0
    with (folder / "bench.log").open("w") as log:
        run = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        while run.returncode is None:
            most = max(most, megabytes(below(os.getpid())))
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(1)
    seconds = time.monotonic() - started
    if run.returncode:
        raise RuntimeError(
            f"{' '.join(command)} ended with {run.returncode}: {(folder / 'bench.log').read_text()[-2000:]}"
        )
    return seconds, most


def _scores(classroom: Classroom) -> dict[str, float | None]:
    with Book(classroom) as book:
        return {score.student: score.points for score in book.scores(LESSON)}
