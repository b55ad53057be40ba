"""A class of any size: what one submission costs does not grow with the class, and few are in memory at once.

Work is counted rather than timed: steps of the database's machine, comparisons, files that were read.
"""

import io
import sqlite3
from contextlib import closing

import pytest
from distributed import LocalCluster
from rich.console import Console
from sqlalchemy import event
from sqlalchemy.engine import Engine

from bench.cohort import multiply
from grading.batch import Tally
from grading.console import progress
from grading.exchange.people import Roster, Student
from grading.exchange.updating import updated
from grading.gradebook.book import Book
from grading.judging import cluster
from grading.judging.cluster import AHEAD, ClusterJudges
from grading.judging.job import Job, Rules
from grading.judging.judges import File
from grading.pages.publish import publish_feedback
from grading.results import Graded
from tests.grading.school import NAME, RIGHT, School

FEW, MANY = 20, 400
STEPS = 100  # of SQLite's machine, between two calls of what counts them
LATE = "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"


@pytest.fixture
def steps():
    """How many hundreds of steps SQLite has made, on connections that are opened from now on."""
    counted = [0]

    def count():
        counted[0] += 1

    def watch(connection, record):
        connection.set_progress_handler(count, STEPS)

    event.listen(Engine, "connect", watch)
    yield counted
    event.remove(Engine, "connect", watch)


def school_of(size: int, root) -> School:
    """One in which as many are recorded, all of them late."""
    school = School(root)
    (root / "nbgrader_config.py").write_text(LATE)
    school.classroom.due.write_text(f"assignment,student,due\n{NAME},,2026-03-01 12:00 UTC\n")
    school.hand_in("ada", school.notebook(RIGHT), "2026-03-02 12:00:00 UTC")
    with Book(school.classroom) as book:
        book.register(school.assignment)
        book.record(school.graded("ada", passed=True), school.notebook(RIGHT))
    multiply(school.classroom.gradebook, size)
    return school


def steps_to(do, size: int, root, steps: list[int]) -> int:
    school = school_of(size, root)
    with Book(school.classroom) as book:
        book.register(school.assignment)
        before = steps[0]
        do(school, book)
        return steps[0] - before


def record(school: School, book: Book) -> None:
    school.hand_in("new", school.notebook(RIGHT), "2026-03-02 12:00:00 UTC")
    for passed in (True, False):
        book.record(school.graded("new", passed), school.notebook(RIGHT))


def test_to_record_a_submission_is_as_much_work_in_a_large_class(tmp_path, steps):
    few, many = (steps_to(record, size, tmp_path / str(size), steps) for size in (FEW, MANY))
    assert many < 1.5 * few, (few, many)


@pytest.mark.parametrize("what", ["scores", "points_by_cell", "register"])
def test_what_looks_at_all_grows_with_the_class_and_no_faster(tmp_path, steps, what):
    def look(school, book):
        getattr(book, what)(school.assignment if what == "register" else NAME)

    few, many = (steps_to(look, size, tmp_path / str(size), steps) for size in (FEW, MANY))
    assert many < 2 * MANY / FEW * few, (few, many)


def test_a_gradebook_of_an_earlier_version_gets_the_indexes_too(tmp_path):
    school = School(tmp_path)
    names = "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'reach_%_of_a_%'"
    with closing(sqlite3.connect(school.classroom.gradebook)) as database:
        there = {name for (name,) in database.execute(names)}
        for name in there:
            database.execute(f"DROP INDEX {name}")
    Book(school.classroom).close()
    with closing(sqlite3.connect(school.classroom.gradebook)) as database:
        assert there and {name for (name,) in database.execute(names)} >= there


class Counted(str):
    """An id that counts how often it is compared with another."""

    comparisons = 0

    def __eq__(self, other):
        Counted.comparisons += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_a_new_roster_is_compared_by_looking_up():
    before, now = (Roster(tuple(Student(Counted(f"s{n}"), f"s{n}") for n in range(MANY))) for _ in range(2))
    assert not updated(before, now).came
    assert Counted.comparisons <= 2 * MANY


def test_workers_that_come_later_are_given_submissions_too(monkeypatch):
    workers, taken, ahead = ["first"], [], []

    def files():
        for number in range(FEW):
            taken.append(number)
            yield File(f"s{number}", b"", "")

    monkeypatch.setattr(cluster, "grade_content", lambda job, student, content, key: student)
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0") as dask,
        ClusterJudges(dask.scheduler_address) as judges,  # pyright: ignore[reportAttributeAccessIssue]
    ):
        monkeypatch.setattr(judges._client, "ncores", lambda: workers)
        judges.begin(Job(NAME, "", Rules()), FEW)
        for done, (student, outcome) in enumerate(judges.judge(files())):
            assert student == outcome
            ahead.append(len(taken) - done)
            workers = ["first", "second", "third"]
    assert len(ahead) == FEW and ahead[:2] == [AHEAD, 3 * AHEAD] and max(ahead) == 3 * AHEAD


class Watched(Graded):
    looked_at = 0

    def __getattribute__(self, name):
        if name == "marks":
            Watched.looked_at += 1
        return super().__getattribute__(name)


def test_the_bar_looks_at_each_result_once():
    Watched.looked_at, tally = 0, Tally()
    with progress(Console(quiet=True), NAME) as run:
        for number in range(FEW):
            tally.graded.append(Watched(f"s{number}", NAME, []))
            run(FEW, tally)
    assert Watched.looked_at == FEW


@pytest.mark.parametrize(("terminal", "lines"), [(False, 3), (True, 0)])
def test_in_a_file_a_line_now_and_then_says_how_far_it_is(monkeypatch, terminal, lines):
    monkeypatch.setattr("grading.console.SAY_AFTER", -1)
    console, tally = Console(file=(out := io.StringIO()), force_terminal=terminal, width=100), Tally()
    with progress(console, NAME) as run:
        for number in range(3):
            tally.graded.append(Graded(f"s{number}", NAME, []))
            run(FEW, tally)
    assert out.getvalue().count(f"of {FEW} graded") == lines


def test_feedback_reads_one_result_after_another(tmp_path, monkeypatch):
    school, read = School(tmp_path), []
    for student in ("ada", "bo", "chi"):
        school.graded(student, passed=True).write(school.classroom.result(student, NAME))
    reader = Graded.read
    monkeypatch.setattr(Graded, "read", lambda path: read.append(path.stem) or reader(path))
    for number, _ in enumerate(publish_feedback(school.classroom, school.assignment), 1):
        assert len(read) == number
