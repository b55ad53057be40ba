"""`reach-grade`: hand out, collect, grade, give feedback, see what the class got wrong."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from grading.classroom import Classroom
from grading.gradebook.exporting import Kind
from grading.problems import GradingError

if TYPE_CHECKING:  # torch, Dask and nbgrader take seconds to import: each command imports what it needs
    from grading.assignment import Assignment
    from grading.judging.job import Job
    from grading.judging.judges import Judges

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
console = Console(soft_wrap=True, emoji=False)  # the terminal wraps sentences; and `:M:` in a name stays `:M:`

ClassFolder = Annotated[Path, typer.Option("--class", help="the folder of the class; it may be empty at first")]
AssignmentName = Annotated[
    str, typer.Option("--assignment", help="the lesson, as 01_convolution; needed if there are several")
]
DataFolder = Annotated[
    Path | None,
    typer.Option(envvar="REACH_DATA", exists=True, file_okay=False, help="what submissions may read as $REACH_DATA"),
]
RosterFile = Annotated[
    Path | None, typer.Option("--roster", help="CSV of the class, which is kept: id, first_name, last_name, email")
]
ReaderName = Annotated[
    str, typer.Option("--reader", help="whose export it is, as canvas or moodle; seen from the files if not given")
]


@app.command()
def release(
    assignments: Annotated[list[str], typer.Argument(help="lessons, as 01_convolution")],
    folder: ClassFolder = Path(),
    archive: Annotated[bool, typer.Option("--zip", help="also make release.zip, to hand out")] = False,
    database: Annotated[str, typer.Option(help="a school's database, as SQLAlchemy's URL, for gradebook.db")] = "",
) -> None:
    """Put learners' notebooks into release/, ready to hand out."""
    console.print(f"releasing {', '.join(assignments)} …")
    from grading.exchange.releasing import release
    from grading.gradebook.book import Book
    from grading.gradebook.config import write_nbgrader_config

    classroom = Classroom(folder)
    released = release(assignments, classroom, archive)
    write_nbgrader_config(folder, database)  # before the gradebook is made, which it names
    for path in released:
        console.print(f"released {path}")
    with Book(classroom) as book:
        for name in assignments:
            book.register(_load(classroom, name))


@app.command()
def collect(
    source: Annotated[Path, typer.Argument(help="a folder, a zip, or the export of a learning platform")],
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    roster: RosterFile = None,
    reader: ReaderName = "",
) -> None:
    """Copy submissions into submitted/, and say which files could not be placed, and who has not handed in."""
    classroom = Classroom(folder)
    for name in _collect(source, classroom, assignment or None, roster, reader):
        _show_missing(classroom, name)


@app.command()
def roster(
    file: Annotated[Path, typer.Argument(help="CSV of the class, from a school, a platform or a spreadsheet")],
    folder: ClassFolder = Path(),
) -> None:
    """Keep the list of the class in its folder, and say who came, went or changed since the last one."""
    console.print(f"reading {file} …", markup=False)
    _keep_roster(file, Classroom(folder))


