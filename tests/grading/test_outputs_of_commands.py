"""Where `export`, `pack`, `publish` and `archive` write: no folder is made by a slip, and no file is lost."""

import os
import shutil
import zipfile

import pytest

from grading.gradebook.book import Book
from grading.outputs import check_folder
from grading.problems import GradingError
from grading.receipt import Receipt
from tests.grading.school import NAME, RIGHT, School
from utils.files import write_whole

SECOND = "02_cnn_on_mnist"
CANVAS = f'Student,ID,SIS Login ID,Section,{NAME} (4711)\n    Points Possible,,,,2\n"Nowak, Mei",1000,s1,DL,\n'


@pytest.fixture
def school(tmp_path) -> School:
    """One student is graded, and was collected from Canvas. Beside the class are a folder and Canvas's file."""
    school = School(tmp_path / "class")
    classroom = school.classroom
    with Book(classroom) as book:
        book.register(school.assignment)
        book.record(school.graded("s1", passed=True), school.notebook(RIGHT))
    school.hand_in("s1", school.notebook(RIGHT))
    exported = f"nowakmei_1000_50001_{NAME}.ipynb"
    Receipt(exported, "canvas", exported=exported).write(classroom.receipt("s1", NAME))
    school.graded("s1", passed=True).write(classroom.result("s1", NAME))
    write_whole(classroom.batch(NAME), "{}")
    (tmp_path / "uploads").mkdir()
    (tmp_path / "canvas.csv").write_text(CANVAS)
    return school


@pytest.mark.parametrize("words", [("export", "scores.csv"), ("pack", "f.zip"), ("publish", "pages"), ("archive", "a")])
def test_a_folder_that_was_mistyped_is_not_made(school, tmp_path, reach_grade, words):
    command, name = words
    said = reach_grade(command, f"uplaods/{name}", "--class", "class", fails=True)
    assert "There is no folder uplaods. Did you mean uploads?" in said
    assert not (tmp_path / "uplaods").exists() and not (school.classroom.root / "feedback").exists()


def test_the_nearest_folder_that_is_there_is_said(tmp_path):
    (tmp_path / "year").mkdir()
    with pytest.raises(GradingError, match=f"The nearest that is there is {tmp_path}/year. Otherwise make it"):
        check_folder(tmp_path / "year" / "uploads" / "week" / "scores.csv")
    check_folder(tmp_path / "year" / "scores.csv")


def test_the_template_stays_as_it_is(school, tmp_path, reach_grade):
    shutil.copy(tmp_path / "canvas.csv", tmp_path / "mine.csv")
    (tmp_path / "uploads" / "link.csv").symlink_to(tmp_path / "canvas.csv")
    for name in ("canvas.csv", "uploads/../canvas.csv", "uploads/link.csv"):
        said = reach_grade("export", name, "--template", "canvas.csv", "--class", "class", fails=True)
        assert "is the very file that is to be filled in" in said
        assert (tmp_path / "canvas.csv").read_text() == CANVAS
    reach_grade("export", "canvas.csv", "--template", "canvas.csv", "--class", "class", "--overwrite")
    assert (tmp_path / "canvas.csv").read_text() == CANVAS.replace("s1,DL,", "s1,DL,1")


def test_what_export_wrote_is_replaced_and_nothing_else(school, tmp_path, reach_grade):
    def export(*words: str, fails: bool = False) -> str:
        return reach_grade("export", "scores.csv", "--class", "class", *words, fails=fails)

    (tmp_path / "scores.csv").write_text("by hand")
    assert "no file that this class's export of scores was written to" in export(fails=True)
    assert (tmp_path / "scores.csv").read_text() == "by hand"
    export("--overwrite")
    export("--template", "canvas.csv")
    assert (tmp_path / "scores.csv").read_text() == CANVAS.replace("s1,DL,", "s1,DL,1")
    (tmp_path / "scores.csv").write_text("changed by hand")
    assert "it was changed since" in export(fails=True)
    assert "is a folder" in reach_grade("export", "uploads", "--class", "class", fails=True)
    school.classroom.written.write_text("damaged")
    assert "is there already" in export(fails=True)


def test_a_pipe_or_a_device_is_no_output(school, tmp_path, reach_grade):
    os.mkfifo(tmp_path / "pipe")
    for words in ((), ("--overwrite",)):
        assert "no ordinary file" in reach_grade("export", "pipe", "--class", "class", *words, fails=True)
    assert (tmp_path / "pipe").is_fifo()


def test_a_zip_of_another_lesson_is_not_replaced(school, tmp_path, reach_grade):
    def pack(assignment: str, *words: str, fails: bool = False) -> str:
        words = ("feedback.zip", "--class", "class", "--assignment", assignment, *words)
        return reach_grade("pack", *words, fails=fails)

    with zipfile.ZipFile(tmp_path / "feedback.zip", "w") as archive:
        archive.writestr("photos/1.png", b"x")
    assert "is there already" in pack(NAME, fails=True)
    assert not school.classroom.feedback("s1", NAME).exists(), "it is refused before a page is written"
    pack(NAME, "--overwrite")
    pack(NAME)
    reach_grade("release", SECOND, "--class", "class")
    before = (tmp_path / "feedback.zip").read_bytes()
    assert f"feedback.zip holds the feedback on {NAME}. Give another name" in pack(SECOND, fails=True)
    assert (tmp_path / "feedback.zip").read_bytes() == before


@pytest.mark.parametrize("words", [("class",), ("pages", "--base-url", "nowhere")])
def test_publish_looks_at_the_folder_and_the_address_before_it_writes_a_page(school, reach_grade, words):
    reach_grade("publish", *words, "--class", "class", fails=True)
    assert not school.classroom.feedback("s1", NAME).exists() and not school.classroom.pages_key.exists()
    school.classroom.pages_key.write_text("half")
    assert "pages.key is damaged" in reach_grade("publish", "pages", "--class", "class", fails=True)
    assert not school.classroom.feedback("s1", NAME).exists()
