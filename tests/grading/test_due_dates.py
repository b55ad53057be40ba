"""Due dates for everybody and for single students, late marks without a time, and penalties that follow them."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from nbgrader.api import Gradebook
from rich.console import Console

from grading.classroom import Classroom
from grading.console import show_due_dates, show_late
from grading.exchange.people import Roster, Student
from grading.exchange.roster import keep
from grading.gradebook.book import Book
from grading.gradebook.due_dates import DueDates, keep_due_dates, kept_due_dates
from grading.gradebook.lateness import must_decide
from grading.problems import GradingError
from grading.receipt import Receipt
from tests.grading.school import NAME, RIGHT, School

ZERO = "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def classroom(tmp_path, monkeypatch) -> Classroom:
    """A class on a machine in Paris, whatever the zone of this one."""
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    yield Classroom(tmp_path)
    monkeypatch.undo()
    time.tzset()


# --- due.csv ---


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01 12:00:00 UTC", NOON),
        ("2026-03-01T12:00:00Z", NOON),
        ("2026-03-01 12:00 +00:00", NOON),
        ("2026-03-01 13:00+0100", NOON),
        ("2026-03-01 13:00", NOON),
        ("2026-03-01 07:00 America/New_York", NOON),
        ("01.03.2026 13:00", NOON),
        ("1.3.2026 13:00:00", NOON),
        ("2026-03-01 9:05", datetime(2026, 3, 1, 8, 5, tzinfo=UTC)),
        ("2026-07-01 14:00", datetime(2026, 7, 1, 12, tzinfo=UTC)),
        ("2026-10-25 02:30", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),  # twice on that night: the later one
    ],
)
def test_times_are_read(classroom, text, moment):
    classroom.due.write_text(f"assignment,student,due\n{NAME},,{text}\n")
    assert kept_due_dates(classroom) == {NAME: DueDates(moment)}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "no column assignment and no column student and no column due.*it is empty"),
        (f"assignment,deadline\n{NAME},2026-03-01\n", "no column student and no column due.*assignment, deadline"),
        (f"assignment,student,due\n\n{NAME},,2026-03-01\n", "line 3: '2026-03-01' is no date and time.*23:59"),
        (f"assignment,student,due\n{NAME},,3/1/2026 13:00\n", "is no date and time"),
        (f"assignment,student,due\n{NAME},,2026-02-30 13:00\n", "is no date and time"),
        (f"assignment,student,due\n{NAME},,2026-03-01 13:00 PXT\n", "is no date and time"),
        (f"assignment,student,due\n{NAME},,\n", "'' is no date and time"),
        ("assignment,student,due\n01_konvolution,,2026-03-01 13:00\n", "'01_konvolution' is no assignment.*01_convo"),
        (f"assignment,student,due\n{NAME},zoe,2026-03-01 13:00\n", "line 2: the id 'zoe' is not clear. Nobody"),
        (f"assignment,student,due\n{NAME},mei@x.org,2026-03-01 13:00\n", "It can be Mei .ada. or Mei .bo."),
        (f"assignment,student,due\n{NAME},,2026-03-01 13:00\n{NAME},,2026-03-02 13:00\n", "line 3.*everybody already"),
    ],
)
def test_a_faulty_file_is_refused_with_its_line_and_the_old_one_stays(classroom, tmp_path, content, problem):
    people = (Student("ada", first_name="Mei", email="mei@x.org"), Student("bo", first_name="Mei", email="mei@x.org"))
    keep(_listed(*people), classroom)
    classroom.due.write_text(f"assignment,student,due\n{NAME},,2026-03-01 12:00 UTC\n")
    (tmp_path / "new.csv").write_text(content)
    with pytest.raises(GradingError, match=problem):
        keep_due_dates(tmp_path / "new.csv", classroom)
    assert kept_due_dates(classroom) == {NAME: DueDates(NOON)}


def test_a_student_is_known_by_any_id_of_the_roster(classroom):
    keep(_listed(Student("UNI-ada", "UNI\\ada", email="ada@x.org"), Student("bo")), classroom)
    classroom.due.write_text(f"Assignment;Student;Due\n{NAME};ADA@x.org;2026-03-01 13:00\n{NAME};;2026-02-28 13:00\n")
    assert kept_due_dates(classroom)[NAME] == DueDates(NOON - timedelta(days=1), {"UNI-ada": NOON})


def test_without_a_roster_a_student_is_a_folder(classroom):
    classroom.due.write_text(f"assignment,student,due\n{NAME},ada,2026-03-01 13:00\n")
    assert kept_due_dates(classroom)[NAME].students == {"ada": NOON}


def _listed(*students: Student) -> Roster:
    return Roster(students)


def test_what_a_new_file_changes_is_said_and_the_one_before_is_kept(classroom, tmp_path, capsys):
    people = (Student("ada", first_name="Ada", last_name="Abe"), Student("bo"), Student("cy"))
    keep(_listed(*people), classroom)
    first = (
        f"assignment,student,due\n{NAME},,2026-03-01 13:00\n{NAME},ada,2026-03-02 13:00\n{NAME},bo,2026-03-03 13:00\n"
    )
    (tmp_path / "first.csv").write_text(first)
    replaced = keep_due_dates(tmp_path / "first.csv", classroom)
    assert list(replaced.sentences(str)) == [] and replaced.kept is None, "there was none before"
    (tmp_path / "second.csv").write_text(
        first.replace("ada,2026-03-02", "ada,2026-03-04").replace(f"{NAME},bo", f"{NAME},cy")
    )
    replaced = keep_due_dates(tmp_path / "second.csv", classroom)
    show_due_dates(Console(width=200), replaced, Roster(people))
    assert capsys.readouterr().out.splitlines() == [
        f"changed: {NAME}, Ada Abe (ada): was due 2026-03-02 13:00 CET, is due 2026-03-04 13:00 CET",
        f"went: {NAME}, bo: was due 2026-03-03 13:00 CET",
        f"came: {NAME}, cy: due 2026-03-03 13:00 CET",
        f"the due dates before are kept in {classroom.due_before}",
        f"{NAME}: due 2026-03-01 13:00 CET, and 2 with a date of their own",
    ]
    assert classroom.due_before.read_text() == first
    again = keep_due_dates(tmp_path / "second.csv", classroom)
    assert list(again.sentences(str)) == [] and classroom.due_before.read_text() == first


def test_a_file_by_hand_that_was_wrong_is_replaced_and_kept(classroom, tmp_path):
    classroom.due.write_text("by hand")
    (tmp_path / "new.csv").write_text(f"assignment,student,due\n{NAME},,2026-03-01 13:00\n")
    replaced = keep_due_dates(tmp_path / "new.csv", classroom)
    assert list(replaced.sentences(str)) == [] and replaced.kept.read_text() == "by hand"


# --- penalties ---


@pytest.fixture
def school(tmp_path) -> School:
    school = School(tmp_path / "class")
    (school.classroom.root / "nbgrader_config.py").write_text(ZERO)
    return school


def grade(school: School, *students: str) -> dict[str, float]:
    """Record a right answer for each of these, as a run of `grade` does; {student: penalty} of all."""
    with Book(school.classroom) as book:
        book.register(school.assignment)
        for student in students:
            book.record(school.graded(student, passed=True), school.notebook(RIGHT))
        return {score.student: score.late_penalty for score in book.scores(NAME)}


def hand_in(school: School, student: str, submitted: str = "", late: bool = False) -> None:
    school.hand_in(student, school.notebook(RIGHT))
    Receipt("file", submitted=submitted, late=late).write(school.classroom.receipt(student, NAME))


def due(school: School, *rows: str) -> None:
    school.classroom.due.write_text("assignment,student,due\n" + "".join(f"{NAME},{row}\n" for row in rows))


def test_due_dates_and_extensions_are_nbgraders(school):
    due(school, ",2026-03-01 12:00 UTC", "bo,2026-03-03 12:00 UTC", "cy,2026-02-28 12:00 UTC")
    for student in ("ada", "bo", "cy", "dan"):
        hand_in(school, student, "2026-03-01T10:00:00+01:00" if student == "cy" else "2026-03-02T13:00:00+01:00")
    hand_in(school, "eve", "2026-03-01T12:00:00+00:00")
    assert grade(school, "ada", "bo", "cy", "dan", "eve") == {"ada": 1, "bo": 0, "cy": 1, "dan": 1, "eve": 0}
    with Book(school.classroom) as book, Gradebook(book.url) as nbgrader:
        assert nbgrader.find_assignment(NAME).duedate == datetime(2026, 3, 1, 12)
        submission = nbgrader.find_submission(NAME, "bo")
        assert (submission.extension, submission.total_seconds_late) == (timedelta(days=2), 0)
        assert nbgrader.find_submission(NAME, "ada").total_seconds_late == 24 * 60 * 60


def test_penalties_follow_a_new_date_without_a_new_grading(school):
    hand_in(school, "ada", "2026-03-02T12:00:00+00:00")
    assert grade(school, "ada") == {"ada": 0}
    due(school, ",2026-03-01 12:00 UTC")
    assert grade(school) == {"ada": 1}
    due(school, ",2026-03-01 12:00 UTC", "ada,2026-03-02 12:00 UTC")
    assert grade(school) == {"ada": 0}
    due(school, ",2026-03-01 12:00 UTC")
    assert grade(school) == {"ada": 1}
    (school.classroom.root / "nbgrader_config.py").write_text("c = get_config()\n")  # another policy
    assert grade(school) == {"ada": 0}


def test_a_penalty_follows_a_score_that_a_person_gave(school):
    due(school, ",2026-03-01 12:00 UTC")
    hand_in(school, "ada", "2026-03-02T12:00:00+00:00")
    grade(school, "ada")
    with Book(school.classroom) as book, Gradebook(book.url) as nbgrader:
        nbgrader.find_grade("check_output_size", NAME, NAME, "ada").manual_score = 0.5
        nbgrader.db.commit()
    assert grade(school) == {"ada": 0.5}


def test_a_due_date_that_nbgrader_was_told_stays(school):
    hand_in(school, "ada", "2026-03-02T12:00:00+00:00")
    grade(school, "ada")
    with Book(school.classroom) as book, Gradebook(book.url) as nbgrader:
        nbgrader.update_or_create_assignment(NAME, duedate="2026-03-01 12:00:00 UTC")
    assert grade(school) == {"ada": 1}
    due(school, "ada,2026-03-05 12:00 UTC")  # an extension of it
    assert grade(school) == {"ada": 0}


def test_a_platforms_late_mark_counts_where_no_time_is_known(school):
    due(school, ",2026-03-01 12:00 UTC")
    hand_in(school, "marked", late=True)
    hand_in(school, "unmarked")
    assert grade(school, "marked", "unmarked") == {"marked": 1, "unmarked": 0}
    with Book(school.classroom) as book:
        assert {score.timestamp for score in book.scores(NAME)} == {""}  # no time is made up


def test_with_a_time_the_due_date_decides_and_no_mark(school):
    due(school, ",2026-03-01 12:00 UTC")
    hand_in(school, "ada", "2026-03-01T11:00:00+00:00", late=True)
    assert grade(school, "ada") == {"ada": 0}


def test_a_late_mark_and_an_extension_are_for_a_person_to_decide(school):
    due(school, ",2026-03-01 12:00 UTC", "ada,2026-03-05 12:00 UTC", "bo,2026-03-05 12:00 UTC")
    hand_in(school, "ada", late=True)
    hand_in(school, "bo", "2026-03-04T12:00:00+00:00", late=True)
    assert grade(school, "ada", "bo") == {"ada": 0, "bo": 0}
    assert must_decide(school.classroom, NAME, kept_due_dates(school.classroom)[NAME]) == ["ada"]


def test_the_receipt_and_not_the_file_beside_it_says_when(school):
    due(school, ",2026-03-01 12:00 UTC")
    hand_in(school, "ada")
    hand_in(school, "bo", "2026-03-01T11:00:00+00:00")
    for student in ("ada", "bo"):  # the time of a download
        school.classroom.submitted(student, NAME).with_name("timestamp.txt").write_text("2026-03-09 12:00:00 UTC")
    assert grade(school, "ada", "bo") == {"ada": 0, "bo": 0}
    school.classroom.receipt("ada", NAME).unlink()  # as an older class has it
    assert grade(school) == {"ada": 1, "bo": 0}


def test_a_gradebook_without_the_files_keeps_its_times(school):
    due(school, ",2026-03-01 12:00 UTC")
    hand_in(school, "ada", "2026-03-02T12:00:00+00:00")
    grade(school, "ada")
    school.classroom.submitted("ada", NAME).unlink()
    school.classroom.receipt("ada", NAME).unlink()
    assert grade(school) == {"ada": 1}


def test_an_extension_of_nothing_is_refused(school):
    due(school, "ada,2026-03-05 12:00 UTC")
    with Book(school.classroom) as book, pytest.raises(GradingError, match="none for everybody. Add a line"):
        book.register(school.assignment)


def test_whose_points_are_taken_off_is_said(school, capsys):
    due(school, ",2026-03-01 12:00 UTC")
    for student in ("ada", "bo", "cy"):
        hand_in(school, student, f"2026-03-0{'1' if student == 'bo' else '2'}T12:00:00+00:00")
    penalties = {student: points for student, points in grade(school, "ada", "bo", "cy").items() if points}
    ada = Student("ada", "UNI\\ada", "Ada", "Zabel")
    show_late(Console(width=100), penalties, _listed(ada, Student("bo"), Student("cy", "", "Cy", "Cole")))
    assert capsys.readouterr().out == "late, and points are taken off (2): Cy Cole (cy): 1, Ada Zabel (UNI\\ada): 1\n"
    show_late(Console(width=100), {})
    assert capsys.readouterr().out == ""


def test_everybody_on_a_roster_is_in_the_gradebook(school):
    listed = (
        Student("UNI-ada", "UNI\\ada", "Ada", "Lovelace", "ada@x.org", known_as={"canvas_id": "1000"}),
        Student("bo", first_name="<Bo>"),
    )
    with Book(school.classroom) as book:
        book.enrol("bo", first_name="Bob", last_name="Ek", lms_user_id="7")
        for _ in range(2):
            book.enrol_class(_listed(*listed))
        with Gradebook(book.url) as nbgrader:
            ada, bo = nbgrader.find_student("UNI-ada"), nbgrader.find_student("bo")
    assert (ada.first_name, ada.last_name, ada.email, ada.lms_user_id) == ("Ada", "Lovelace", "ada@x.org", "1000")
    assert (bo.first_name, bo.last_name, bo.lms_user_id) == ("‹Bo›", "Ek", "7")
