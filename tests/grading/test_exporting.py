"""Scores as CSV: into the right rows, and nothing that a spreadsheet would compute."""

import csv
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.assignment import make_assignment
from grading.exchange.people import Roster, Student
from grading.gradebook.book import Book
from grading.gradebook.exporting import export
from grading.gradebook.layouts import Kind, harmless
from grading.problems import GradingError
from tests.grading.school import NAME, RIGHT, School, short_lesson

LESSON = make_assignment(NAME, short_lesson())

CANVAS = """\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Essay (11),01_convolution (98765),Final Score
    Points Possible,,,,,10,2,(read only)
"Lovelace, Ada",501,s-1,ada,Ox,7,,
"Babbage, Charles",502,s-2,charles@example.org,Ox,,1.5,
"Nobody, Known",503,s-3,nobody,Ox,8,,
"Student, Test",9,,f00d,Ox,,,
"""
MOODLE = """Identifier;Full name;Email address;Status;Grade;Maximum Grade;Last modified (grade)
Participant 77;Ada Lovelace;ADA@example.org;Submitted;;2,00;-
Participant 78;Charles Babbage;other@example.org;No submission;;2,00;-
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    school = School(tmp_path_factory.mktemp("class"))
    with Book(school.classroom) as book:
        book.register(school.assignment)
        book.enrol("ada", first_name="Ada", last_name="Lovelace", email="ada@example.org", lms_user_id="501")
        book.enrol("charles", first_name="Charles", last_name="Babbage", email="charles@example.org")
        book.enrol("grace", first_name="=HYPERLINK(1)", last_name="@SUM(A1)", email="+1+1", lms_user_id="-2+3")
        school.hand_in("ada", school.notebook(RIGHT), "2026-03-01 10:00:00 UTC")
        book.record(school.graded("ada", passed=True), school.notebook(RIGHT, quiz="c"))
        book.record(school.graded("charles", passed=False), school.notebook())
        yield book


@pytest.fixture
def half(book, monkeypatch):
    """The same gradebook, where ada alone has a score, and it is one half."""
    (ada,) = (replace(score, points=0.5) for score in book.scores(NAME) if score.student == "ada")
    monkeypatch.setattr(book, "scores", lambda assignment: [ada])
    return book


def table(path: Path, delimiter: str = ",") -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream, delimiter=delimiter))


def by_first(rows: list[list[str]]) -> dict[str, list[str]]:
    return {row[0]: row for row in rows}


def test_a_plain_file_has_everybody(book, tmp_path):
    done = export(book, [LESSON], tmp_path / "scores.csv")
    header, *rows = table(done.path)
    rows = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    assert set(rows) == {"ada", "charles", "grace"}
    assert rows["ada"][NAME] == "1" and rows["ada"]["max_score"] == "2"
    submitted = datetime.fromisoformat(rows["ada"]["submitted"])  # local time, with its offset
    assert submitted == datetime(2026, 3, 1, 10, tzinfo=UTC) and submitted.utcoffset() is not None
    assert rows["ada"]["needs_manual_grade"] == "yes"
    assert rows["charles"][NAME] == "0" and rows["grace"][NAME] == ""  # grace handed nothing in
    assert (done.written, done.not_final) == (2, ["ada"])


def test_who_has_handed_in_and_has_no_score_yet_is_named(book, tmp_path):
    school = School(tmp_path / "class")
    with Book(school.classroom) as waiting:
        waiting.register(school.assignment)
        for student in ("ada", "grace", "charles"):
            waiting.enrol(student)
        for student in ("ada", "grace"):
            school.hand_in(student, school.notebook(RIGHT))
        waiting.record(school.graded("ada", passed=True), school.notebook(RIGHT, quiz="c"))
        done = export(waiting, [LESSON], tmp_path / "scores.csv")
    assert done.to_grade == {NAME: ["grace"]}
    assert export(book, [LESSON], tmp_path / "whole.csv").to_grade == {}


def test_canvas_gets_the_columns_that_it_knows(book, tmp_path):
    header, possible, *rows = table(export(book, [LESSON], tmp_path / "canvas.csv", Kind.CANVAS).path)
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", NAME]
    assert possible == ["    Points Possible", "", "", "", "", "2"]
    assert ["Lovelace, Ada", "501", "", "ada", "", "1"] in rows


def test_moodle_gets_columns_to_find_people_by(book, tmp_path):
    header, *rows = table(export(book, [LESSON], tmp_path / "moodle.csv", Kind.MOODLE, columns=["Lesson 1"]).path)
    assert header == ["Username", "ID number", "First name", "Last name", "Email address", "Lesson 1"]
    assert ["ada", "501", "Ada", "Lovelace", "ada@example.org", "1"] in rows


def test_a_file_of_canvas_is_filled_in(book, tmp_path):
    (tmp_path / "from canvas.csv").write_text(CANVAS, encoding="utf-8")
    done = export(book, [LESSON], tmp_path / "to canvas.csv", template=tmp_path / "from canvas.csv")
    assert done.path.read_text(encoding="utf-8").startswith("\ufeffStudent,ID,")
    rows = by_first(table(done.path))
    assert rows["Lovelace, Ada"] == ["Lovelace, Ada", "501", "s-1", "ada", "Ox", "7", "1", ""]
    assert rows["Babbage, Charles"][6] == "0"  # found by the e-mail address that he signs in with
    assert rows["Nobody, Known"][5:7] == ["8", ""] and rows["    Points Possible"][6] == "2"
    assert (done.written, done.not_in_template) == (2, [])


def test_a_worksheet_of_moodle_is_filled_in(book, tmp_path):
    (tmp_path / "moodle.csv").write_text(MOODLE)
    roster = Roster((Student("charles", known_as={"participant": "78"}),))
    done = export(book, [LESSON], tmp_path / "out.csv", template=tmp_path / "moodle.csv", roster=roster)
    rows = by_first(table(done.path, ";"))
    assert rows["Participant 77"][4:] == ["1", "2,00", "-"]
    assert rows["Participant 78"][4] == "0"
    assert done.not_in_template == []


def test_who_is_in_no_row_is_named(book, tmp_path):
    (tmp_path / "moodle.csv").write_text(MOODLE)
    done = export(book, [LESSON], tmp_path / "out.csv", template=tmp_path / "moodle.csv")
    assert done.not_in_template == ["charles"]


def test_a_row_of_two_people_stays_as_it_is(book, tmp_path):
    (tmp_path / "in.csv").write_text(f"Username,Email,{NAME}\nada,charles@example.org,9\n")
    done = export(book, [LESSON], tmp_path / "out.csv", template=tmp_path / "in.csv")
    assert table(done.path)[1][2] == "9"
    assert set(done.not_in_template) == {"ada", "charles"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column that tells"),
        (f"Name,{NAME}\nAda,\n", "no column that tells"),
        ("Email,Essay\nada@example.org,\n", "no column '01_convolution'.*--column.*Essay"),
        (f"Email,{NAME} (1),{NAME} (2)\nada@example.org,,\n", "or several"),
    ],
)
def test_a_template_without_the_columns_is_refused(book, tmp_path, text, message):
    (tmp_path / "in.csv").write_text(text)
    with pytest.raises(GradingError, match=message):
        export(book, [LESSON], tmp_path / "out.csv", template=tmp_path / "in.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_template_that_is_no_text_is_refused(book, tmp_path):
    (tmp_path / "in.csv").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(GradingError, match="no text in UTF-8"):
        export(book, [LESSON], tmp_path / "out.csv", template=tmp_path / "in.csv")


@pytest.mark.parametrize("kind", Kind)
def test_no_name_is_a_formula(book, tmp_path, kind):
    values = [value for row in table(export(book, [LESSON], tmp_path / "out.csv", kind).path) for value in row]
    assert any("HYPERLINK" in value for value in values)
    assert not any(value.startswith(("=", "+", "@", "\t", "-")) for value in values)


FOREIGN = "Username;Phone;Note;Other;{name}\r\nada;+49 30 12345;=1+1;-1,5;{ada}\r\nzoe;;@home;--;5\r\n\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("before", ["", "sep=;\r\n", "Course DL 101 \N{EN DASH} M\xfcnchen\r\n\r\n"])
def test_all_but_the_scores_is_byte_for_byte_as_it_was(half, tmp_path, encoding, before):
    """Foreign text may begin with + or -, and the numbers are written as those around them."""
    (tmp_path / "in.csv").write_bytes((before + FOREIGN.format(name=NAME, ada="")).encode(encoding))
    export(half, [LESSON], tmp_path / "out.csv", template=tmp_path / "in.csv")
    expected = (before + FOREIGN.format(name=NAME, ada="0,5")).encode(encoding)
    assert (tmp_path / "out.csv").read_bytes() == expected


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        (f"Username,{NAME}\nada,\n", "ada,0.5\n"),
        (f"Username,{NAME}\nada\n", "ada,0.5\n"),
        (f'"Username","{NAME}"\n"ada",""\n', '"ada","0.5"\n'),
        (f'Username,Max,{NAME}\nada,"2,00",\n', 'ada,"2,00","0,5"\n'),
        (f"Username\tMax\t{NAME} [Total Pts: 2 Score] |77\nada\t2.00\t\n", "ada\t2.00\t0.5\n"),
        (f"OrgDefinedId,{NAME} Points Grade <Numeric MaxPoints:2>,End-of-Line Indicator\n#ada,,#\n", "#ada,0.5,#\n"),
        (f"Email address,Assignment: {NAME} (Real)\nada@example.org,-\n", "ada@example.org,0.5\n"),
        ('Identifikator;E-Mail-Adresse;Bewertung\n"Teilnehmer/in 7";ada@example.org;\n', "ada@example.org;0.5\n"),
        ("Identifiant;Adresse de courriel;Note\nParticipant 7;ada@example.org;\n", "ada@example.org;0.5\n"),
    ],
)
def test_columns_and_numbers_of_each_platform(half, tmp_path, text, filled):
    (tmp_path / "in.csv").write_text(text)
    done = export(half, [LESSON], tmp_path / "out.csv", template=tmp_path / "in.csv")
    assert done.path.read_bytes().decode().endswith(filled) and done.written == 1


def test_a_title_that_holds_the_assignments_name_is_another_column(half, tmp_path):
    (tmp_path / "in.csv").write_text(f"Username,{NAME} bonus\nada,\n")
    with pytest.raises(GradingError, match="no column '01_convolution'"):
        export(half, [LESSON], tmp_path / "out.csv", template=tmp_path / "in.csv")


def test_a_participant_is_nobodys_student_number(half, tmp_path):
    (tmp_path / "in.csv").write_text("Identifier,Grade\nParticipant 501,\n")  # 501 is the number that Canvas gave ada
    done = export(half, [LESSON], tmp_path / "out.csv", template=tmp_path / "in.csv")
    assert done.not_in_template == ["ada"]


def test_the_roster_knows_ids_that_the_gradebook_does_not(book, tmp_path):
    """Canvas's own id in Canvas's column, whatever the school's own id is."""
    ids = {"canvas_id": "1000", "sis_login": "al1", "sis_id": "u77"}
    listed = Roster((Student("ada", "UNI\\ada", known_as=ids), Student("charles", known_as={"canvas_id": "1001"})))
    _, _, *rows = table(export(book, [LESSON], tmp_path / "canvas.csv", Kind.CANVAS, roster=listed).path)
    assert ["Lovelace, Ada", "1000", "u77", "al1", "", "1"] in rows
    (tmp_path / "in.csv").write_text(f"Student,ID,SIS Login ID,{NAME} (4)\nA,1000,,\nB,,al1,\nC,1001,,\n")
    done = export(book, [LESSON], tmp_path / "out.csv", template=tmp_path / "in.csv", roster=listed)
    assert [row[3] for row in table(done.path)[1:]] == ["1", "1", "0"]
    plain = table(export(book, [LESSON], tmp_path / "plain.csv", roster=listed).path)
    assert "UNI\\ada" in {row[0] for row in plain}


