"""A gradebook on a PostgreSQL server: as with SQLite, and several machines write it. The server is a real one."""

import csv
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from grading import batch
from grading.assignment import load_assignment
from grading.classroom import Classroom
from grading.gradebook.book import Book
from grading.gradebook.config import write_nbgrader_config
from grading.gradebook.turns import Turn
from grading.judging.job import Job, Judged, Rules
from grading.problems import GradingError
from grading.receipt import Receipt
from tests.grading.made_up import graded, submission
from tests.grading.runs import started
from tests.grading.school import NAME, RIGHT, School, contents
from tests.postgresql import postgresql  # noqa: F401  (a fixture)

STUDENTS = ["ada", "bo", "chi", "dee"]


@pytest.fixture
def url(postgresql):  # noqa: F811
    return postgresql.database()


@pytest.fixture
def school(tmp_path, url) -> School:
    return school_with(tmp_path / "class", url)


def school_with(root: Path, url: str) -> School:
    school = School(root)
    school.classroom.gradebook.unlink()
    write_nbgrader_config(root, url)
    for student in STUDENTS:
        school.hand_in(student, school.notebook(RIGHT))
    return school


class Judges:
    """All pass. `meanwhile` is called before each result, with the student."""

    def __init__(self, school: School, meanwhile):
        self._school, self._meanwhile = school, meanwhile

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def begin(self, job, submissions):
        return 1

    def judge(self, files):
        for file in files:
            self._meanwhile(file.student)
            result = replace(self._school.graded(file.student, passed=True), key=file.key)
            yield file.student, Judged(result, self._school.notebook(RIGHT))


def grade(school: School, meanwhile=lambda student: None) -> batch.Tally:
    job = Job(NAME, school.classroom.released(NAME).read_text(encoding="utf-8"), Rules(seed=7))
    return batch.grade_class(school.classroom, school.assignment, job, Judges(school, meanwhile))


def points(school: School) -> dict[str, float | None]:
    with Book(school.classroom) as book:
        return {score.student: score.points for score in book.scores(NAME)}


# --- as with SQLite ---


def test_it_holds_what_sqlite_holds(school, tmp_path):
    due = f"assignment,student,due\n{NAME},,2026-02-01 10:00 UTC\n{NAME},ada,2026-03-02 10:00 UTC\n"
    found = []
    for one in (school, School(tmp_path / "other")):
        one.hand_in("ada", one.notebook(RIGHT), "2026-03-01 10:00:00 UTC")
        one.classroom.due.write_text(due)
        for _ in range(2):
            with Book(one.classroom) as book:
                book.register(one.assignment)
                book.enrol("ada", first_name="محمد 👩\u200d🎓", last_name="O'Neill 王\0小雨")
                book.enrol("bo", last_name="Çelik")
                book.record(one.graded("ada", passed=True), one.notebook(RIGHT, quiz="c; DROP TABLE grade; -- \\ %s"))
                book.record(one.graded("bo", passed=False), one.notebook())
                written = contents(book.url), book.scores(NAME), book.points_by_cell(NAME)
        written[0]["students"].sort(key=lambda student: student["id"])  # each database has an order of letters
        found.append(written)
    assert found[0] == found[1]
    assert not school.classroom.gradebook.exists()


def test_the_commands_of_an_evening(tmp_path, url, reach_grade):
    reach_grade("release", NAME, "--database", url)
    (tmp_path / "roster.csv").write_text("id,first_name,last_name\ns1,Zoë,Çelik\ns2,小雨,王\n", encoding="utf-8")
    reach_grade("roster", "roster.csv")
    classroom, result = Classroom(tmp_path), graded("s1", {})
    with Book(classroom) as book:
        book.register(load_assignment(classroom.released(NAME)))
        book.record(result, submission())
    result.write(classroom.result("s1", NAME))
    classroom.batch(NAME).write_text("{}")
    reach_grade("feedback")
    assert "Zoë Çelik" in classroom.feedback("s1", NAME).read_text(encoding="utf-8")
    reach_grade("report")
    assert "Zoë Çelik" in classroom.report(NAME).read_text(encoding="utf-8")
    reach_grade("export", "scores.csv")
    with (tmp_path / "scores.csv").open(encoding="utf-8") as file:
        rows = {row["last_name"]: row[NAME] for row in csv.DictReader(file)}
    assert rows == {"Çelik": "8", "王": ""}


# --- several machines ---


def record_all(root: Path, url: str) -> None:
    school = school_with(root, url)
    with Book(school.classroom) as book:
        book.register(school.assignment)
        for student in STUDENTS:
            book.record(school.graded(student, passed=True), school.notebook(RIGHT))


def test_processes_that_make_and_write_a_gradebook_at_once_lose_nothing(school, tmp_path, url):
    """Three find an empty database, and then all write the same students."""
    runs = [started(record_all, tmp_path / str(number), url) for number in range(3)]
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0, 0, 0]
    assert points(school) == dict.fromkeys(STUDENTS, 1)


