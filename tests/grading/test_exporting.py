"""Scores as CSV: into the right rows, and nothing that a spreadsheet would compute."""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.gradebook.book import Book
from grading.gradebook.exporting import Kind, export, harmless
from grading.problems import GradingError
from tests.grading.school import NAME, RIGHT, School

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


def table(path: Path, delimiter: str = ",") -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream, delimiter=delimiter))


def by_first(rows: list[list[str]]) -> dict[str, list[str]]:
    return {row[0]: row for row in rows}


def test_a_plain_file_has_everybody(book, tmp_path):
    done = export(book, NAME, tmp_path / "scores.csv")
    header, *rows = table(done.path)
    rows = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    assert set(rows) == {"ada", "charles", "grace"}
    assert rows["ada"][NAME] == "1" and rows["ada"]["max_score"] == "2"
    assert rows["ada"]["submitted"] == "2026-03-01T10:00:00" and rows["ada"]["needs_manual_grade"] == "yes"
    assert rows["charles"][NAME] == "0" and rows["grace"][NAME] == ""  # grace handed nothing in
    assert (done.written, done.not_final) == (2, ["ada"])


def test_canvas_gets_the_columns_that_it_knows(book, tmp_path):
    header, possible, *rows = table(export(book, NAME, tmp_path / "canvas.csv", Kind.CANVAS).path)
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", NAME]
    assert possible == ["    Points Possible", "", "", "", "", "2"]
    assert ["Lovelace, Ada", "501", "", "ada", "", "1"] in rows


def test_moodle_gets_columns_to_find_people_by(book, tmp_path):
    header, *rows = table(export(book, NAME, tmp_path / "moodle.csv", Kind.MOODLE, column="Lesson 1").path)
    assert header == ["Username", "ID number", "First name", "Last name", "Email address", "Lesson 1"]
    assert ["ada", "501", "Ada", "Lovelace", "ada@example.org", "1"] in rows


def test_a_file_of_canvas_is_filled_in(book, tmp_path):
    (tmp_path / "from canvas.csv").write_text(CANVAS, encoding="utf-8")
    done = export(book, NAME, tmp_path / "to canvas.csv", template=tmp_path / "from canvas.csv")
    rows = by_first(table(done.path))
    assert rows["Student"] == CANVAS.lstrip("\ufeff").splitlines()[0].split(",")
    assert rows["Lovelace, Ada"] == ["Lovelace, Ada", "501", "s-1", "ada", "Ox", "7", "1", ""]
    assert rows["Babbage, Charles"][6] == "0"  # found by the e-mail address that he signs in with
    assert rows["Nobody, Known"][5:7] == ["8", ""] and rows["    Points Possible"][6] == "2"
    assert (done.written, done.not_in_template) == (2, [])


def test_a_worksheet_of_moodle_is_filled_in(book, tmp_path):
    (tmp_path / "moodle.csv").write_text(MOODLE)
    done = export(book, NAME, tmp_path / "out.csv", template=tmp_path / "moodle.csv", known_as={"charles": ["78"]})
    rows = by_first(table(done.path, ";"))
    assert rows["Participant 77"][4:] == ["1", "2,00", "-"]
    assert rows["Participant 78"][4] == "0"
    assert done.not_in_template == []


def test_who_is_in_no_row_is_named(book, tmp_path):
    (tmp_path / "moodle.csv").write_text(MOODLE)
    done = export(book, NAME, tmp_path / "out.csv", template=tmp_path / "moodle.csv")
    assert done.not_in_template == ["charles"]


def test_a_row_of_two_people_stays_as_it_is(book, tmp_path):
    (tmp_path / "in.csv").write_text(f"Username,Email,{NAME}\nada,charles@example.org,9\n")
    done = export(book, NAME, tmp_path / "out.csv", template=tmp_path / "in.csv")
    assert table(done.path)[1][2] == "9"
    assert set(done.not_in_template) == {"ada", "charles"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column that tells"),
        (f"Name,{NAME}\nAda,\n", "no column that tells"),
        ("Email,Essay\nada@example.org,\n", "no column '01_convolution'.*Essay"),
        (f"Email,{NAME} (1),{NAME} (2)\nada@example.org,,\n", "or several"),
    ],
)
def test_a_template_without_the_columns_is_refused(book, tmp_path, text, message):
    (tmp_path / "in.csv").write_text(text)
    with pytest.raises(GradingError, match=message):
        export(book, NAME, tmp_path / "out.csv", template=tmp_path / "in.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_template_that_is_no_text_is_refused(book, tmp_path):
    (tmp_path / "in.csv").write_bytes(b"\xff\xfe\x00PK")
    with pytest.raises(GradingError, match="UTF-8"):
        export(book, NAME, tmp_path / "out.csv", template=tmp_path / "in.csv")


@pytest.mark.parametrize("kind", Kind)
def test_no_name_is_a_formula(book, tmp_path, kind):
    values = [value for row in table(export(book, NAME, tmp_path / "out.csv", kind).path) for value in row]
    assert any("HYPERLINK" in value for value in values)
    assert not any(value.startswith(("=", "+", "@", "\t", "-")) for value in values)


def test_a_template_is_made_harmless_too(book, tmp_path):
    (tmp_path / "in.csv").write_text(f"Username,Name,{NAME}\nada,=1+1,-\n")
    assert table(export(book, NAME, tmp_path / "out.csv", template=tmp_path / "in.csv").path)[1] == [
        "ada",
        "'=1+1",
        "1",
    ]


@given(st.text())
def test_what_a_spreadsheet_would_compute_is_text(value):
    shown = harmless(value)
    assert shown in (value, "'" + value)
    is_number = re.fullmatch(r"[+-]?\d+(\.\d+)?", value) or value.strip() == "-"
    assert is_number or not shown.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize("value", ["", "-", "-1.5", "+3", "12", "O'Neill", "a=b", "2,00", "ada@example.org"])
def test_harmless_values_stay(value):
    assert harmless(value) == value
