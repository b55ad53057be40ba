"""A cohort of any size, made of a graded sample, and what a command takes with it in a process of its own.

The sandbox is not the question here: judges that know the sample answer for it, and everything else is as it is.
"""

import contextlib
import itertools
import json
import math
import os
import pickle
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Self

import nbformat

from grading.assignment import load_assignment
from grading.batch import grade_class
from grading.classroom import Classroom
from grading.demo.making import NAME
from grading.judging.job import Job, Judged, Rules, Times
from grading.judging.judges import File
from grading.results import read_results
from utils.files import write_whole
from utils.paths import COURSE

CELL_SECONDS = 10.0  # as `make grade-demo` has it: some of the demo's submissions never end
OF_A_SUBMISSION = {  # table of the gradebook: its columns whose values are another one's in each submission
    "student": ("id",),
    "submitted_assignment": ("id", "student_id"),
    "submitted_notebook": ("id", "assignment_id"),
    "grade": ("id", "notebook_id"),
    "comment": ("id", "notebook_id"),
    "reach_changes": ("student",),
}


@dataclass(frozen=True)
class Taken:
    """What one step took: processor seconds of the command and of what it started, and its most memory."""

    processor_seconds: float
    peak_megabytes: float


def make_cohort(sample: Classroom, classroom: Classroom, size: int) -> None:
    """A class in which copies of a graded sample's submissions are graded. Its notebooks are links to the sample's."""
    rounds = math.ceil(size / len(sample.students(NAME)))
    write_whole(classroom.released(NAME), sample.released(NAME).read_bytes())
    write_whole(classroom.batch(NAME), sample.batch(NAME).read_bytes())
    shutil.copy(sample.root / "nbgrader_config.py", classroom.root)
    for graded in read_results(sample, NAME):
        for number in range(rounds):
            student = _copy(graded.student, number)
            for where in ("submitted", "autograded"):
                path = getattr(classroom, where)(student, NAME)
                path.parent.mkdir(parents=True)
                os.link(getattr(sample, where)(graded.student, NAME), path)
            result = classroom.result(student, NAME)
            result.parent.mkdir(parents=True, exist_ok=True)
            result.write_text(json.dumps(asdict(replace(graded, student=student)), indent=1))
    shutil.copy(sample.gradebook, classroom.gradebook)
    multiply(classroom.gradebook, rounds)


def multiply(gradebook: Path, rounds: int) -> None:
    """Have each submission in a gradebook `rounds` times, by students of their own."""
    with contextlib.closing(sqlite3.connect(gradebook)) as database, database:
        for table, own in OF_A_SUBMISSION.items():
            _multiply(database, table, own, rounds)


def _copy(name: str, number: int) -> str:
    return f"{name}-{number}" if number else name


def _multiply(database: sqlite3.Connection, table: str, own: tuple[str, ...], rounds: int) -> None:
    """Copies of a table's rows, in which the columns that are a submission's own end in the number of the copy."""
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[2] != "INTEGER"]
    values = [f"{name} || '-' || number" if name in own else f'"{name}"' for name in columns]
    quoted = ", ".join(f'"{name}"' for name in columns)
    numbers = "WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers LIMIT ?)"
    if rounds > 1:
        copied = f"INSERT INTO {table} ({quoted}) {numbers} SELECT {', '.join(values)} FROM {table}, numbers"
        database.execute(copied, (rounds - 1,))


def make_roster(classroom: Classroom, new: int, folder: Path) -> Path:
    """The list of all who are in the class, and of `new` who have not handed in yet."""
    people = [*classroom.students(NAME), *map(_newcomer, range(new))]
    lines = (f"{one},First {one},Last {one},{one}@example.org" for one in people)
    write_whole(folder / "roster.csv", "\n".join(["id,first_name,last_name,email", *lines]) + "\n")
    return folder / "roster.csv"


def make_export(sample: Classroom, size: int, folder: Path) -> Path:
    """What comes in from a platform: a zip with the submissions of `size` who are new."""
    files = [sample.submitted(student, NAME).read_bytes() for student in sample.students(NAME)]
    with zipfile.ZipFile(folder / "export.zip", "w") as archive:
        for number, content in zip(range(size), itertools.cycle(files), strict=False):
            archive.writestr(f"{_newcomer(number)}_{NAME}.ipynb", content)
    return folder / "export.zip"


def _newcomer(number: int) -> str:
    return f"new{number:05}"


class Copies:
    """Judges for whom each file is one of the sample's, and comes to what that came to. See `judges.Judges`."""

    def __init__(self, sample: Classroom):
        self._known = {}
        for graded in read_results(sample, NAME):
            notebook = nbformat.read(sample.autograded(graded.student, NAME), as_version=4)
            content = sample.submitted(graded.student, NAME).read_bytes()
            self._known[sha256(content).digest()] = pickle.dumps(Judged(graded, notebook))  # as it comes from a judge

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None: ...

    def begin(self, job: Job, submissions: int) -> int:
        return 0

    def judge(self, files: Iterable[File]) -> Iterator[tuple[str, Judged]]:
        for file in files:
            content = file.content if isinstance(file.content, bytes) else file.content.encode()
            judged: Judged = pickle.loads(self._known[sha256(content).digest()])
            yield file.student, replace(judged, graded=replace(judged.graded, student=file.student, key=file.key))


def grade(root: Path, sample: Path) -> None:
    """What `reach-grade grade` does, with these judges."""
    from rich.console import Console

    from grading.console import progress

    classroom = Classroom(root)
    job = Job(NAME, classroom.released(NAME).read_text(encoding="utf-8"), Rules(times=Times(CELL_SECONDS)))
    with progress(Console(), NAME) as report:
        grade_class(classroom, load_assignment(classroom.released(NAME)), job, Copies(Classroom(sample)), report=report)


def run(*words: str | Path) -> Taken:
    """`python -m WORDS` to its end. Raises RuntimeError if it fails, with what it said."""
    environment = os.environ | {"PYTHONPATH": str(COURSE), "OMP_NUM_THREADS": "1", "TERM": "dumb"}
    environment.pop("REACH_DATA", None)
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-m", *map(str, words)]
        with subprocess.Popen(command, cwd=COURSE, env=environment, stdout=log, stderr=log) as process:
            most = 0.0
            while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
                most = max(most, _peak_megabytes(process.pid))
                time.sleep(0.1)
            process.returncode = os.waitstatus_to_exitcode(ended[1])
        log.seek(0)
        if process.returncode:
            said = log.read()[-2000:].decode(errors="replace")
            raise RuntimeError(f"{' '.join(map(str, words))} ended with {process.returncode}: {said}")
    return Taken(ended[2].ru_utime + ended[2].ru_stime, most)


def _peak_megabytes(process: int) -> float:
    """The most memory that the program has used so far. (What `wait4` says begins with that of who started it.)"""
    status = Path(f"/proc/{process}/status").read_text()
    peak = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(peak[1]) * 1024 / 1e6 if peak else 0.0


if __name__ == "__main__":
    grade(*map(Path, sys.argv[1:]))