def test_an_assignment_is_graded_on_one_machine_at_a_time(school, tmp_path, url):
    """Each with a folder of its own, in which no lock file of the other's is."""
    other, refused = school_with(tmp_path / "elsewhere", url), []

    def try_elsewhere(student: str) -> None:
        Turn(url, "02_cnn_on_mnist").give_back()  # another assignment is free
        with pytest.raises(GradingError, match=f"is grading {NAME} in this gradebook: reach-grade on ") as error:
            grade(other)
        refused.append(str(error.value))

    assert len(grade(school, try_elsewhere).graded) == len(STUDENTS) == len(refused)
    assert len(grade(other).graded) == len(STUDENTS), "the turn ends with the run"


def take_turn_and_die(url: str) -> None:
    Turn(url, NAME)


def test_a_turn_ends_with_its_process(school, url):
    run = started(take_turn_and_die, url)
    run.join()
    assert run.exitcode == 0 and len(grade(school).graded) == len(STUDENTS)


def test_late_work_that_lies_on_another_machine_keeps_its_penalty(school, tmp_path, url):
    """A platform's late mark stands in the receipt, which is in the folder that it was collected into."""
    policy = "c.LateSubmissionPlugin.penalty_method = 'zero'\n"
    other = school_with(tmp_path / "elsewhere", url)
    for one in (school, other):
        with (one.classroom.root / "nbgrader_config.py").open("a") as config:
            config.write(policy)
    Receipt("ada.ipynb", late=True).write(school.classroom.receipt("ada", NAME))
    other.classroom.submitted("ada", NAME).unlink()
    grade(school)
    grade(other)
    assert points(school) == dict.fromkeys(STUDENTS, 1) | {"ada": 0}


# --- a server that goes away ---


def test_a_server_that_starts_anew_between_two_submissions_stops_nothing(school, postgresql):  # noqa: F811
    def restart(student: str) -> None:
        if student in STUDENTS[1:3]:
            postgresql.stop()
            postgresql.start()

    assert len(grade(school, restart).graded) == len(STUDENTS)
    assert points(school) == dict.fromkeys(STUDENTS, 1)


@pytest.mark.parametrize("statement", [1, 4, 9, 16])
def test_a_submission_whose_server_goes_away_is_recorded_whole(school, postgresql, tmp_path, statement):  # noqa: F811
    """At one of the statements of its transaction; the server is back a moment later."""
    left = []

    def stop(*_) -> None:
        if left and left.pop() == 0:
            postgresql.stop()
            threading.Timer(0.5, postgresql.start).start()

    def go_away(student: str) -> None:
        left[:] = range(statement) if student == "bo" else []

    event.listen(Engine, "before_cursor_execute", stop)
    try:
        assert len(grade(school, go_away).graded) == len(STUDENTS)
    finally:
        event.remove(Engine, "before_cursor_execute", stop)
    undisturbed = School(tmp_path / "other")
    for student in STUDENTS:
        undisturbed.hand_in(student, undisturbed.notebook(RIGHT))
    grade(undisturbed)
    with Book(school.classroom) as book, Book(undisturbed.classroom) as other:
        assert contents(book.url)["submissions"] == contents(other.url)["submissions"]


def test_a_server_that_stays_away_ends_the_run_and_the_next_goes_on(school, postgresql, monkeypatch):  # noqa: F811
    monkeypatch.setattr(batch, "WAITS", (0,))
    try:
        with pytest.raises(GradingError, match="run the command again") as error:
            grade(school, lambda student: postgresql.stop() if student == "chi" else None)
    finally:
        postgresql.start()
    assert "s3cret" not in str(error.value)
    assert points(school) == {"ada": 1, "bo": 1}
    tally = grade(school)
    assert [one.student for one in tally.graded] == ["chi", "dee"] and len(tally.kept) == 2


def test_who_takes_the_turn_while_the_server_is_away_keeps_it(school, postgresql, url):  # noqa: F811
    others: list[Turn] = []

    def overtake(student: str) -> None:
        if student == "bo":
            postgresql.stop()
            postgresql.start()
            others.append(Turn(url, NAME))

    with pytest.raises(GradingError, match="Another run is grading"):
        grade(school, overtake)
    others[0].give_back()
    assert points(school) == {"ada": 1}
    assert len(grade(school).graded) == 3


# --- a URL that is wrong ---


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("gradebook", "Could not parse SQLAlchemy URL"),
        ("postgresql+nothing://teacher@/school", "Can't load plugin"),
        ("postgresql+pg8000://teacher@/school", "No module named 'pg8000'"),
        ("postgresql+psycopg://teacher:s3cret@/school?host=/nowhere", "connection"),
    ],
)
def test_a_wrong_name_of_a_database_is_said_and_nothing_is_made(tmp_path, reach_grade, wrong, said):
    """So that the next try, with the right name, is the first."""
    heard = reach_grade("release", NAME, "--database", wrong, fails=True)
    assert said in heard and "s3cret" not in heard
    assert not list(tmp_path.iterdir())