@app.command()
def grade(
    source: Annotated[Path | None, typer.Argument(help="collect this first; without it, what is in submitted/")] = None,
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    roster: RosterFile = None,
    reader: ReaderName = "",
    due: Annotated[
        Path | None, typer.Option(help="CSV with assignment, student, due; becomes due.csv in the class's folder")
    ] = None,
    checks: Annotated[Path | None, typer.Option(help="a folder with your own checks, which learners never get")] = None,
    data: DataFolder = None,
    seed: Annotated[int, typer.Option(min=0, help="of the random cases; 0 draws one and records it")] = 0,
    again: Annotated[bool, typer.Option("--again", help="grade all again, by a new seed; manual scores stay")] = False,
    workers: Annotated[int | None, typer.Option(help="processes; one a core if not given")] = None,
    scheduler: Annotated[str | None, typer.Option(help="tcp://… of a Dask scheduler, to grade on its cluster")] = None,
    isolation: Annotated[str, typer.Option(help="warm: fork a warm process; cold: a fresh interpreter each")] = "warm",
    cell_seconds: Annotated[float, typer.Option(help="of processor time that a cell may take")] = 60.0,
    seconds: Annotated[float, typer.Option(help="of processor time that a submission may take")] = 300.0,
    memory: Annotated[int, typer.Option(help="megabytes that a submission may use")] = 2_000,
    all_cells: Annotated[
        bool, typer.Option("--all-cells", help="run all cells, not just those that answers need")
    ] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe-no-sandbox", help="no sandbox: ONLY for files that you wrote yourself")
    ] = False,
) -> None:
    """Grade what has no grade yet. Whatever interrupts it, the same command goes on where it was."""
    console.print(f"grading {assignment or 'what was released'} in {folder.resolve()} …")
    from grading.console import show_due_dates
    from grading.gradebook.due_dates import keep_due_dates
    from grading.judging.private_checks import read_sources
    from grading.sandbox import check_available, in_sight

    if isolation not in ("warm", "cold"):
        raise GradingError(f"--isolation is warm or cold, not {isolation}.")
    if not (unsafe or scheduler):
        check_available()
    for private in filter(None, (folder, checks)):
        if in_sight(private, data):
            raise GradingError(f"{private} lies where submissions can read it. Put it somewhere else.")
    failed = False
    with _judges(scheduler, workers) as judges:  # they import for seconds, while we find out what there is to do
        classroom, sources = Classroom(folder), read_sources(checks)
        if source:
            _collect(source, classroom, assignment or None, roster, reader)
        elif roster:
            _keep_roster(roster, classroom)
        if due:
            show_due_dates(console, keep_due_dates(due, classroom))
        for name in _assignments(classroom, assignment):
            job = _job(
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
            failed |= _grade(classroom, job, judges, again)
    if failed:
        sys.exit(1)


@app.command()
def feedback(folder: ClassFolder = Path(), assignment: AssignmentName = "") -> None:
    """Write one self-contained HTML page for each student."""
    console.print("writing the feedback …")
    from grading.console import with_bar
    from grading.pages.publish import publish_feedback

    for found in _released(Classroom(folder), assignment):
        names, penalties = _names(Classroom(folder), found.name), _penalties(Classroom(folder), found.name)
        pages = publish_feedback(Classroom(folder), found, names, penalties)
        students = len(Classroom(folder).students(found.name))
        written = sum(1 for _ in with_bar(console, f"feedback on {found.name}", pages, students))
        console.print(f"{written} pages in {folder / 'feedback'}")


@app.command()
def report(
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    show: Annotated[bool, typer.Option("--open", help="open it in the browser")] = False,
) -> None:
    """Write the class page: points, pass rates, time, and which mistakes the class made."""
    console.print("writing the class page …")
    from grading.exchange.attendance import not_handed_in
    from grading.pages.publish import publish_report

    for found in _released(Classroom(folder), assignment):
        names, penalties = _names(Classroom(folder), found.name), _penalties(Classroom(folder), found.name)
        absent = [str(student) for student in not_handed_in(Classroom(folder), found.name)]
        page = publish_report(Classroom(folder), found, names=names, penalties=penalties, absent=absent)
        console.print(f"class page: {page}")
        if show:
            webbrowser.open(page.resolve().as_uri())


@app.command()
def export(
    output: Annotated[Path, typer.Argument(help="the CSV file to write")],
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    kind: Annotated[Kind, typer.Option(help="whose import reads it")] = Kind.PLAIN,
    template: Annotated[Path | None, typer.Option(help="a CSV that Canvas or Moodle exported, to fill in")] = None,
    column: Annotated[str, typer.Option(help="the header of the scores, if it is not the assignment's name")] = "",
    per_exercise: Annotated[
        bool, typer.Option("--per-exercise", help="plain kind: also the points of each exercise and quiz")
    ] = False,
) -> None:
    """Write the scores as CSV for Canvas, Moodle or a spreadsheet."""
    console.print("reading the gradebook …")
    from grading.console import show_exported
    from grading.exchange.roster import kept
    from grading.gradebook.book import Book
    from grading.gradebook.exporting import export

    names = _assignments(Classroom(folder), assignment)
    if len(names) > 1:
        raise GradingError(f"Say which one to export: --assignment, one of {', '.join(names)}.")
    with Book(Classroom(folder)) as book:
        known = kept(Classroom(folder))
        show_exported(console, export(book, names[0], output, kind, template, column, known, per_exercise))


@app.command("open")
def open_(folder: ClassFolder = Path()) -> None:
    """Open nbgrader's formgrader on the class, to grade quizzes by hand and write comments."""
    console.print("starting Jupyter with nbgrader's formgrader; Ctrl-C ends it …")
    from grading.gradebook.formgrader import open_formgrader

    open_formgrader(Classroom(folder))


@app.command()
def demo(
    folder: ClassFolder = Path("demo-class"),
    size: Annotated[int, typer.Option(help="students")] = 60,
    seed: Annotated[int, typer.Option(help="of the invented class")] = 0,
) -> None:
    """Make an invented class: right, half right, mistaken, untouched, broken and hostile submissions."""
    console.print(f"making a class of {size} …")
    from grading.demo.making import make_class
    from grading.gradebook.book import Book
    from grading.gradebook.config import write_nbgrader_config

    made = make_class(folder, size, seed)
    write_nbgrader_config(folder)
    with Book(Classroom(folder)) as book:
        for one in made:
            book.enrol(one.id, first_name=one.first_name, last_name=one.last_name, email=one.email)
    console.print(f"{len(made)} students in {folder}. Grade them: reach-grade grade --class {folder}")


def _collect(source: Path, classroom: Classroom, assignment: str | None, roster: Path | None, reader: str) -> list[str]:
    """Collect, and say how it went. The assignments of which something was collected."""
    console.print(f"collecting {source} …", markup=False)
    from grading.console import show_collected
    from grading.exchange.collecting import collect
    from grading.exchange.roster import kept

    if roster:
        _keep_roster(roster, classroom)
    collected = collect(source, classroom, assignment, reader=reader)
    show_collected(console, collected, kept(classroom))
    return sorted({placed.assignment for placed in collected.placed})


def _keep_roster(file: Path, classroom: Classroom) -> None:
    from grading.console import show_roster
    from grading.exchange.roster import keep, read_roster
    from grading.gradebook.book import Book

    changes = keep(read_roster(file), classroom)
    show_roster(console, changes)
    with Book(classroom) as book:
        book.enrol_class(changes.roster)


def _show_missing(classroom: Classroom, assignment: str) -> None:
    from grading.console import show_missing
    from grading.exchange.attendance import not_handed_in

    show_missing(console, assignment, not_handed_in(classroom, assignment))


def _job(
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


def _judges(scheduler: str | None, workers: int | None) -> Judges:
    if scheduler is None:
        from grading.judging.local import LocalJudges

        return LocalJudges(workers)
    console.print("connecting to the cluster …")
    from grading.judging.cluster import ClusterJudges

    return ClusterJudges(scheduler)


def _grade(classroom: Classroom, job: Job, judges: Judges, again: bool) -> bool:
    """Grade one assignment and show how it went; whether a submission has no result."""
    from grading.batch import grade_class
    from grading.console import progress, show_stopped, show_table
    from grading.exchange.roster import kept
    from grading.results import read_results

    found = _load(classroom, job.assignment)
    with progress(console, found.name) as run:
        try:
            tally = grade_class(classroom, found, job, judges, again=again, report=run)
        except KeyboardInterrupt:
            tally = None
    if tally is None:
        show_stopped(console, run)
        sys.exit(130)
    show_table(console, found, read_results(classroom, found.name), tally, kept(classroom))
    _show_missing(classroom, found.name)
    _show_late(classroom, found.name)
    return bool(tally.failed)


def _show_late(classroom: Classroom, assignment: str) -> None:
    from grading.console import show_late, show_undecided
    from grading.exchange.roster import kept
    from grading.gradebook.due_dates import DueDates, kept_due_dates
    from grading.gradebook.lateness import must_decide

    dates = kept_due_dates(classroom).get(assignment, DueDates())
    show_late(console, _penalties(classroom, assignment), kept(classroom))
    show_undecided(console, must_decide(classroom, assignment, dates), kept(classroom))


def _assignments(classroom: Classroom, chosen: str) -> list[str]:
    """The chosen one, or all that were released. Raises GradingError if there is none."""
    released = sorted(path.stem for path in classroom.root.glob("release/*/*.ipynb") if path.stem == path.parent.name)
    if chosen and chosen not in released:
        raise GradingError(
            f"{chosen} was not released in {classroom.root}. Released: {', '.join(released) or 'nothing'}."
        )
    if not released:
        raise GradingError(f"Nothing was released in {classroom.root}. Begin with: reach-grade release 01_convolution")
    return [chosen] if chosen else released


def _released(classroom: Classroom, chosen: str) -> list[Assignment]:
    graded = [name for name in _assignments(classroom, chosen) if classroom.batch(name).is_file()]
    if not graded:
        raise GradingError(f"Nothing is graded in {classroom.root} yet. Run: reach-grade grade")
    return [_load(classroom, name) for name in graded]


def _load(classroom: Classroom, name: str) -> Assignment:
    from grading.assignment import load_assignment

    return load_assignment(classroom.released(name))


def _names(classroom: Classroom, assignment: str) -> dict[str, str]:
    """{student: name} as the gradebook has it, with the school's id where that is not the folder's name."""
    from grading.exchange.roster import kept
    from grading.gradebook.book import Book

    roster, names = kept(classroom), {}
    with Book(classroom) as book:
        for score in book.scores(assignment):
            listed = roster.of_folder(score.student) if roster else None
            own_id = f"({listed.school_id})" if listed and listed.school_id != listed.id else ""
            names[score.student] = f"{score.first_name} {score.last_name} {own_id}".strip()
    return {student: name for student, name in names.items() if name}


def _penalties(classroom: Classroom, assignment: str) -> dict[str, float]:
    """{student: points taken off for a late submission}."""
    from grading.gradebook.book import Book

    with Book(classroom) as book:
        return {score.student: score.late_penalty for score in book.scores(assignment) if score.late_penalty}


def main() -> None:
    """The command. What an instructor can put right is said in one paragraph, without a traceback."""
    try:
        app()
    except GradingError as error:
        stderr = Console(stderr=True, soft_wrap=True, emoji=False)
        stderr.print(f"reach-grade: {error}", style="red", markup=False, highlight=False)
        sys.exit(2)


if __name__ == "__main__":
    main()
