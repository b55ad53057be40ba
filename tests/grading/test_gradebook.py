"""The gradebook that we write is the one that nbgrader would have written, whatever happens meanwhile."""

import contextlib
import copy
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.filters import markdown2html
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import determine_grade
from sqlalchemy.exc import OperationalError

from grading.gradebook import book as gradebook
from grading.gradebook import database, preprocessors
from grading.gradebook.autograded import as_file, autograded_notebook, harmless_markdown
from grading.gradebook.book import Book
from grading.gradebook.config import nbgrader_configuration, write_nbgrader_config
from grading.gradebook.entries import Entry
from grading.judging.grade import Judged
from grading.problems import GradingError
from tests.grading.school import ANSWER, CHECK, NAME, QUIZ, RIGHT, School, contents

LATE = "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"


@pytest.fixture
def look(book):
    """nbgrader's own view of the gradebook, opened anew for each look."""
    opened = []

    def look() -> Gradebook:
        opened.append(Gradebook(book.url))
        return opened[-1]

    yield look
    for gradebook_ in opened:
        gradebook_.close()


# --- one submission -----------------------------------------------------------------------------------------------


def test_a_submission_has_its_scores(school, book, look):
    book.record(school.graded("ada", passed=True), school.notebook(RIGHT, quiz="c"))
    grade = look().find_grade(CHECK, NAME, NAME, "ada")
    assert (grade.auto_score, grade.needs_manual_grade) == (1.0, False)
    quiz = look().find_grade(QUIZ, NAME, NAME, "ada")
    assert (quiz.auto_score, quiz.needs_manual_grade) == (None, True)


def test_a_failed_check_and_an_untouched_quiz_have_no_points(school, book, look):
    book.record(school.graded("ada", passed=False), school.notebook())
    for name in (CHECK, QUIZ):
        grade = look().find_grade(name, NAME, NAME, "ada")
        assert (grade.auto_score, grade.needs_manual_grade) == (0.0, False)
    assert look().find_comment(ANSWER, NAME, NAME, "ada").comment == "No response."


def test_a_check_without_a_mark_waits_for_a_person(school, book, look):
    graded = school.graded("ada", passed=True)
    graded.marks.clear()
    book.record(graded, school.notebook(RIGHT))
    grade = look().find_grade(CHECK, NAME, NAME, "ada")
    assert (grade.auto_score, grade.needs_manual_grade) == (None, True)


def test_recording_again_changes_nothing(school, book):
    school.hand_in("ada", school.notebook(RIGHT), "2026-03-01 10:00:00 UTC")
    for _ in range(2):
        book.record(school.graded("ada", passed=True), school.notebook(RIGHT, quiz="c"))
        book.register(school.assignment)
        once = contents(book.url)
    assert contents(book.url) == once
    assert len(once["submissions"]) == 1


@pytest.mark.parametrize("same_file", [True, False])
def test_what_a_person_has_graded_waits_again_with_another_file_alone(school, book, look, same_file):
    notebook = school.notebook(RIGHT, quiz="c")
    book.record(school.graded("ada", passed=True), notebook)
    with Gradebook(book.url) as by_hand:
        for name in (CHECK, QUIZ):
            grade = by_hand.find_grade(name, NAME, NAME, "ada")
            grade.manual_score, grade.needs_manual_grade = 0.5, False
        by_hand.db.commit()
    book.record(school.graded("ada", passed=True), notebook, same_file=same_file)
    for name in (CHECK, QUIZ):
        assert look().find_grade(name, NAME, NAME, "ada").needs_manual_grade is not same_file
    book.record(school.graded("ada", passed=False), notebook, same_file=True)  # the check says something else
    assert look().find_grade(CHECK, NAME, NAME, "ada").needs_manual_grade
    assert look().find_grade(QUIZ, NAME, NAME, "ada").needs_manual_grade is not same_file


