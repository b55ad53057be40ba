"""The command and the list of a class: kept once, it serves to collect, to grade and to export."""

import csv
import os
import zipfile

import pytest
from nbgrader.api import Gradebook

from grading.exchange.roster import kept
from grading.gradebook.book import Book
from grading.receipt import Receipt
from tests.grading.school import NAME, QUIZ, RIGHT, School
from utils.files import write_whole

ROSTER = """id,first_name,last_name,email,canvas_id
s0001,Mei,Nowak,mei@example.org,1000
s0002,Grete,Haddad,grete@example.org,1001
s0003,Omar,de la Cruz,omar@example.org,1002
"""
CANVAS = f"""Student,ID,SIS User ID,SIS Login ID,Section,{NAME} (4711)
    Points Possible,,,,,2
"Nowak, Mei",1000,u77,mnowak,DL 101,
"Haddad, Grete",1001,u78,ghaddad,DL 101,
"de la Cruz, Omar",1002,u79,ocruz,DL 101,
"Student, Test",9999,,abcdef,DL 101,
"""


@pytest.fixture
def school(tmp_path) -> School:
    """The current folder is the class, and there is what Canvas exports of it."""
    school = School(tmp_path)
    (tmp_path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    (tmp_path / "canvas.csv").write_text(CANVAS, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "canvas.zip", "w") as archive:
        for name in ("nowakmei_1000_50001", "haddadgrete_1001_50002"):
            archive.writestr(f"{name}_{NAME}.ipynb", name)
    return school


def grade(school: School, *students: str) -> None:
    """As a run would have it: all answers are right."""
    with Book(school.classroom) as book:
        book.register(school.assignment)
        for student in students:
            book.record(school.graded(student, passed=True), school.notebook(RIGHT))


def test_the_round_trip_of_canvas(school, tmp_path, reach_grade):
    said = reach_grade("collect", "canvas.zip", "--roster", "roster.csv")
    assert "3 students are on the roster" in said and "collected 2 submissions" in said
    assert f"{NAME}, not handed in (1): Omar de la Cruz (s0003)" in said
    grade(school, "s0001", "s0002")

    assert "2 scores" in reach_grade("export", "filled.csv", "--template", "canvas.csv")
    filled = CANVAS.replace("mnowak,DL 101,", "mnowak,DL 101,1").replace("ghaddad,DL 101,", "ghaddad,DL 101,1")
    assert (tmp_path / "filled.csv").read_text(encoding="utf-8") == filled
    reach_grade("export", "canvas-new.csv", "--kind", "canvas")
    with (tmp_path / "canvas-new.csv").open(encoding="utf-8") as file:
        rows = {row["Student"]: row for row in csv.DictReader(file)}
    assert (rows["Nowak, Mei"]["ID"], rows["Nowak, Mei"][NAME]) == ("1000", "1")

    assert "the same 3 students as before" in reach_grade("roster", "canvas.csv")
    reach_grade("export", "canvas-new.csv", "--kind", "canvas")
    with (tmp_path / "canvas-new.csv").open(encoding="utf-8") as file:
        rows = {row["Student"]: row for row in csv.DictReader(file)}
    assert [rows["Nowak, Mei"][name] for name in ("ID", "SIS User ID", "SIS Login ID")] == ["1000", "u77", "mnowak"]


def test_canvas_own_file_is_a_roster_too(school, tmp_path, reach_grade):
    assert "3 students" in reach_grade("collect", "canvas.zip", "--roster", "canvas.csv")
    grade(school, "mnowak", "ghaddad")
    assert "2 scores" in reach_grade("export", "filled.csv", "--template", "canvas.csv")


def test_a_roster_is_given_once(school, reach_grade):
    reach_grade("roster", "roster.csv")
    said = reach_grade("collect", "canvas.zip")
    assert "collected 2 submissions" in said and "not handed in (1)" in said


def test_the_pages_of_a_class_have_what_a_person_wrote(school, tmp_path, reach_grade):
    reach_grade("roster", "roster.csv")
    for student in ("s0001", "s0002"):
        school.hand_in(student, school.notebook(RIGHT), "2026-11-03 10:00:00 UTC")
        school.graded(student, passed=True).write(school.classroom.result(student, NAME))
    grade(school, "s0001", "s0002")
    write_whole(school.classroom.batch(NAME), "{}")
    with Gradebook(f"sqlite:///{school.classroom.gradebook}") as by_hand:
        by_hand.find_grade(QUIZ, NAME, NAME, "s0001").manual_score = 0.5
        by_hand.find_comment(QUIZ, NAME, NAME, "s0001").manual_comment = "Nearly: think of the border."
        by_hand.update_or_create_assignment(NAME, duedate="2026-11-01 22:00:00 UTC")
        by_hand.db.commit()

    assert "2 pages" in reach_grade("feedback")
    page = school.classroom.feedback("s0001", NAME).read_text(encoding="utf-8")
    assert "<b>1.5 of 2</b> points" in page and "think of the border" in page
    assert "report" not in page, "a page that is mailed does not point into the class's folder"
    assert "course page" in reach_grade("report")
    class_page = school.classroom.report(NAME).read_text(encoding="utf-8")
    assert "late by 36 h" in class_page and 'href="../feedback/s0001/' in class_page and "Omar" in class_page
    course = school.classroom.course.read_text(encoding="utf-8")
    assert "Mei Nowak" in course and ">1.5</a>" in course

    assert "2 of 3" in course
    header, mei, _, omar = ROSTER.splitlines()
    (tmp_path / "new.csv").write_text("\n".join((header, mei, omar)), encoding="utf-8")
    reach_grade("roster", "new.csv")  # Grete has left
    reach_grade("report")
    course = school.classroom.course.read_text(encoding="utf-8")
    assert "Grete" not in course and "1 of 2" in course and "s0002" not in course


def test_what_a_new_roster_changes_is_said(school, tmp_path, reach_grade):
    reach_grade("roster", "roster.csv")
    (tmp_path / "roster.csv").write_text(ROSTER.rpartition("s0003")[0] + "s0004,Ann,Lee,ann@example.org,1003\n")
    said = reach_grade("roster", "roster.csv")
    assert "came since the last roster: Ann Lee (s0004)" in said
    assert "went since the last roster: Omar de la Cruz (s0003)" in said
    assert "not handed in (1): Ann Lee (s0004)" in reach_grade("collect", "canvas.zip")


def test_a_long_list_of_missing_people_is_cut(school, tmp_path, reach_grade):
    rows = "".join(f"t{number:03},T,Name {number:03},,\n" for number in range(100))
    (tmp_path / "roster.csv").write_text(ROSTER + rows)
    said = " ".join(reach_grade("collect", "canvas.zip", "--roster", "roster.csv").split())
    assert "not handed in (101): Omar de la Cruz (s0003), T Name 000 (t000)" in said  # by name, whatever its case
    assert said.endswith("T Name 018 (t018) and 81 more")


@pytest.mark.parametrize(
    ("content", "said"), [("colour\nred\n", "no column for the id"), ("id,name\n,Mei\n", "names nobody")]
)
def test_a_roster_that_names_nobody_changes_nothing(school, tmp_path, reach_grade, content, said):
    (tmp_path / "roster.csv").write_text(content)
    assert said in reach_grade("collect", "canvas.zip", "--roster", "roster.csv", fails=True)
    assert kept(school.classroom) is None and not (tmp_path / "submitted").exists()


def test_how_a_source_was_read_and_what_was_left_out_is_said(school, tmp_path, reach_grade):
    folder = tmp_path / "source"
    for name in (f"Group 1/{NAME}.ipynb", "Group 1/report.pdf", f"s0003/{NAME}.ipynb", "who.pdf"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (tmp_path / "groups.csv").write_text("id,group\ns0001,Group 1\ns0002,Group 1\ns0003,\n")
    said = reach_grade("collect", "source", "--roster", "groups.csv")
    assert "collected 3 submissions" in said and "s0001: Handed in together with s0002." in said
    assert "other files of these students, left out: 1" in said and "not placed: who.pdf: It is a PDF" in said
    again = "It replaces what was collected before; nothing says which of the two is newer."
    said = reach_grade("collect", "canvas.zip", "--roster", "roster.csv")
    assert "read as an export of canvas" in said and f"s0001, s0002: {again}" in said
    assert "There is no reader 'canvass'" in reach_grade("collect", "canvas.zip", "--reader", "canvass", fails=True)


def test_a_year_of_one_student(school, tmp_path, reach_grade):
    """Handed in, gone, back, with another id: one folder, and the grade stays."""

    def roster(*lines: str) -> str:
        (tmp_path / "roster.csv").write_text("\n".join(["id,name,email", *lines]), encoding="utf-8")
        return reach_grade("roster", "roster.csv")

    def exported() -> dict[str, str]:
        reach_grade("export", "scores.csv")
        with (tmp_path / "scores.csv").open(encoding="utf-8") as file:
            return {row["student"]: row[NAME] for row in csv.DictReader(file)}

    mei, bo = "1,Mei Nowak,mei@x.org", "2,Bo Ek,bo@x.org"
    roster(mei, bo)
    grade(school, "2")
    assert exported() == {"1": "", "2": "1"}
    assert "went since the last roster: Bo Ek (2)" in roster(mei)
    assert exported() == {"1": "", "2": "1"}, "a grade that was given is not forgotten"
    assert "came back since the last roster: Bo Ek (2)" in roster(mei, bo)
    assert "id '2' is now 'X-2'" in roster(mei, bo.replace("2,", "X-2,"))
    assert exported() == {"1": "", "X-2": "1"}
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    for seconds, name in ((1_000, "2"), (2_000, "X-2")):
        (incoming / f"{name}_{NAME}.ipynb").write_text(name)
        os.utime(incoming / f"{name}_{NAME}.ipynb", (seconds, seconds))
    said = reach_grade("collect", "incoming")
    assert "The newest of 2 versions." in said and "not placed" not in said
    assert school.classroom.submitted("2", NAME).read_text() == "X-2"


def test_a_lesson_that_nobody_has_handed_in_stops_no_command(tmp_path, school, reach_grade):
    school.hand_in("ada", school.notebook(RIGHT))
    for name in ("00_start_here", "02_cnn_on_mnist"):  # one before it, one after it
        reach_grade("release", name)
    said = reach_grade("grade", "--workers", 1, "--unsafe-no-sandbox")
    assert "00_start_here: nobody has handed in." in said and "02_cnn_on_mnist: nobody has handed in." in said
    assert "graded now: 1" in said
    assert "1 pages" in reach_grade("feedback") and "course page" in reach_grade("report")


def test_why_says_where_nothing_is_graded_yet(school, reach_grade):
    school.hand_in("ada", school.notebook(RIGHT))
    said = reach_grade("why", "ada")
    assert "ada" in said and "not graded yet" in said and "0 of" not in said


def test_every_command_that_is_proposed_says_where_the_class_is(tmp_path, reach_grade):
    """`reach_grade` asserts it of all that is printed; these are the sentences that propose one."""
    said = reach_grade("grade", "--class", "a class", fails=True)
    assert "Begin with: reach-grade release 01_convolution --class 'a class'" in said
    school = School(tmp_path / "a class")
    (tmp_path / "roster.csv").write_text("id,name\ns1,Mei Nowak\ns2,Bo Ek\n")
    for command in ("report", "feedback", "quizzes", "pack", "publish"):
        words = ("x",) if command in ("pack", "publish") else ()
        assert "Run: reach-grade grade --class" in reach_grade(command, *words, "--class", "a class", fails=True)
    reach_grade("roster", "roster.csv", "--class", "a class")
    grade(school, "s1")
    school.graded("s1", passed=True).write(school.classroom.result("s1", NAME))
    write_whole(school.classroom.batch(NAME), "{}")
    school.classroom.due.write_text(f"assignment,student,due\n{NAME},,2026-01-01 12:00\n{NAME},s1,2026-01-02 12:00\n")
    school.hand_in("s1", school.notebook(RIGHT, quiz="c"))
    Receipt("s1.ipynb", late=True).write(school.classroom.receipt("s1", NAME))
    with Book(school.classroom) as book:
        book.register(school.assignment)
        book.record(school.graded("s1", passed=True), school.notebook(RIGHT, quiz="c"))

    def proposed(command: str, *words: str, fails: bool = False) -> str:
        return reach_grade(command, *words, "--class", "a class", fails=fails)

    assert "by hand: reach-grade quizzes" in proposed("export", "scores.csv")
    assert "roster: reach-grade roster list.csv" in proposed("publish", "pages")
    assert "serve: reach-grade publish pages" in proposed("pack", "feedback.zip", fails=True)
    assert "Run: reach-grade grade" in proposed("why", "s1")
    proposed("report")
    assert "reach-grade similar --class &#39;a class&#39;" in school.classroom.report(NAME).read_text(encoding="utf-8")
    said = proposed("grade", "--unsafe-no-sandbox", "--workers", "1", "--student", "s1")
    assert "anew: reach-grade feedback" in said
    assert "formgrader: reach-grade open" in proposed("grade", "--unsafe-no-sandbox", "--workers", "1")
    school.classroom.roster.write_text("damaged")
    assert "again: reach-grade roster list.csv" in proposed("why", "s1", fails=True)
