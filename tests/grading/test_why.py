"""The answer to a student's question has all that led to the score, and nothing that harms the terminal."""

import nbformat
import pytest

from grading.basis import CODE
from grading.gradebook.book import Book
from grading.receipt import Receipt
from grading.results import Graded, Mark
from grading.waiting import hash_of
from tests.grading.school import ANSWER, CHECK, NAME, QUIZ, School
from utils.checking import Status, Verdict
from utils.files import write_whole

HOSTILE = "def output_size(*args):\n    return '\x1b[2J\u202e'"


@pytest.fixture
def school(tmp_path) -> School:
    """Ada's answer is wrong, was handed in late, and a person has given half a point for it."""
    school = School(tmp_path / "class")
    notebook = school.notebook(HOSTILE, quiz="c")
    school.hand_in("ada", notebook)
    members, notes = ("ada", "bo"), ("The newest of 2.",)
    receipt = Receipt("ada.ipynb", "canvas", "2026-03-02T12:00:00+00:00", members=members, notes=notes)
    receipt.write(school.classroom.receipt("ada", NAME))
    school.classroom.due.write_text(f"assignment,student,due\n{NAME},,2026-03-01 12:00 UTC\n")
    (school.classroom.root / "nbgrader_config.py").write_text(
        "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"
    )
    verdict = Verdict(
        "output_size",
        Status.FAILED,
        "3 of 36 cases fail.",
        case="output_size(size=3)",
        problem="expected 1, got 0",
        mistake="no_first_window",
        explanation="The first window counts.",
    )
    file = school.classroom.submitted("ada", NAME).read_bytes()
    basis = {"seed": "17", "--cell-seconds": "60", CODE: "older"}
    graded = Graded("ada", NAME, [Mark(CHECK, 0, 1, verdict)], seed=17, sha256=hash_of(file), basis=basis)
    with Book(school.classroom) as book:
        book.register(school.assignment)
        book.record(graded, notebook, "first graded")
        graded.write(school.classroom.result("ada", NAME))
        with book.writing("nearly", who="Kim") as gradebook:
            grade = gradebook.find_grade(CHECK, NAME, NAME, "ada")
            grade.manual_score = 0.5
            book.renew_penalty(grade.notebook)
    return school


def test_why_tells_all_that_led_to_a_score(school, reach_grade):
    said = reach_grade("why", "ada", "--class", school.classroom.root)
    for part in (
        f"ada, {NAME}: 0 of 2 points",
        "as ada.ipynb (canvas), together with bo",
        "The newest of 2.",
        "late: 0.5 points are taken off",
        "seed 17, --cell-seconds 60",
        "another since then: ",
        "output_size: 0.5 of 1 points. The check gives 0; what a person gave counts.",
        "output_size(size=3)",
        "expected 1, got 0",
        "The first window counts.",
        "    def output_size(*args):",
        f"{QUIZ}: waits to be graded by hand.",
        "first graded",
        f"{ANSWER} 0 → 0.5; nearly (Kim)",
        "late penalty -0.5; handed in 2026-03-02 12:00:00 UTC, due 2026-03-01 12:00:00 UTC (Kim)",
    ):
        assert part in said, part
    assert "\x1b" not in said and "\u202e" not in said


def test_why_tells_of_one_exercise_if_asked(school, reach_grade):
    said = reach_grade("why", "ada", "--class", school.classroom.root, "--exercise", "output_size")
    assert "def output_size" in said and QUIZ not in said
    said = reach_grade("why", "ada", "--class", school.classroom.root, "--exercise", QUIZ)
    assert "def output_size" not in said and QUIZ in said
    said = reach_grade("why", "ada", "--class", school.classroom.root, "--exercise", "output", fails=True)
    assert "Did you mean output_size?" in said


def test_a_file_that_cannot_be_read_is_no_answer_of_the_students(school, reach_grade):
    """In the gradebook stands the released notebook for it."""
    why = "The file is empty."
    verdict = Verdict("output_size", Status.NOT_ATTEMPTED, why)
    graded = Graded("ada", NAME, [Mark(CHECK, 0, 1, verdict)], notes=[why])
    graded.write(school.classroom.result("ada", NAME))
    said = reach_grade("why", "ada", "--class", school.classroom.root)
    assert f"could not be read, so there are no points: {why}" in said and "def output_size" not in said


def test_why_says_what_has_not_been_graded(school, reach_grade):
    write_whole(school.classroom.submitted("ada", NAME), nbformat.writes(school.notebook()))
    assert "Another file has come in since" in reach_grade("why", "ada", "--class", school.classroom.root)
    school.hand_in("bo", school.notebook())
    assert "There is no result." in reach_grade("why", "bo", "--class", school.classroom.root)
    (school.classroom.root / "submitted" / "chi").mkdir()
    said = reach_grade("why", "chi", "--class", school.classroom.root, fails=True)
    assert "chi has handed in nothing of what was released" in said
    assert "nothing was handed in" in reach_grade("why", "chi", "--assignment", NAME, "--class", school.classroom.root)