def test_a_new_grading_keeps_what_a_person_wrote(school, book, look):
    book.record(school.graded("ada", passed=False), school.notebook(RIGHT, quiz="c"))
    with Gradebook(book.url) as by_hand:
        grade = by_hand.find_grade(CHECK, NAME, NAME, "ada")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 0.5, 0.25, False
        by_hand.find_comment(ANSWER, NAME, NAME, "ada").manual_comment = "Nearly."
        by_hand.db.commit()
    book.record(school.graded("ada", passed=True), school.notebook(RIGHT, quiz="c"))
    grade = look().find_grade(CHECK, NAME, NAME, "ada")
    assert (grade.auto_score, grade.manual_score, grade.extra_credit, grade.score) == (1.0, 0.5, 0.25, 0.75)
    assert grade.needs_manual_grade  # nbgrader: somebody should look again
    assert look().find_comment(ANSWER, NAME, NAME, "ada").comment == "Nearly."


def test_entries_are_what_counts_and_what_a_person_wrote(school, book):
    for student in ("ada", "bo", "cy"):
        book.record(school.graded(student, passed=student != "bo"), school.notebook(RIGHT, quiz="c"))
    with Gradebook(book.url) as by_hand:
        by_hand.find_grade(CHECK, NAME, NAME, "bo").manual_score = 0.5
        by_hand.find_grade(QUIZ, NAME, NAME, "cy").manual_score = 0.0
        by_hand.find_grade(CHECK, NAME, NAME, "cy").extra_credit = 0.25
        by_hand.find_comment(ANSWER, NAME, NAME, "bo").manual_comment = " Nearly. "
        by_hand.find_comment(QUIZ, NAME, NAME, "cy").manual_comment = "Read it again."
        by_hand.db.commit()
    assert book.entries(NAME) == {
        "ada": {CHECK: Entry(1.0), QUIZ: Entry()},
        "bo": {CHECK: Entry(0.5, by_hand=True), QUIZ: Entry(), ANSWER: Entry(comment="Nearly.")},
        "cy": {CHECK: Entry(1.25, by_hand=True), QUIZ: Entry(0.0, by_hand=True, comment="Read it again.")},
    }


def test_a_due_date_of_the_gradebook_is_told(book):
    assert book.due_date(NAME) is None
    with Gradebook(book.url) as by_hand:
        by_hand.update_or_create_assignment(NAME, duedate="2026-11-01 22:00:00 UTC")
    assert book.due_date(NAME) == datetime(2026, 11, 1, 22, tzinfo=UTC)


def test_a_name_is_no_html(book, look):
    book.enrol("ada", first_name="<script>alert(1)</script>", last_name="L" * 500)
    student = look().find_student("ada")
    assert "<" not in student.first_name and "script" in student.first_name
    assert len(student.last_name) == 128


def test_names_of_students_stay(school, book, look):
    book.enrol("ada", first_name="Ada", last_name="Lovelace", email="ada@example.org", lms_user_id="17")
    book.record(school.graded("ada", passed=True), school.notebook(RIGHT))
    student = look().find_student("ada")
    assert (student.first_name, student.last_name, student.lms_user_id) == ("Ada", "Lovelace", "17")


# --- as nbgrader would have it ------------------------------------------------------------------------------------


def test_the_gradebook_is_that_of_nbgrader_autograde(school, book, tmp_path, monkeypatch):
    """Both get the same submissions and the same verdicts; every table but its random ids is compared."""
    other = School(tmp_path / "other")
    hand_ins = {
        "ada": (True, school.notebook(RIGHT, quiz="c")),
        "bob": (False, school.notebook("def output_size(*sizes): return 1", quiz="a")),
        "cyd": (False, school.notebook()),
    }
    for student, (passed, notebook) in hand_ins.items():
        for one in (school, other):
            one.hand_in(student, notebook, "2026-03-01 10:00:00 UTC" if student == "ada" else "")
        book.record(school.graded(student, passed), notebook)

    def verdicts(student, assignment, notebook, rules, sandbox):
        defined = next(cell.source for cell in notebook.cells if cell.id == ANSWER)
        return Judged(school.graded(student, passed=defined.strip() == RIGHT.strip()), notebook)

    monkeypatch.setattr(preprocessors, "grade_notebook", verdicts)
    monkeypatch.setattr(preprocessors, "_sandbox", lambda library: None)
    with Book(other.classroom) as empty:
        empty.register(other.assignment)
    autograde(other)
    assert contents(book.url) == contents(empty.url)


