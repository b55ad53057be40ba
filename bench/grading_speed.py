"""Submissions a minute: `reach-grade` on one core and on two, beside nbgrader's own autograde on the same files.

The clock of the whole command counts, start and gradebook included. The command and all that it starts are pinned to
the cores. Both graders must give the same scores, or the bench fails.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench.grading_class import LESSON, ROOT, make_class
from grading.assignment import load_assignment
from grading.classroom import Classroom
from grading.gradebook.book import Book

MANY, FEW = 400, 20
HIGHEST_MEMORY = 2_000  # megabytes of the whole run


def grading_per_minute_one_core() -> tuple[float, dict]:
    """Submissions a minute with everything on one core."""
    with tempfile.TemporaryDirectory() as folder:
        seconds, megabytes = _reach_grade(make_class(Path(folder), MANY), cores=1)
    details = {"submissions": MANY, "seconds": [seconds], "peak_megabytes": megabytes}
    return MANY / seconds * 60, details


def grading_two_cores() -> tuple[float, dict]:
    """How much faster two cores are than one, in one run."""
    seconds = {}
    for cores in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            seconds[cores], megabytes = _reach_grade(make_class(Path(folder), MANY), cores)
    details = {"submissions": MANY, "seconds": [seconds[2]], "reference_seconds": [seconds[1]]}
    return seconds[1] / seconds[2], details | {"peak_megabytes": megabytes}


def grading_speedup() -> tuple[float, dict]:
    """Time of one submission under stock nbgrader over ours, on one core; ours over many, nbgrader's over few."""
    with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as theirs:
        graded, stock = make_class(Path(ours), MANY), make_class(Path(theirs), FEW)
        seconds, _ = _reach_grade(graded, cores=1)
        stock_seconds = _nbgrader(stock)
        same = _scores(stock) == {
            student: score for student, score in _scores(graded).items() if student in _scores(stock)
        }
    if not same:
        raise RuntimeError("nbgrader and reach-grade disagree on the same submissions")
    each, stock_each = seconds / MANY, stock_seconds / FEW
    details = {"submissions": [MANY, FEW], "seconds": [each], "reference_seconds": [stock_each], "same_scores": same}
    return stock_each / each, details


def _reach_grade(classroom: Classroom, cores: int) -> tuple[float, float]:
    """Seconds and peak megabytes of the whole command."""
    command = [sys.executable, "-m", "grading.cli", "grade", "--class", str(classroom.root), "--workers", str(cores)]
    return _run(command, cores, classroom.root)


def _nbgrader(classroom: Classroom) -> float:
    with Book(classroom) as book:
        book.register(load_assignment(classroom.released(LESSON)))
    command = [sys.executable, "-m", "nbgrader", "autograde", LESSON, f"--course-dir={classroom.root}", "--create"]
    return _run(command, 1, classroom.root)[0]


def _run(command: list[str], cores: int, folder: Path) -> tuple[float, float]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "REACH_PROGRESS": "off"}
    pin = set(sorted(os.sched_getaffinity(0))[:cores])
    started, most = time.monotonic(), 0.0
    with (folder / "bench.log").open("w") as log:
        run = psutil.Popen(
            command,
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: os.sched_setaffinity(0, pin),
        )
        while run.poll() is None:
            most = max(most, _megabytes(run))
            time.sleep(1)
    seconds = time.monotonic() - started
    if run.returncode:
        raise RuntimeError(
            f"{' '.join(command)} ended with {run.returncode}: {(folder / 'bench.log').read_text()[-2000:]}"
        )
    return seconds, most


def _megabytes(run: psutil.Process) -> float:
    """Of a process and all below it; shared pages count once."""
    total = 0
    for process in [run, *run.children(recursive=True)]:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total / 1e6


def _scores(classroom: Classroom) -> dict[str, float]:
    with Book(classroom) as book:
        return {score.student: score.points for score in book.scores(LESSON)}
