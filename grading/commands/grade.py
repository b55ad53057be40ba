"""Grade what came in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grading.classroom import Classroom
from grading.commands.again import choose, earlier_results, people_in
from grading.commands.collect import collect_from, keep_roster, show_missing
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
    RosterFile,
    Scheduler,
    Seconds,
    Unsafe,
    Workers,
    console,
)
from grading.problems import GradingError

if TYPE_CHECKING:
    from grading.assignment import Assignment
    from grading.batch import Tally
    from grading.exchange.people import Roster
    from grading.judging.job import Job
    from grading.judging.judges import Judges
    from grading.results import Graded
    from grading.waiting import Chosen


def grade(
    source: Annotated[Path | None, typer.Argument(help="collect this first; without it, what is in submitted/")] = None,
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    roster: RosterFile = None,
    reader: ReaderName = "",
    due: Annotated[
        Path | None, typer.Option(help="CSV with assignment, student, due; becomes due.csv in the class's folder")
    ] = None,
    checks: ChecksFolder = None,
    data: DataFolder = None,
    seed: Annotated[int, typer.Option(min=0, help="of the random cases; 0 draws one and records it")] = 0,
    again: Annotated[bool, typer.Option("--again", help="grade all again, by a new seed; manual scores stay")] = False,
    student: Annotated[
        list[str] | None, typer.Option("--student", help="grade this one now, by the class's seed; may be repeated")
    ] = None,
    exercise: Annotated[
        list[str] | None, typer.Option("--exercise", help="replace the mark of this one alone; may be repeated")
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    isolation: Annotated[str, typer.Option(help="warm: fork a warm process; cold: a fresh interpreter each")] = "warm",
    cell_seconds: CellSeconds = 60.0,
    seconds: Seconds = 300.0,
    memory: Megabytes = 2_000,
    all_cells: AllCells = False,
    unsafe: Unsafe = False,
) -> None:
    """Grade what has no grade yet. Whatever interrupts it, the same command goes on where it was."""
    console.print(f"grading {assignment or 'what was released'} in {folder.resolve()} …")
    from grading.console import show_due_dates
    from grading.gradebook.due_dates import keep_due_dates, kept_due_dates
    from grading.judging.private_checks import read_sources
    from grading.sandbox import check_available

    if isolation not in ("warm", "cold"):
        raise GradingError(f"--isolation is warm or cold, not {isolation}.")
    if not (unsafe or scheduler):
        check_available()
    refuse_in_sight(data, folder, checks)
    if (student or exercise) and (again or seed):
        raise GradingError(
            "--student and --exercise grade by the class's seed, so that it is the same for all. --again and --seed "
            "give all a new one: leave one of them out."
        )
    failed = False
    if scheduler:
        console.print("connecting to the cluster …")
    with judges_of(scheduler, workers) as judges:  # they import for seconds, while we find out what there is to do
        classroom, sources = Classroom(folder), read_sources(checks)
        if source:
            collect_from(source, classroom, assignment or None, roster, reader)
        elif roster:
            keep_roster([roster], classroom)
        if due:
            show_due_dates(console, keep_due_dates(due, classroom), people_in(classroom))
        kept_due_dates(classroom)  # a mistake in it is said before the first submission runs
        names = assignments_of(classroom, assignment)
        chosen = choose(classroom, names, student or (), exercise or ()) if student or exercise else {}
        for name in chosen or names:
            if not classroom.students(name):
                console.print(f"{name}: nobody has handed in.")
                continue
            job = job_of(
                classroom.released(name),
                sources,
                data,
                seed=seed,
                memory=memory,
                times=(cell_seconds, seconds),
                all_cells=all_cells,
                cold=isolation == "cold",
                unsafe=unsafe,
            )
            failed |= _grade(classroom, job, judges, again, chosen.get(name))
    if failed:
        sys.exit(1)


def refuse_in_sight(data: Path | None, *private: Path | None) -> None:
    """Raises GradingError if submissions could read one of these folders, `data` being what they may read."""
    from grading.sandbox import in_sight

    for folder in filter(None, private):
        if in_sight(folder, data):
            raise GradingError(f"{folder} lies where submissions can read it. Put it somewhere else.")


def job_of(
    released: Path,
    private: dict[str, str],
    data: Path | None,
    *,
    seed: int,
    memory: int,
    times: tuple[float, float],
    all_cells: bool,
    cold: bool,
    unsafe: bool,
) -> Job:
    """What the options of `grade` say, for one released notebook. `times` are for a cell and for a submission."""
    from grading.judging.job import Job, Rules, Times
    from grading.worker.isolation import Limits

    rules = Rules(seed, Limits(memory), Times(*times), all_cells)
    place = str(data.resolve()) if data else None
    content = released.read_text(encoding="utf-8")
    return Job(released.stem, content, rules, tuple(private.items()), place, cold, unsafe)


def judges_of(scheduler: str | None, workers: int | None) -> Judges:
    """What --scheduler and --workers say. Raises GradingError if no scheduler answers."""
    if scheduler is None:
        from grading.judging.local import LocalJudges

        return LocalJudges(workers)
    from grading.judging.cluster import ClusterJudges

    return ClusterJudges(scheduler)


def _grade(classroom: Classroom, job: Job, judges: Judges, again: bool, chosen: Chosen | None) -> bool:
    """Grade one assignment and show how it went; whether a submission has no result."""
    from grading.batch import grade_class
    from grading.console import progress, show_stopped
    from grading.waiting import EVERYTHING

    found = load(classroom, job.assignment)
    earlier = earlier_results(classroom, found.name, chosen) if chosen else {}
    with progress(console, found.name) as run:
        try:
            tally = grade_class(classroom, found, job, judges, again=again, chosen=chosen or EVERYTHING, report=run)
        except KeyboardInterrupt:
            tally = None
    if tally is None:
        show_stopped(console, run)
        sys.exit(130)
    if chosen:
        _show_again(classroom, found, earlier, tally)
    else:
        _show_all(classroom, found, tally)
    return bool(tally.failed)


def _show_all(classroom: Classroom, found: Assignment, tally: Tally) -> None:
    from grading.console import show_table
    from grading.results import read_results

    people = people_in(classroom)
    show_table(console, found, read_results(classroom, found.name), tally, people)
    show_missing(classroom, found.name)
    _show_late(classroom, found.name, people)


def _show_again(classroom: Classroom, found: Assignment, earlier: dict[str, Graded], tally: Tally) -> None:
    from grading.console_changes import show_again

    show_again(console, classroom, found, earlier, tally, people_in(classroom))
    if tally.graded:
        anew = classroom.command("feedback")
        console.print(f"The students' pages are as before. Write them anew: {anew}", markup=False)


def _show_late(classroom: Classroom, assignment: str, people: Roster) -> None:
    from grading.console import show_late, show_undecided
    from grading.gradebook.due_dates import DueDates, kept_due_dates
    from grading.gradebook.lateness import must_decide

    dates = kept_due_dates(classroom).get(assignment, DueDates())
    with Records(classroom) as records:
        show_late(console, records.penalties(assignment), people)
    show_undecided(console, classroom, must_decide(classroom, assignment, dates), people)