PRIVATE = """from utils.checking import Lesson
from utils.checks.convolution import output_size as public

lesson = Lesson("01", __name__)


@lesson.exercise(points=1, hint="")
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return public.reference(size, kernel, stride, padding, dilation)


@output_size.cases
def _(rng):
    yield 1000, 3, 1, 0, 1
"""


def test_autograde_takes_seed_and_private_checks_from_the_configuration(school, tmp_path, monkeypatch):
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "sizes.py").write_text(PRIVATE)
    path = write_nbgrader_config(school.classroom.root)
    settings = f"c.SandboxedExecute.seed = 7\nc.SandboxedExecute.checks = {str(tmp_path / 'private')!r}\n"
    path.write_text(path.read_text() + settings)
    school.hand_in("ada", school.notebook(RIGHT))
    asked = []

    def verdicts(student, assignment, notebook, rules, sandbox):
        asked.append((len(assignment.tasks[0].exercises), rules.seed))
        return Judged(replace(school.graded(student, passed=True), notes=["It slept."]), notebook)

    monkeypatch.setattr(preprocessors, "grade_notebook", verdicts)
    monkeypatch.setattr(preprocessors, "_sandbox", lambda library: None)
    with Book(school.classroom) as book:
        book.register(school.assignment)
    autograde(school)
    assert asked == [(2, 7)]
    recorded = nbformat.read(school.classroom.autograded("ada", NAME), as_version=4).metadata.reach_grading
    assert (recorded.seed, recorded.notes) == ("7", ["It slept."])


def autograde(school: School) -> None:
    """`nbgrader autograde`, in this process."""
    write_nbgrader_config(school.classroom.root)
    config = nbgrader_configuration(school.classroom.root)
    course = CourseDirectory(root=str(school.classroom.root), config=config)
    course.assignment_id = NAME
    Autograde(coursedir=course, config=config).start()


def test_late_work_is_judged_by_nbgraders_plugin(school, look):
    (school.classroom.root / "nbgrader_config.py").write_text(LATE)
    with Book(school.classroom) as book:
        book.register(school.assignment)
        with Gradebook(book.url) as by_hand:
            by_hand.update_or_create_assignment(NAME, duedate="2026-03-01 12:00:00 UTC")
        for student, time in {"early": "11:59:59", "late": "12:00:01"}.items():
            school.hand_in(student, school.notebook(RIGHT), f"2026-03-01 {time} UTC")
            book.record(school.graded(student, passed=True), school.notebook(RIGHT))
        book.record(school.graded("unknown", passed=True), school.notebook(RIGHT))
        points = {score.student: (score.points, score.late_penalty) for score in book.scores(NAME)}
    assert points == {"early": (1.0, 0.0), "late": (0.0, 1.0), "unknown": (1.0, 0.0)}
    copied = school.classroom.autograded("late", NAME).with_name("timestamp.txt")
    assert copied.read_text() == "2026-03-01 12:00:01 UTC"


