"""Grade a class: every submission of an assignment, on all cores or on a Dask cluster, and never one twice.

A submission's result file is written last, after its notebook and its scores in the gradebook. So what was interrupted,
by Ctrl-C, a kill or a full disk, is done again by the same command, and what has a result file is not.
"""

import fcntl
import hashlib
import json
import platform
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from grading.assignment import Assignment
from grading.classroom import Classroom
from grading.gradebook.book import Book
from grading.judging.grade import Judged
from grading.judging.job import Job, grade_content
from grading.pool import Pool, pool
from grading.problems import GradingError
from grading.results import Graded
from grading.submission.parsing import Unreadable, file_bytes
from utils.checking.seeds import new_seed
from utils.files import write_whole
from utils.paths import COURSE

LOST = "The process that judged it died, twice: the second time it was judged alone. Look at this file."


@dataclass
class Tally:
    """What a batch came to. `failed` holds (student, reason) of submissions without a result.

    `outdated` counts those that have a result already, by other rules or checks, and are graded anew.
    """

    graded: list[Graded] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    outdated: int = 0


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
        scheduler: address of a Dask scheduler; None for processes of this machine.
        workers: how many processes to start; None for one a core. Not with `scheduler`.
        again: grade everything, with a new seed or the one in the rules. Manual scores and comments stay. Where such a
            run was interrupted, it goes on.
        report: called with the number of submissions to grade, and what there is so far.

    Raises:
        GradingError: if another run is at work on this class, or the gradebook cannot be written.
    """
    with _class_lock(classroom), Book(classroom) as book:
        job, force = _with_seed(job, classroom, again), again and job.rules.seed > 0
        book.register(assignment)
        tally = Tally()
        waiting = list(_waiting(classroom, assignment, job, tally, force))
        report(len(waiting), tally)
        if waiting:
            with pool(scheduler, workers, len(waiting)) as judges:
                for student, judged in _judged(judges, classroom, job, waiting):
                    _record(book, classroom, student, judged, tally)
                    report(len(waiting), tally)
        _keep_seed(classroom, job, finished=not tally.failed)
        return tally


def _record(book: Book, classroom: Classroom, student: str, judged: Judged | str, tally: Tally) -> None:
    if isinstance(judged, str):
        tally.failed.append((student, judged))
        return
    graded = judged.graded
    book.record(graded, judged.notebook)
    graded.write(classroom.result(student, graded.assignment))
    tally.graded.append(graded)


@contextmanager
def _class_lock(classroom: Classroom) -> Iterator[None]:
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
    path = classroom.batch(job.assignment)
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    anew = again and kept.get("finished", True)
    seed = job.rules.seed or (0 if anew else kept.get("seed", 0)) or new_seed()
    job = replace(job, rules=replace(job.rules, seed=seed))
    _keep_seed(classroom, job, finished=False)
    return job


def _keep_seed(classroom: Classroom, job: Job, finished: bool) -> None:
    write_whole(classroom.batch(job.assignment), json.dumps({"seed": job.rules.seed, "finished": finished}))


def _waiting(
    classroom: Classroom, assignment: Assignment, job: Job, tally: Tally, force: bool
) -> Iterator[tuple[str, str]]:
    """(student, key) of each submission that is not graded by these rules yet."""
    rules = _digest(job)
    for student in classroom.students(assignment.name):
        content = _content(classroom.submitted(student, assignment.name))
        content = content if isinstance(content, bytes) else content.encode()
        key = hashlib.sha256(rules + content).hexdigest()
        earlier = _earlier(classroom.result(student, assignment.name))
        if earlier and earlier.key == key and not force:
            tally.kept.append(student)
            continue
        tally.outdated += bool(earlier and earlier.sha256 == hashlib.sha256(content).hexdigest())
        yield student, key


def _earlier(result: Path) -> Graded | None:
    """An earlier result; None if there is none that can be read."""
    try:
        return Graded.read(result)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _content(path: Path) -> bytes | str:
    """A submitted file, or the reason why it cannot be read."""
    try:
        return file_bytes(path)
    except Unreadable as error:
        return str(error)


def _digest(job: Job) -> bytes:
    """Of everything that the marks follow from, besides the submission: rules, release, the course's code, versions.

    All of `utils` counts and not the checks alone, since submissions may use any of it.
    """
    versions = [platform.python_version(), *map(version, ("torch", "numpy"))]
    digest = hashlib.sha256(json.dumps([asdict(job.rules), job.released, job.private, job.data, versions]).encode())
    for package in ("grading", "utils"):
        for source in sorted((COURSE / package).rglob("*.py")):
            digest.update(source.read_bytes())
    return digest.digest()


def _judged(
    pool: Pool, classroom: Classroom, job: Job, waiting: list[tuple[str, str]]
) -> Iterator[tuple[str, Judged | str]]:
    """(student, what it came to, or why it came to nothing) as they come.

    Whose judge was lost, or whose machine lacked something, is judged once more when all others are done, alone. So
    nobody pays for a neighbour; and what loses its judge alone, too, is known by name.
    """
    again = []
    for student, key, outcome in _side_by_side(pool, classroom, job, waiting):
        if _trouble(outcome):
            again.append((student, key))
        else:
            yield student, outcome
    for one in again:
        for student, _, outcome in _side_by_side(pool, classroom, job, [one]):
            yield student, _trouble(outcome) or outcome


def _trouble(outcome: Judged | str) -> str:
    """What the judge or the machine lacked; empty where that is not why it came to nothing."""
    if isinstance(outcome, Judged):
        return outcome.graded.fault
    return LOST if outcome == LOST else ""


def _side_by_side(
    pool: Pool, classroom: Classroom, job: Job, waiting: list[tuple[str, str]]
) -> Iterator[tuple[str, str, Judged | str]]:
    """(student, key, outcome), with few files in memory at a time."""
    left, running = iter(waiting), {}
    while True:
        for student, key in islice(left, pool.slots - len(running)):
            content = _content(classroom.submitted(student, job.assignment))
            running[pool.submit(grade_content, job, student, content, key)] = student, key
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            yield *running.pop(future), _outcome(future, pool.lost)


def _outcome(future: Future, lost: tuple[type[Exception], ...]) -> Judged | str:
    try:
        return future.result()
    except lost:
        return LOST
    except Exception as error:  # a fault of ours: said, and tried again next time
        return f"{type(error).__name__}: {error}"
