"""An exercise that gives its points by parts, from the sandbox to the gradebook, the pages and the export."""

import csv
import subprocess
import sys
from dataclasses import replace

import nbformat
import pytest
from nbgrader.utils import compute_checksum, determine_grade

from grading.assignment import Task
from grading.gradebook.autograded import autograded_notebook
from grading.gradebook.book import Book
from grading.gradebook.exporting import export
from grading.judging.grade import Rules, grade_notebook
from grading.judging.private_checks import capped, declared_exercises
from grading.pages.feedback import feedback_page
from grading.pages.report import class_page, distribution
from grading.results import Graded, Mark
from tests import browser
from tests.grading.school import ANSWER, CHECK, NAME, RIGHT, School
from utils.checking import Earned, Status, Verdict

PARTS = """from utils.checking import Lesson

lesson = Lesson("01", __name__)

@lesson.exercise(points={"plain": 2, "dilation": 1}, hint="Count the windows.")
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1

@output_size.cases
def _(rng):
    yield 5, 3, 1, 0, 1
    yield 9, 2, 2, 1, 1

@output_size.cases("dilation")
def _(rng):
    yield 9, 3, 1, 0, 2
    yield 12, 3, 2, 1, 3
"""
HERE = "\nfrom types import SimpleNamespace\n\ncheck = SimpleNamespace(**lesson.exercises)"
NO_DILATION = RIGHT.replace("dilation * (kernel - 1)", "(kernel - 1)")
ONLY_DILATION = RIGHT.replace("    return", "    if dilation == 1: return 0\n    return")
ANSWERS = {
    "all": (RIGHT, 3),
    "part": (NO_DILATION, 2),
    "later": (ONLY_DILATION, 1),
    "constant": ("def output_size(*sizes): return 5", 0),
    "argument": ("def output_size(size, *others): return size", 0),
    "breaks": ("def output_size(*sizes): return 1 / 0", 0),
    "stub": ("", 0),
}


@pytest.fixture
def school(tmp_path) -> School:
    """A class in which the exercise of lesson 01 has parts; the notebook itself declares them."""
    made = School(tmp_path / "class")
    notebook = made.assignment.notebook
    notebook.cells[0].source = PARTS + HERE
    for cell in notebook.cells:
        if cell.id == CHECK:
            cell.metadata.nbgrader.points = 3
            cell.metadata.nbgrader.checksum = compute_checksum(cell)
    nbformat.write(notebook, made.classroom.released(NAME))
    made.assignment = with_private(made)
    return made


def with_private(school: School, private: str = ""):
    """The assignment, with a private check beside the public one."""
    sources = {"public.py": PARTS} | ({"private.py": private} if private else {})
    return replace(
        school.assignment, tasks=(Task(CHECK, ANSWER, 3.0, "99", ANSWER, tuple(declared_exercises(sources))),)
    )


def grades(school: School, sandbox, assignment=None) -> dict:
    assignment = assignment or school.assignment
    return {
        student: grade_notebook(student, assignment, school.notebook(answer), Rules(seed=3), sandbox)
        for student, (answer, _) in ANSWERS.items()
    }


def test_points_by_parts_reach_the_gradebook_the_export_and_the_pages(school, sandbox, tmp_path):
    judged = grades(school, sandbox)
    expected = {student: points for student, (_, points) in ANSWERS.items()}
    assert {student: one.graded.points for student, one in judged.items()} == expected
    for one in judged.values():
        shown = autograded_notebook(one.notebook, school.assignment.notebook, one.graded.marks)
        nbformat.validate(shown)
        (check,) = (cell for cell in shown.cells if cell.id == CHECK)
        assert determine_grade(check) == (one.graded.points, 3)
    with Book(school.classroom) as book:
        book.register(school.assignment)
        for one in judged.values():
            book.record(one.graded, one.notebook)
        assert {score.student: score.points for score in book.scores(NAME)} == expected
        export(book, [school.assignment], tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="") as stream:
        assert {row["student"]: float(row[NAME]) for row in csv.DictReader(stream)} == expected
    page = feedback_page(judged["part"].graded, judged["part"].notebook, school.assignment)
    assert "2 of 3 points" in page and "dilation: 0 of 1, because expected 5, got 7" in page
    graded = [one.graded for one in judged.values()]
    assert class_page(graded, school.assignment)
    path = tmp_path / "result.json"
    judged["part"].graded.write(path)
    assert Graded.read(path) == judged["part"].graded