@pytest.mark.parametrize(("given", "taken"), [("-3", 0.0), ("99", 1.0), ("0.25", 0.25), ("None", 0.0)])
def test_a_penalty_is_between_nothing_and_the_score(school, tmp_path, monkeypatch, given, taken):
    plugin = "from nbgrader.plugins import LateSubmissionPlugin\n\n\nclass Policy(LateSubmissionPlugin):\n"
    plugin += f"    def late_submission_penalty(self, student_id, score, seconds):\n        return {given}\n"
    module = tmp_path.name  # of its own for each test, since a module is imported once
    (tmp_path / f"{module}.py").write_text(plugin)
    monkeypatch.syspath_prepend(tmp_path)
    settings = f"c = get_config()\nc.AssignLatePenalties.plugin_class = '{module}.Policy'\n"
    (school.classroom.root / "nbgrader_config.py").write_text(settings)
    with Book(school.classroom) as book:
        book.register(school.assignment)
        with Gradebook(book.url) as by_hand:
            by_hand.update_or_create_assignment(NAME, duedate="2026-03-01 12:00:00 UTC")
        school.hand_in("ada", school.notebook(RIGHT), "2026-03-02 12:00:00 UTC")
        book.record(school.graded("ada", passed=True), school.notebook(RIGHT))
        assert book.scores(NAME)[0].late_penalty == taken


@pytest.mark.parametrize("text", ["", "yesterday", "9999999999-01-01", "\x00\xff", "1" * 5000])
def test_a_broken_timestamp_stops_nothing(school, book, text):
    school.hand_in("ada", school.notebook(RIGHT), text or " ")
    book.record(school.graded("ada", passed=True), school.notebook(RIGHT))
    assert contents(book.url)["submissions"]["ada"]["timestamp"] is None


def test_a_timestamp_that_is_a_link_is_not_read(school, book, tmp_path):
    (tmp_path / "elsewhere").write_text("2026-03-01 10:00:00 UTC")
    path = school.hand_in("ada", school.notebook(RIGHT))
    path.with_name("timestamp.txt").symlink_to(tmp_path / "elsewhere")
    book.record(school.graded("ada", passed=True), school.notebook(RIGHT))
    assert contents(book.url)["submissions"]["ada"]["timestamp"] is None


# --- the file in autograded/ --------------------------------------------------------------------------------------

HOSTILE = "<script>alert(1)</script>"


def test_the_file_agrees_with_the_gradebook(school, book):
    for student, passed in {"ada": True, "bob": False}.items():
        book.record(school.graded(student, passed), school.notebook(RIGHT, quiz="c"))
        path = school.classroom.autograded(student, NAME)
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        scores = contents(book.url)["submissions"][student]["grades"]
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade"):
                assert determine_grade(cell)[0] == scores[cell.metadata.nbgrader.grade_id][0]


def test_nothing_in_the_file_is_run_by_a_browser(school):
    notebook = school.notebook(RIGHT, quiz=f"c {HOSTILE} <img src=x onerror=alert(1)> and 1 < 2")
    notebook.cells.insert(1, nbformat.v4.new_raw_cell(HOSTILE, metadata={"raw_mimetype": "text/html"}))
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(HOSTILE, attachments={"x.svg": {"image/svg+xml": HOSTILE}}))
    rich = {"text/html": HOSTILE, "image/svg+xml": HOSTILE, "application/javascript": "alert(1)", "text/latex": HOSTILE}
    for data in (rich, {"image/png": '"><script>'}, {"text/plain": HOSTILE, "text/markdown": HOSTILE}):
        notebook.cells[0].outputs.append(nbformat.v4.new_output("display_data", data))
    made = autograded_notebook(notebook, school.assignment.notebook, school.graded("ada", True).marks)
    nbformat.validate(made)
    text = [cell.source for cell in made.cells if cell.cell_type != "code"]
    assert not any(tag in source for source in text for tag in ("<script", "<img"))
    assert any("1 < 2" in source for source in text)
    assert [dict(output.data) for output in made.cells[0].outputs] == [{"text/plain": HOSTILE}]  # shown as text
    assert not any("attachments" in cell or "raw_mimetype" in cell.metadata for cell in made.cells)


