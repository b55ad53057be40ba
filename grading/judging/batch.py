"""Grade a class: every submission of an assignment, on all cores or on a Dask cluster, and never one twice.

A submission's result file is written last, after its notebook and its scores in the gradebook. So what was interrupted,
by Ctrl-C, a kill or a full disk, is done again by the same command, and what has a result file is not.
"""

import fcntl
import hashlib
import json
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import nbformat
from distributed import Client, LocalCluster, as_completed

import utils
from grading.assignment import Assignment
from grading.classroom import Classroom
from grading.files import write_whole
from grading.gradebook.book import Book
from grading.judging.job import Done, Job, grade_content
from grading.problems import GradingError
from grading.results import Graded
from grading.submission.parsing import Unreadable, file_bytes

AHEAD = 4  # submissions that wait at each worker, so that it is never idle and memory stays flat


@dataclass
class Tally:
    """What a batch came to. `failed` holds (student, reason) of submissions without a result, by no fault of theirs."""

    graded: list[Graded] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


def grade_class(
    classroom: Classroom,
    assignment: Assignment,
    job: Job,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    again: bool = False,
    report: Callable[[int, Tally], None] = lambda total, tally: None,
) -> Tally:
    """Grade what is in `submitted/` and has no result yet.

    Args:
        classroom: the class's folder.
        assignment: what was handed out.
        job: the rules; a seed of 0 in them stands for this batch's own.
        scheduler: address of a Dask scheduler; None for a cluster of this machine's cores.
        workers: how many processes to start; None for one a core. Not with `scheduler`.
        again: grade everything, with a new seed. Manual scores and comments stay.
        report: called with the number of submissions to grade, and what there is so far.

    Raises:
        GradingError: if another run is at work on this class, or the gradebook cannot be written.
    """
    with _alone(classroom), Book(classroom) as book:
        job = _with_seed(job, classroom, again)
        book.register(assignment)
        tally = Tally()
        waiting = list(_waiting(classroom, assignment, job, tally, again))
        report(len(waiting), tally)
        if not waiting:
            return tally
        with _client(scheduler, workers) as client:
            for student, done in _graded(client, classroom, assignment, job, waiting):
                if isinstance(done, Done):
                    book.record(done.graded, nbformat.reads(done.notebook, as_version=4))
                    done.graded.write(classroom.result(student, assignment.name))
                    tally.graded.append(done.graded)
                else:
                    tally.failed.append((student, done))
                report(len(waiting), tally)
        return tally


@contextmanager
def _alone(classroom: Classroom) -> Iterator[None]:
    """Grades are written by one process. The lock goes with the process, however that ends."""
    lock = classroom.root / ".grading.lock"
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise GradingError(f"Another run is grading in {classroom.root}. Wait for it, or end it.") from None
        yield


def _with_seed(job: Job, classroom: Classroom, again: bool) -> Job:
    """The batch's seed: drawn once, kept beside the results, so that a late submission gets the same cases."""
    kept = classroom.batch(job.assignment)
    if job.rules.seed:
        seed = job.rules.seed
    elif kept.is_file() and not again:
        return replace(job, rules=replace(job.rules, seed=json.loads(kept.read_text())["seed"]))
    else:
        seed = 1 + secrets.randbelow(2**31)
    write_whole(kept, json.dumps({"seed": seed}))
    return replace(job, rules=replace(job.rules, seed=seed))


def _waiting(
    classroom: Classroom, assignment: Assignment, job: Job, tally: Tally, again: bool
) -> Iterator[tuple[str, str]]:
    """(student, key) of each submission that is not graded by these rules yet."""
    rules = _fingerprint(job)
    for student in classroom.students(assignment.name):
        content = _content(classroom.submitted(student, assignment.name))
        key = hashlib.sha256(rules + (content if isinstance(content, bytes) else content.encode())).hexdigest()
        if not again and _key_of(classroom.result(student, assignment.name)) == key:
            tally.kept.append(student)
        else:
            yield student, key


def _content(path: Path) -> bytes | str:
    """A submitted file, or the reason why it cannot be read."""
    try:
        return file_bytes(path)
    except Unreadable as error:
        return str(error)


def _key_of(result: Path) -> str:
    """What an earlier result follows from; empty if there is none that can be read."""
    try:
        return Graded.read(result).key
    except (OSError, ValueError, TypeError, KeyError):
        return ""


def _fingerprint(job: Job) -> bytes:
    """Of everything that the marks follow from, besides the submission: the rules, the release, the checks."""
    digest = hashlib.sha256(json.dumps([asdict(job.rules), job.released, job.private]).encode())
    course = Path(utils.__file__).parent
    for source in sorted(course.glob("check*/*.py")):
        digest.update(source.read_bytes())
    return digest.digest()


@contextmanager
def _client(scheduler: str | None, workers: int | None) -> Iterator[Client]:
    """A Dask client. The local cluster's processes start fresh, one thread each, and end with it."""
    if scheduler:
        try:
            client = Client(scheduler, timeout="20s")
        except (OSError, ValueError) as error:
            raise GradingError(f"No Dask scheduler answers at {scheduler}: {error}") from error
        with client:
            yield client
        return
    with (
        LocalCluster(
            workers, threads_per_worker=1, memory_limit=None, dashboard_address=None, silence_logs=logging.ERROR
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _graded(
    client: Client, classroom: Classroom, assignment: Assignment, job: Job, waiting: list[tuple[str, str]]
) -> Iterator[tuple[str, Done | str]]:
    """(student, what was done, or why nothing could be) as they come, with few files in memory at a time."""
    slots = AHEAD * max(1, len(client.ncores()))
    everywhere = client.scatter(job, broadcast=True, hash=False)
    left = iter(waiting)
    running = as_completed()
    students = {}

    def add_one() -> None:
        for student, key in left:
            content = _content(classroom.submitted(student, assignment.name))
            future = client.submit(grade_content, everywhere, student, content, key, pure=False, retries=2)
            students[future.key] = student
            running.add(future)
            return

    for _ in range(slots):
        add_one()
    for future in running:
        student = students.pop(future.key)
        try:
            yield student, future.result()
        except Exception as error:  # a worker that died, or a fault of ours: said, and tried again next time
            yield student, f"{type(error).__name__}: {error}"
        future.release()
        add_one()
