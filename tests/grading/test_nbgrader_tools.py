"""Stock nbgrader works on the gradebook that we write, and its autograde with our configuration is safe."""

import copy
import csv
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from grading.classroom import Classroom
from grading.gradebook.book import Book
from grading.gradebook.changes import IN_FORMGRADER, this_account
from grading.gradebook.config import write_nbgrader_config
from grading.gradebook.formgrader import formgrader_command, open_formgrader
from grading.problems import GradingError
from grading.sandbox import NoSandbox, check_available
from tests import browser
from tests.grading.school import ANSWER, CHECK, NAME, QUIZ, RIGHT, School, contents

TRICK = "c <script>window.tricked = true</script><img src=x onerror='window.tricked = true'>[x](javascript:alert(1))"
PASTED = "![a picture](attachment:picture.png)"


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """Where Jupyter and nbgrader look for the settings of a person: an empty folder."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def graded(tmp_path_factory) -> School:
    """A class that our side has graded."""
    school = School(tmp_path_factory.mktemp("class"))
    write_nbgrader_config(school.classroom.root)
    with Book(school.classroom) as book:
        book.register(school.assignment)
        book.enrol("ada", first_name="Ada", last_name="Lovelace<script>window.tricked = true</script>")
        for student, passed, quiz in (("ada", True, TRICK), ("bob", False, "a"), ("cyd", True, PASTED)):
            school.hand_in(student, school.notebook(RIGHT, quiz), "2026-03-01 10:00:00 UTC")
            notebook = school.notebook(RIGHT, quiz)
            notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", {"text/html": TRICK})]
            book.record(school.graded(student, passed), notebook)
    return school


def nbgrader(school: School, home: Path, *arguments: str) -> str:
    """What this command of nbgrader says; the test fails if the command does."""
    command = [sys.executable, "-m", "nbgrader", *arguments]
    environment = browser.environment(home)
    done = subprocess.run(command, cwd=school.classroom.root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_export(graded, home):
    nbgrader(graded, home, "export")
    with (graded.classroom.root / "grades.csv").open(newline="") as stream:
        scores = {row["student_id"]: (row["raw_score"], row["max_score"]) for row in csv.DictReader(stream)}
    assert scores == {"ada": ("1.0", "2.0"), "bob": ("0.0", "2.0"), "cyd": ("1.0", "2.0")}


def test_generate_feedback(graded, home):
    nbgrader(graded, home, "generate_feedback", NAME)
    pages = {student: graded.classroom.feedback(student, NAME).read_text() for student in ("ada", "bob", "cyd")}
    assert "All 36 cases agree." in pages["ada"] and "3 of 36 cases fail." in pages["bob"]
    assert "(Score: 1.0 / 2.0)" in " ".join(pages["ada"].split())
    assert not any("<script>window.tricked" in page or "<img src=x" in page for page in pages.values())


def test_a_due_date_makes_late_work_late(graded, home):
    nbgrader(graded, home, "db", "assignment", "add", NAME, "--duedate=2026-02-28 12:00:00 UTC")
    with Gradebook(f"sqlite:///{graded.classroom.gradebook}") as book:
        assert book.find_submission(NAME, "ada").total_seconds_late == 22 * 3600


def test_validate(graded, home, tmp_path):
    for name, answer in {"right": RIGHT, "wrong": "def output_size(*sizes): return 1"}.items():
        nbformat.write(graded.notebook(answer, quiz="c"), tmp_path / f"{name} answer.ipynb")
    said = nbgrader(graded, home, "validate", *map(str, sorted(tmp_path.glob("*.ipynb"))))
    assert re.search(r"Success.*\n(.*\n)*.*failed", said), said


def test_the_gradebook_is_that_of_a_stock_autograde(tmp_path, home):
    """Answers that can be trusted, graded by nbgrader in a kernel, as it comes, and by us."""
    ours, theirs = School(tmp_path / "ours"), School(tmp_path / "theirs")
    wrong = "def output_size(*sizes): return 1"
    answers = {"ada": (True, RIGHT, "c"), "bob": (False, wrong, "a"), "cyd": (False, "", "")}
    with Book(ours.classroom) as book, Book(theirs.classroom) as other:
        book.register(ours.assignment)
        other.register(theirs.assignment)
        for student, (passed, answer, quiz) in answers.items():
            for school in (ours, theirs):
                school.hand_in(student, school.notebook(answer, quiz), "2026-03-01 10:00:00 UTC")
            book.record(ours.graded(student, passed), ours.notebook(answer, quiz))
    nbgrader(theirs, home, "autograde", NAME)
    assert contents(book.url) == contents(other.url)


# --- nbgrader autograde, in our sandbox ---------------------------------------------------------------------------


def mangled(school: School) -> dict[str, nbformat.NotebookNode | str]:
    """Submissions at each of which a stock `nbgrader autograde` gives up, some of them for the whole batch."""
    right = school.notebook(RIGHT, quiz="c")
    cells = {}
    for name in ("twice", "schema", "stripped", "retyped", "renamed", "no_points", "pasted"):
        cells[name] = copy.deepcopy(right)
    at = {cell.id: place for place, cell in enumerate(right.cells)}
    again = copy.deepcopy(cells["twice"].cells[at[ANSWER]])
    again.id = "again"
    cells["twice"].cells.insert(at[ANSWER], again)
    cells["schema"].cells[at[CHECK]].metadata.nbgrader.schema_version = 99
    for cell in cells["stripped"].cells:
        cell.metadata = {}
    check = cells["retyped"].cells[at[CHECK]]
    cells["retyped"].cells[at[CHECK]] = nbformat.v4.new_markdown_cell(check.source, metadata=check.metadata)
    cells["renamed"].cells[at[CHECK]].metadata.nbgrader.grade_id = QUIZ
    del cells["no_points"].cells[at[CHECK]].metadata.nbgrader["points"]
    cells["pasted"].cells[at[QUIZ]].source += PASTED
    return cells | {"broken": '{"cells": [', "list": "[]", "empty": " "}


def test_autograde_runs_in_the_sandbox_and_ends(tmp_path, home):
    try:
        check_available()
    except NoSandbox as missing:
        pytest.skip(f"no sandbox can be made here: {missing}")
    school = School(tmp_path / "class")
    write_nbgrader_config(school.classroom.root)
    with Book(school.classroom) as book:
        book.register(school.assignment)
    for student, notebook in mangled(school).items():
        school.hand_in(student, notebook)
    hostile = "import nbgrader, os\nos.remove('gradebook.db')\n"
    school.hand_in("right", school.notebook(RIGHT))
    school.hand_in("wrong", school.notebook("def output_size(*sizes): return 1"))
    school.hand_in("untouched", school.notebook())
    school.hand_in("hostile", school.notebook(hostile))
    school.hand_in("exits", school.notebook("exit()\nimport os\nos._exit(0)"))
    said = nbgrader(school, home, "autograde", NAME)
    with Book(school.classroom) as book:
        points = {score.student: score.points for score in book.scores(NAME)}
    worthless = ("wrong", "untouched", "hostile", "exits", "broken", "list", "empty")
    assert points == {student: 0 if student in worthless else 1 for student in points}
    assert len(points) == 15
    assert f"`{ANSWER}`" in said  # what was mended is in the log


# --- formgrader ---------------------------------------------------------------------------------------------------

# Its fields stand on the page before it listens to them, and what is written into them before is lost.
SCORES_ARE_LOADED = "() => window.formgrader?.grades?.loaded"


@pytest.fixture
def formgrader(graded, home, chromium):
    """A page in a browser that is signed in to formgrader, and formgrader's address."""
    with browser.served(formgrader_command(), graded.classroom.root, home) as (address, token):
        page = chromium.new_page()
        page.set_default_timeout(browser.PATIENCE * 1000)
        page.goto(f"{address}/lab?token={token}", wait_until="commit")
        yield page, f"{address}/formgrader"
        page.close()


