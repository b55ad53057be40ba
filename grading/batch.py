"""Grade a class: every submission of an assignment, on all cores or on a Dask cluster, and never one twice.

A submission's result file is written last, after its notebook and its scores in the gradebook. So what was interrupted,
by Ctrl-C, a kill or a full disk, is done again by the same command, and what has a result file is not.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from grading.assignment import Assignment
from grading.basis import basis
from grading.classroom import Classroom
from grading.judging.job import Job, Judged
from grading.judging.judges import File, Judges, NoResult
from grading.lock import class_lock
from grading.results import Graded
from grading.sandbox.library import library_of
from grading.waiting import EVERYTHING, Chosen, Search, Waiting, read_content
from grading.worker.imports import no_collections
from utils.checking.seeds import new_seed
from utils.files import write_whole

if TYPE_CHECKING:
    from grading.gradebook.book import Book

WAITS = (0, 1, 2, 4, 8, 15, 30)  # seconds between tries while a database's server is away

log = logging.getLogger(__name__)


@dataclass
class Tally:
    """What a batch came to. `failed` holds (student, reason) of submissions without a result.

    `outdated` counts those that have a result already, by other rules or checks, and are graded again. `anew`: all are
    graded by a new seed, and `kept` are those for which an earlier run has done so. `processes` judge, 0 of them where
    a cluster does.
    """

    graded: list[Graded] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    outdated: int = 0
    anew: bool = False
    processes: int = 0


def grade_class(
    classroom: Classroom,
    assignment: Assignment,
    job: Job,
    judges: Judges,
    *,
    again: bool = False,
    chosen: Chosen = EVERYTHING,
    report: Callable[[int, Tally], None] = lambda total, tally: None,
) -> Tally:
    """Grade what is in `submitted/` and has no result yet, or what was chosen.

    Where single checks were chosen, the submission is judged whole, as always, and of that the marks of these checks
    are put into the result that there is: each is what grading all of it would give. If it comes of other rules than
    the other marks do, the result says so (`Graded.apart`), and keeps the key of the rules by which those were given.
    So the next run grades all of it that it would have graded without.

    Args:
        classroom: the class's folder.
        assignment: what was handed out.
        job: the rules; a seed of 0 in them stands for this batch's own.
        judges: who judges them.
        again: grade everything, with a new seed or the one in the rules. Manual scores and comments stay. Where such a
            run was interrupted, it goes on.
        chosen: grade these, and nothing else, even if nothing changed, by the class's seed.
        report: called with the number of submissions to grade, and what there is so far.

    Raises:
        GradingError: if another run is at work on this class, the gradebook cannot be written, or a single mark is
            chosen of somebody who has no result to put it into.
    """
    with class_lock(classroom):
        force = again and job.rules.seed > 0
        job, anew = _with_seed(job, classroom, again, chosen)
        search = Search(classroom, assignment.name, basis(job), again=again or anew, force=force, chosen=chosen)
        waiting = search.find()
        outdated = 0 if chosen.any else sum(one.same_file for one in waiting.values())
        tally = Tally(kept=search.kept, outdated=outdated, anew=anew)
        if waiting:
            library = library_of(assignment, (source for _, source in job.private))
            tally.processes = judges.begin(replace(job, library=library), len(waiting))
        report(len(waiting), tally)
        with _gradebook(classroom, assignment) as book:  # imported while the judges import what they need
            if waiting:
                record = partial(_record, book, classroom, basis(job), chosen.cells)
                _judge_all(judges, record, classroom, assignment, waiting, tally, report)
        if not chosen.any:
            _keep_seed(classroom, job, finished=not tally.failed, anew=anew)
        return tally


@contextmanager
def _gradebook(classroom: Classroom, assignment: Assignment) -> Iterator["Book"]:
    """The class's gradebook, in which the assignment is registered: late penalties are what they should be now.

    What was graded before follows a new due date, a new policy, and what a person scored.
    """
    with no_collections():
        from grading.gradebook.book import Book

    with Book(classroom) as book:
        book.take_turn(assignment.name)
        book.register(assignment)
        yield book


def _judge_all(
    judges: Judges,
    record: Callable[[Judged, Waiting], Graded],
    classroom: Classroom,
    assignment: Assignment,
    waiting: dict[str, Waiting],
    tally: Tally,
    report: Callable[[int, Tally], None],
) -> None:
    """Judge them side by side, and once more, each alone, those that came to nothing.

    What harms a judge, or is harmed by one that another file has brought down, cannot be told apart the first time.
    """

    def files(students: Iterable[str]) -> Iterator[File]:
        for student in students:
            yield File(student, read_content(classroom, student, assignment.name), waiting[student].key)

    alone: dict[str, str] = {}
    for student, outcome in _counting(judges.judge(files(waiting))):
        if isinstance(outcome, NoResult):
            alone[student] = outcome.reason
        else:
            tally.graded.append(record(outcome, waiting[student]))
        report(len(waiting), tally)
    for student, first in alone.items():
        for _, outcome in _counting(judges.judge(files([student]))):
            if isinstance(outcome, NoResult):
                tally.failed.append((student, _twice(first, outcome.reason)))
            else:
                tally.graded.append(record(outcome, waiting[student]))
        report(len(waiting), tally)


def _counting(outcomes: Iterable[tuple[str, Judged | NoResult]]) -> Iterator[tuple[str, Judged | NoResult]]:
    """The same, where marks that the machine is to blame for are no result."""
    for student, outcome in outcomes:
        if isinstance(outcome, Judged) and outcome.graded.fault:
            outcome = NoResult(outcome.graded.fault)
        yield student, outcome


def _twice(first: str, second: str) -> str:
    """What is said of a file that has come to nothing among others and alone: it is all that the two have in common."""
    both = f"{first}, twice" if first == second else f"{first}; then {second}"
    return f"{both}, the second time with nothing beside it"


def _record(
    book: "Book", classroom: Classroom, basis: dict[str, str], cells: tuple[str, ...], judged: Judged, waiting: Waiting
) -> Graded:
    """Write what was judged, or of it the marks of these cells, and say what stands now."""
    graded, notebook = replace(judged.graded, basis=basis), judged.notebook
    if waiting.earlier:
        import nbformat

        graded = waiting.earlier.with_marks_of(graded, cells)
        notebook = nbformat.read(classroom.autograded(graded.student, graded.assignment), as_version=4)
    _patiently(lambda: book.record(graded, notebook, waiting.why, waiting.same_file))
    graded.write(classroom.result(graded.student, graded.assignment))
    return graded


def _patiently(write: Callable[[], None]) -> None:
    """Write to the gradebook, again and again while its server is away, as one that is started anew is for seconds."""
    from grading.gradebook.database import GradebookAway

    for seconds in WAITS:
        try:
            return write()
        except GradebookAway as error:
            first_line = str(error).partition("\n")[0]
            log.warning("The gradebook's server is away, and this goes on in %g s. %s", seconds, first_line)
            time.sleep(seconds)
    write()


def _with_seed(job: Job, classroom: Classroom, again: bool, chosen: Chosen = EVERYTHING) -> tuple[Job, bool]:
    """The job with the batch's seed, and whether all submissions are being graded anew by it.

    The seed is drawn once and kept beside the results, so that a late submission gets the same cases. To grade chosen
    ones takes it as it is: a run for all that was interrupted is still to be gone on with.
    """
    kept = _kept(classroom, job.assignment)
    goes_on = not kept.get("finished", True)
    draw = again and not goes_on
    seed = job.rules.seed or (0 if draw else kept.get("seed", 0)) or new_seed()
    anew = draw or goes_on and kept.get("anew", False)
    job = replace(job, rules=replace(job.rules, seed=seed))
    if not (chosen.any and kept):
        _keep_seed(classroom, job, finished=chosen.any, anew=anew)
    return job, anew


def seed_of(classroom: Classroom, assignment: str) -> int:
    """The seed of a class's random cases; 0 if nothing was graded yet."""
    return _kept(classroom, assignment).get("seed", 0)


def _kept(classroom: Classroom, assignment: str) -> dict:
    path = classroom.batch(assignment)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _keep_seed(classroom: Classroom, job: Job, finished: bool, anew: bool) -> None:
    kept = {"seed": job.rules.seed, "finished": finished, "anew": anew and not finished}
    write_whole(classroom.batch(job.assignment), json.dumps(kept))