def test_what_a_student_put_in_the_output_of_a_check_counts_for_nothing(school, book, look):
    notebook = school.notebook(RIGHT)
    check = next(cell for cell in notebook.cells if cell.id == CHECK)
    check.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "1.0"})]
    book.record(school.graded("ada", passed=False), notebook)
    assert look().find_grade(CHECK, NAME, NAME, "ada").auto_score == 0
    shown = nbformat.read(school.classroom.autograded("ada", NAME), as_version=4)
    assert [determine_grade(cell)[0] for cell in shown.cells if cell.id == CHECK] == [0]


def test_half_a_character_is_written_as_a_question_mark(school):
    notebook = school.notebook(f"{RIGHT}# \ud800")
    made = as_file(autograded_notebook(notebook, school.assignment.notebook, []))
    assert b"# ?" in made


def test_the_notebook_that_is_given_stays_as_it_is(school, book):
    notebook = school.notebook(RIGHT, quiz=HOSTILE)
    before = copy.deepcopy(notebook)
    book.record(school.graded("ada", passed=True), notebook)
    assert notebook == before


class Page(HTMLParser):
    """The tags of a page, and where its links and pictures lead."""

    def __init__(self, html: str):
        super().__init__()
        self.tags, self.addresses, self.attributes = set(), set(), set()
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        self.addresses |= {value for name, value in attributes if name in ("href", "src")}


TRICKS = [
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<a href='javascript:alert(1)'>", "<svg/onload=x>"),
    *("<javascript:alert(1)>", "[x](javascript:alert(1))", "![x](https://example.org/x.png)", "[x](data:text/html,x)"),
    *("[x]: javascript:alert(1)", "[x][x]", "[x]", "[x](javascript&colon;alert(1))", "[x](java&#115;cript:alert(1))"),
    *(
        "![x](attachment:x.png)",
        "![" + '" onerror="alert(1)' + "](x)",
        "```mermaid",
        "```",
        "    ",
        "> ",
        "- ",
        "# ",
        "$",
    ),
    *("\\", "&lt;", "<!--", "-->", "<", ">", "[", "]", "](", "\n", "\n\n", "$$", "`", "<?php", "|a|b|\n|-|-|\n", "*"),
]


@given(st.lists(st.sampled_from(TRICKS), max_size=8).map("".join))
def test_no_markdown_becomes_a_tag_or_a_hidden_link(text):
    page = Page(markdown2html(harmless_markdown(text)))
    assert page.tags.isdisjoint({"script", "img", "svg", "iframe", "object", "form", "style"})
    assert not any(name.startswith("on") for name in page.attributes)
    bare = ("#", "https://example.org")  # nbconvert links headings, and web addresses that stand in the text
    assert all(address.startswith(bare) for address in page.addresses)


def test_harmless_markdown_stays():
    text = "# Why\n\nSince **a < b**, `x[0]` and $y_{[1]} <= 2$:\n\n- one\n- two > one\n"
    assert harmless_markdown(text) == text


# --- when things go wrong -----------------------------------------------------------------------------------------


def test_a_submission_is_recorded_whole_or_not_at_all(school, book, monkeypatch):
    def break_down(*arguments):
        raise OperationalError("INSERT", {}, Exception("disk full"))

    before = contents(book.url)
    with monkeypatch.context() as patch:
        patch.setattr(gradebook, "write_scores", break_down)
        with pytest.raises(GradingError, match="disk full"):
            book.record(school.graded("ada", passed=True), school.notebook(RIGHT))
    assert contents(book.url) == before
    book.record(school.graded("ada", passed=True), school.notebook(RIGHT))
    assert list(contents(book.url)["submissions"]) == ["ada"]


def test_a_gradebook_that_somebody_else_holds_is_an_error_that_says_so(school):
    settings = "c = get_config()\nc.CourseDirectory.db_url = 'sqlite:///gradebook.db?timeout=0.1'\n"
    (school.classroom.root / "nbgrader_config.py").write_text(settings)
    with Book(school.classroom) as book:
        book.register(school.assignment)
        other = sqlite3.connect(school.classroom.gradebook)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(GradingError, match="locked"):
            book.record(school.graded("ada", passed=True), school.notebook(RIGHT))
        other.close()
        book.record(school.graded("ada", passed=True), school.notebook(RIGHT))