def test_a_stock_autograde_gives_the_same_points(school, tmp_path):
    with Book(school.classroom) as book:
        book.register(school.assignment)
    for student, (answer, _) in ANSWERS.items():
        school.hand_in(student, school.notebook(answer))
    command = [sys.executable, "-m", "nbgrader", "autograde", NAME]
    environment = browser.environment(tmp_path)
    done = subprocess.run(command, cwd=school.classroom.root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    with Book(school.classroom) as book:
        points = {score.student: score.points for score in book.scores(NAME)}
    assert points == {student: points for student, (_, points) in ANSWERS.items()}


# --- private checks ---

PLAIN = PARTS.replace('points={"plain": 2, "dilation": 1}', "points=1").replace('@output_size.cases("dilation")', "")
PLAIN = PLAIN.replace("yield 5, 3, 1, 0, 1", "yield 31337, 3, 1, 0, 1")


def test_who_fails_a_private_check_of_the_same_parts_loses_these_parts_alone(school, sandbox):
    private = PARTS.replace("yield 9, 3, 1, 0, 2", "yield 31337, 3, 1, 0, 2")
    small = RIGHT.replace("    return", "    if size > 10_000: return 0\n    return")
    assignment = with_private(school, private)
    graded = grade_notebook("ada", assignment, school.notebook(small), Rules(seed=3), sandbox).graded
    assert graded.points == 2 and "31337" not in str(graded)
    assert "dilation: 0 of 1, because it does not pass your instructor's own check" in graded.marks[0].verdict.text()
    points = {student: one.graded.points for student, one in grades(school, sandbox, assignment).items()}
    assert points == {student: points for student, (_, points) in ANSWERS.items()}


def mark(verdict: Verdict) -> Mark:
    return Mark(CHECK, round(3 * verdict.share, 2), 3, verdict)


def failed(*credit: Earned) -> Verdict:
    return Verdict(ANSWER, Status.FAILED, "1 of 4 cases fail.", problem="31337", credit=list(credit))


PUBLIC = failed(Earned("plain", 2, 2), Earned("dilation", 0, 1, "of that"))
WHY = "It does not pass your instructor's own check."
WHOLE = Verdict(ANSWER, Status.PASSED, "All 4 cases agree.")


@pytest.mark.parametrize(
    ("public", "private", "points"),
    [
        (WHOLE, failed(), 0),
        (PUBLIC, failed(), 0),
        (WHOLE, failed(Earned("cases", 0.5, 1)), 1.5),
        (PUBLIC, failed(Earned("cases", 0.5, 1)), 1),
        (PUBLIC, failed(Earned("dilation", 0, 1), Earned("plain", 1, 2)), 1),
        (failed(Earned("cases", 2.1, 3)), failed(Earned("cases", 1, 2)), 1.5),
    ],
)
def test_a_private_check_caps_what_the_public_one_gives(public, private, points):
    found = capped(mark(public), private, WHY)
    assert found.points == pytest.approx(points) and found.verdict.status is Status.FAILED
    assert "instructor" in found.verdict.text() and ("31337" in found.verdict.text()) == (not public.passed)
    again = capped(found, failed(Earned("cases", 0.9, 1)), WHY)
    assert again.points <= found.points


def test_a_range_of_points_reaches_to_the_most_in_it(school):
    marks = [Graded(f"s{points}", NAME, [Mark(CHECK, points, 3, PUBLIC)]) for points in (0, 2, 2.4, 3)]
    found = [(one.low, one.high, one.students) for one in distribution(marks, school.assignment)]
    assert found == [(0, 0, 1), (1, 1, 0), (2, 2.4, 2), (3, 3, 1)]