@pytest.mark.parametrize(
    ("name", "score"), [("Lovelace, Ada", "1"), ("Lovelace, Augusta", "1"), ("Ek, Bo", ""), ("", "1")]
)
def test_a_number_of_another_system_is_believed_where_the_names_agree(book, tmp_path, name, score):
    """Canvas's 77 may be anybody, and need not be the one whom the school calls 77."""
    listed = Roster((Student("ada", "77", "Ada", "Lovelace"),))
    (tmp_path / "in.csv").write_text(f'Student,ID,Section,{NAME} (4)\n"{name}",77,A,\n')
    done = export(book, [LESSON], tmp_path / "out.csv", template=tmp_path / "in.csv", roster=listed)
    assert table(done.path)[1][3] == score


def test_canvas_number_is_no_login(book, tmp_path):
    """Where it is all that is known of a person, Canvas would look for a login of that name."""
    listed = Roster((Student("ada", "1000", known_as={"canvas_id": "1000"}),))
    rows = table(export(book, [LESSON], tmp_path / "canvas.csv", Kind.CANVAS, roster=listed).path)
    assert ["Lovelace, Ada", "1000", "", "", "", "1"] in rows


def test_who_left_without_a_score_is_no_row(book, tmp_path):
    listed = Roster((Student("grace", gone=True), Student("ada", gone=True)))
    people = {row[0] for row in table(export(book, [LESSON], tmp_path / "plain.csv", roster=listed).path)}
    assert "ada" in people and "grace" not in people


