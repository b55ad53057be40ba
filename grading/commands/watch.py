"""Submissions that come in all the time: graded as they arrive, and how often each student handed in."""

from __future__ import annotations

import signal
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grading.classroom import Classroom
from grading.commands.again import people_in
from grading.commands.grade import job_of, judges_of, refuse_in_sight
from grading.commands.of_class import Records, assignments_of, load
from grading.commands.options import (
    AllCells,
    AssignmentName,
    CellSeconds,
    ChecksFolder,
    ClassFolder,
    DataFolder,
    Megabytes,
    ReaderName,
    Scheduler,
    Seconds,
    Unsafe,
    Workers,
    console,
)
from grading.commands.pages import feedback_on

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from grading.assignment import Assignment
    from grading.batch import Tally
    from grading.exchange.collecting import Collected
    from grading.judging.job import Job
    from grading.judging.judges import Judges
    from grading.results import Graded
    from grading.watching import Watch

MOST_NOT_PLACED = 20  # files named in one round: who fills the folder must not fill the terminal
ANSWER_AFTER = 20  # seconds, in a burst: reading the class for each page alone would take longer than grading


def watch(
    incoming: Annotated[Path, typer.Argument(help="the folder that submissions arrive in")],
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    reader: ReaderName = "",
    every: Annotated[float, typer.Option(min=0.1, help="seconds between two looks")] = 5.0,
    checks: ChecksFolder = None,
    data: DataFolder = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    cell_seconds: CellSeconds = 60.0,
    seconds: Seconds = 300.0,
    memory: Megabytes = 2_000,
    all_cells: AllCells = False,
    unsafe: Unsafe = False,
) -> None:
    """Collect and grade what arrives in a folder, and write its feedback, until Ctrl-C."""
    from grading.exchange.readers import PLAIN
    from grading.judging.private_checks import read_sources
    from grading.sandbox import check_available
    from grading.watching import Watch

    if not (unsafe or scheduler):
        check_available()
    refuse_in_sight(data, folder, incoming, checks)
    classroom, sources = Classroom(folder), read_sources(checks)
    times = (cell_seconds, seconds)

    def grade(name: str) -> None:
        job = job_of(
            classroom.released(name),
            sources,
            data,
            seed=0,
            memory=memory,
            times=times,
            all_cells=all_cells,
            cold=False,
            unsafe=unsafe,
        )
        _grade(classroom, job, partial(judges_of, scheduler, workers))

    say, left_before = partial(_say, classroom), set(assignments_of(classroom, assignment))
    watched = Watch(incoming, classroom, assignment or None, reader or PLAIN, grade, say, _say_trouble, left_before)
    _until_stopped(watched, every, classroom.command("grade"))


def attempts(
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    student: Annotated[str, typer.Option("--student", help="each attempt of this one")] = "",
) -> None:
    """Say how often each student has handed in, and when."""
    from grading.attempts import read_attempts
    from grading.by_name import find_student
    from grading.console_attempts import show_attempts

    classroom = Classroom(folder)
    people = people_in(classroom)
    chosen = find_student(people, student).id if student else ""
    for name in assignments_of(classroom, assignment):
        students = [one for one in classroom.students(name) if chosen in ("", one)]
        found = {one: read_attempts(classroom.attempts(one, name)) for one in students}
        show_attempts(console, name, found, people, whole=bool(student))


def _until_stopped(watched: Watch, every: float, other: str) -> None:
    """Round after round, until Ctrl-C or, as a system ends a service, SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        console.print(f"watching {watched.incoming.resolve()}; Ctrl-C ends it", markup=False)
        while True:
            watched.round()
            time.sleep(every)
    except KeyboardInterrupt:
        console.print(f"Stopped. What is graded is kept; the same command goes on, and so does: {other}", markup=False)


def _grade(classroom: Classroom, job: Job, judges_there_are: Callable[[], Judges]) -> None:
    """What waits of one assignment. Pages and lines come now and then, so that in a burst nobody waits for the last."""
    from grading.batch import grade_class
    from grading.console_attempts import show_failed

    found, answered, since = load(classroom, job.assignment), 0, time.monotonic()
    if not classroom.students(found.name):
        return

    def now_and_then(total: int, tally: Tally) -> None:
        nonlocal answered, since
        if total > 1 and not (tally.graded or tally.failed):
            console.print(f"{total} of {found.name} to grade", highlight=False)
        if len(tally.graded) > answered and time.monotonic() - since > ANSWER_AFTER:
            _answer(classroom, found, tally.graded[answered:])
            answered, since = len(tally.graded), time.monotonic()

    with judges_there_are() as judges:
        tally = grade_class(classroom, found, job, judges, report=now_and_then)
    _answer(classroom, found, tally.graded[answered:])
    show_failed(console, tally.failed, people_in(classroom))


def _answer(classroom: Classroom, found: Assignment, graded: Sequence[Graded]) -> None:
    """Write the pages that are missing or older than their results, and a line for each of these."""
    from grading.attempts import attempts_known
    from grading.console_attempts import show_graded

    numbers = {one.student: attempts_known(classroom.attempts(one.student, found.name)) or 1 for one in graded}
    with Records(classroom) as records:
        if students := _without_page(classroom, found.name):
            for _ in feedback_on(classroom, found, records, students):
                pass
        late = records.lateness(found.name, numbers)
    show_graded(console, graded, numbers, late, people_in(classroom))


def _without_page(classroom: Classroom, assignment: str) -> set[str]:
    results = classroom.result("anyone", assignment).parent.glob("[!.]*.json")
    pages = {result: classroom.feedback(result.stem, assignment) for result in results}
    return {
        result.stem
        for result, page in pages.items()
        if not page.is_file() or page.stat().st_mtime < result.stat().st_mtime
    }


def _say(classroom: Classroom, collected: Collected) -> None:
    from grading.console import show_collected
    from grading.exchange.roster import kept

    console.print(f"{time.strftime('%Y-%m-%d %H:%M:%S')}", end=" ", highlight=False)
    show_collected(console, collected, kept(classroom), most=MOST_NOT_PLACED)


def _say_trouble(what: str) -> None:
    console.print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {what}", style="red", markup=False, highlight=False)