def test_a_person_grades_a_quiz_in_formgrader(graded, formgrader):
    page, address = formgrader
    page.goto(f"{address}/gradebook/{NAME}/{NAME}")
    page.get_by_text("Submission #1").wait_for()
    assert page.locator("a", has_text="Submission #").count() == 3
    with Gradebook(f"sqlite:///{graded.classroom.gradebook}") as book:
        submissions = {one.student.id: one.id for one in book.notebook_submissions(NAME, NAME)}

    page.goto(f"{address}/submissions/{submissions['ada']}/")
    page.get_by_text("All 36 cases agree.").wait_for()
    page.wait_for_function(SCORES_ARE_LOADED)
    page.locator(f"#{QUIZ}").fill("0.5")
    with page.expect_response(lambda answer: "/api/grade/" in answer.url and answer.ok):
        page.locator(f"#{QUIZ}").press("Tab")
    assert page.evaluate("window.tricked") is None
    assert page.locator("a[href^='javascript:']").count() == 0

    page.goto(f"{address}/submissions/{submissions['cyd']}/")
    page.get_by_text("All 36 cases agree.").wait_for()
    page.goto(f"{address}/manage_students")
    page.get_by_text("Lovelace").first.wait_for()
    assert page.evaluate("window.tricked") is None

    with Book(graded.classroom) as book:
        book.register(graded.assignment)
        book.record(graded.graded("ada", passed=True), graded.notebook(RIGHT, TRICK))
        assert {score.student: score.points for score in book.scores(NAME)}["ada"] == 1.5
        [given] = [change for change in book.changes(NAME, "ada") if change.cell == QUIZ]
    assert (given.before, given.after, given.who, given.why) == (None, 0.5, this_account(), IN_FORMGRADER)


def test_formgrader_needs_a_class(tmp_path, graded):
    with pytest.raises(GradingError, match="no folder of a class"):
        open_formgrader(Classroom(tmp_path / "nowhere"))


def test_formgrader_that_does_not_start_is_an_error(graded, monkeypatch):
    monkeypatch.setattr(
        "grading.gradebook.formgrader.formgrader_command", lambda: [sys.executable, "-c", "raise SystemExit(3)"]
    )
    with pytest.raises(GradingError, match="code 3"):
        open_formgrader(graded.classroom, browser=False)