def test_points_for_each_exercise(book, tmp_path):
    done = export(book, [LESSON], tmp_path / "scores.csv", per_exercise=True)
    header, *rows = table(done.path)
    assert header[-2:] == ["output_size", "quiz_same_output_size"]
    assert {row[0]: row[-2:] for row in rows} == {"ada": ["1", "0"], "charles": ["0", "0"], "grace": ["", ""]}
    assert done.points == {NAME: (2, 1)}


def test_points_for_each_exercise_in_the_files_that_platforms_read(book, tmp_path):
    header, possible, *rows = table(export(book, [LESSON], tmp_path / "c.csv", Kind.CANVAS, per_exercise=True).path)
    assert header[5:] == [NAME, f"{NAME} output_size", f"{NAME} quiz_same_output_size"] and possible[5:] == [
        "2",
        "1",
        "1",
    ]
    assert by_first(rows)["Lovelace, Ada"][5:] == ["1", "1", "0"]
    header, *rows = table(export(book, [LESSON], tmp_path / "m.csv", Kind.MOODLE, per_exercise=True).path)
    assert header[5:] == [NAME, f"{NAME} output_size", f"{NAME} quiz_same_output_size"]
    assert by_first(rows)["charles"][5:] == ["0", "0", "0"]


@given(st.text())
def test_what_a_spreadsheet_would_compute_is_text(value):
    shown = harmless(value)
    assert shown in (value, "'" + value)
    is_number = re.fullmatch(r"[+-]?\d+(\.\d+)?", value) or value.strip() == "-"
    assert is_number or not shown.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize("value", ["", "-", "-1.5", "+3", "12", "O'Neill", "a=b", "2,00", "ada@example.org"])
def test_harmless_values_stay(value):
    assert harmless(value) == value