def test_a_gradebook_appears_when_it_is_complete(school, monkeypatch):
    def killed(*arguments, **options):
        raise KeyboardInterrupt

    school.classroom.gradebook.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(Gradebook, "check_course", killed)
        with pytest.raises(KeyboardInterrupt):
            Book(school.classroom)
    assert not school.classroom.gradebook.exists()
    with Book(school.classroom) as book:
        book.register(school.assignment)
    version = sqlite3.connect(school.classroom.gradebook).execute("SELECT version_num FROM alembic_version").fetchall()
    assert len(version) == 1


def test_a_gradebook_that_somebody_else_has_made_meanwhile_stays(school, tmp_path, monkeypatch):
    url, make = f"sqlite:///{tmp_path}/gradebook.db", database.Gradebook

    def make_late(*told):
        monkeypatch.undo()
        with contextlib.closing(database.open_database(url, "course")) as theirs:
            theirs.add_student("ada")
        return make(*told)

    monkeypatch.setattr(database, "Gradebook", make_late)
    with contextlib.closing(database.open_database(url, "course")) as ours:
        assert [student.id for student in ours.students] == ["ada"]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["gradebook.db"]
    assert not list(tmp_path.glob(".gradebook*"))


def test_a_relative_database_is_in_the_folder_of_the_class(school, tmp_path, monkeypatch):
    settings = "c = get_config()\nc.CourseDirectory.db_url = 'sqlite:///marks.db'\n"
    (school.classroom.root / "nbgrader_config.py").write_text(settings)
    monkeypatch.chdir(tmp_path)
    with Book(school.classroom) as book:
        book.register(school.assignment)
    assert (school.classroom.root / "marks.db").exists()


def test_a_broken_configuration_is_an_error(school):
    (school.classroom.root / "nbgrader_config.py").write_text("c = get_config()\n1 / 0\n")
    with pytest.raises(GradingError, match="division by zero"):
        Book(school.classroom)


def test_a_configuration_of_the_instructor_is_not_overwritten(school):
    path = write_nbgrader_config(school.classroom.root)
    path.write_text("mine = True\n")
    assert write_nbgrader_config(school.classroom.root) == path
    assert path.read_text() == "mine = True\n"


@pytest.mark.parametrize("student", ["../ada", "", ".hidden", "a b", "x" * 65])
def test_no_path_is_made_of_a_name_that_is_none(school, book, student):
    with pytest.raises(GradingError, match="no student's id"):
        book.record(school.graded(student, passed=True), school.notebook(RIGHT))


def test_an_assignment_has_to_be_registered(school):
    with Book(school.classroom) as book:
        with pytest.raises(GradingError, match="not registered"):
            book.record(school.graded("ada", passed=True), school.notebook(RIGHT))
        with pytest.raises(GradingError, match=NAME):
            book.scores(NAME)


def test_other_cells_after_submissions_are_refused(school, book):
    book.record(school.graded("ada", passed=True), school.notebook(RIGHT))
    cells = school.assignment.notebook.cells
    cells[:] = [cell for cell in cells if cell.id != QUIZ]
    before = contents(book.url)
    with pytest.raises(GradingError, match="other graded cells"):
        book.register(school.assignment)
    assert contents(book.url) == before


def test_points_can_be_changed_before_and_after(school, book, look):
    book.record(school.graded("ada", passed=True), school.notebook(RIGHT))
    check: NotebookNode = next(cell for cell in school.assignment.notebook.cells if cell.id == CHECK)
    check.metadata.nbgrader.points = 4
    book.register(school.assignment)
    assert look().find_grade_cell(CHECK, NAME, NAME).max_score == 4


def test_an_unknown_student_is_no_row(look):
    with pytest.raises(MissingEntry):
        look().find_student("nobody")
