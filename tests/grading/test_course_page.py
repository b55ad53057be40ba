"""The course page: points by lesson, who falls behind and by which rule, mistakes that stay, pass rates."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from scipy.stats import binomtest

from grading.assignment import load_assignment
from grading.gradebook.book import Score
from grading.gradebook.due_dates import DueDates
from grading.pages.course import (
    Lesson,
    Points,
    common_mistakes,
    course_page,
    falling_behind,
    lesson,
    repeated_mistakes,
    wilson,
)
from grading.pages.findings import Finding
from grading.results import Graded
from tests.grading.made_up import ASSIGNMENT, graded
from tests.grading.test_feedback import SCRIPT, assert_harmless
from tests.grading.test_report import SORT, text_of
from utils.paths import NOTEBOOKS

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAMES = ("01_convolution", "02_cnn_on_mnist", "03_receptive_field")


def made(name: str, points: dict[str, float], mistakes: dict[str, list[str]] | None = None, **fields) -> Lesson:
    """A lesson of 10 points. `mistakes` is {name: students}."""
    findings = [Finding("conv2d", name, "Read it again.", students) for name, students in (mistakes or {}).items()]
    had = {student: Points(value, 10.0) for student, value in points.items()}
    return Lesson(name, name, 10.0, had, [], findings, len(points), **fields)


def score(student: str, points: float | None, waits: bool = False) -> Score:
    return Score(student, "", "", "", "", points, 9.0, 1.0, 0.0, waits, "")


def test_who_falls_behind_is_told_by_the_latest_lessons_alone():
    lessons = [
        made(NAMES[0], {"low": 0, "down": 10, "gone": 10, "good": 10}),
        made(NAMES[1], {"low": 10, "down": 4, "gone": 10, "good": 5}),
        made(NAMES[2], {"low": 10, "down": 5, "good": 5}),
    ]
    found = falling_behind(lessons, ["low", "down", "gone", "good", "never"], NOW)
    assert [(one.student, one.share, one.before) for one in found] == [
        ("never", 0.0, 0.0),
        ("down", 0.45, 1.0),
        ("gone", 0.5, 1.0),
    ]
    assert found[2].latest == [(NAMES[1], Points(10, 10.0)), (NAMES[2], None)]
    assert falling_behind(lessons[:1], ["low"], NOW)[0].before is None


def test_what_is_not_due_yet_holds_nobody_up():
    tomorrow, yesterday = NOW + timedelta(1), NOW - timedelta(1)
    first = made(NAMES[0], {"s1": 10, "s2": 10})
    assert falling_behind([first, made(NAMES[1], {}, due=DueDates(tomorrow))], ["s1", "s2"], NOW) == []
    second = made(NAMES[1], {}, due=DueDates(yesterday, {"s2": tomorrow}))
    assert [one.student for one in falling_behind([first, second], ["s1", "s2"], NOW)] == ["s1"]
    assert falling_behind([], ["s1"], NOW) == []


def test_a_quiz_that_nobody_has_graded_takes_no_points():
    results = [graded("s1", {}), graded("s2", {})]
    found = lesson(ASSIGNMENT, results, [score("s1", 8.0, waits=True), score("s2", 8.0), score("s3", None)])
    assert found.points == {"s1": Points(8.0, 8.0, waits=True), "s2": Points(8.0, 9.0)}
    assert found.max_points == 9.0


def test_a_mistake_stays_if_somebody_made_it_in_two_lessons():
    lessons = [
        made(NAMES[0], {}, {"mask ignored": ["s1", "s2"], "no bias": ["s1", "s3"]}),
        made(NAMES[1], {}, {"mask ignored": ["s2", "s4"], "no bias": ["s2"]}),
        made(NAMES[2], {}, {"mask ignored": ["s9"]}),
    ]
    (found,) = repeated_mistakes(lessons)
    assert (found.name, found.students, found.places) == ("mask ignored", ["s2"], ["01 conv2d", "02 conv2d"])


def test_a_mistake_in_two_exercises_of_one_lesson_is_not_made_again():
    twice = made(NAMES[0], {})
    twice = Lesson(**vars(twice) | {"mistakes": [Finding(name, "no bias", "", ["s1"]) for name in ("a", "b")]})
    assert repeated_mistakes([twice]) == []


def test_a_mistake_that_most_make_is_one_of_the_lessons():
    points = dict.fromkeys(("s1", "s2", "s3", "s4"), 5.0)
    lessons = [made(NAMES[0], points, {"common": ["s1", "s2", "s3"], "by half": ["s1", "s2"]})]
    assert [one.name for one in common_mistakes(lessons)] == ["common"]


@pytest.mark.parametrize(("passed", "of"), [(0, 1), (1, 1), (0, 60), (21, 58), (30, 60), (499, 500), (500, 500)])
def test_the_interval_is_that_of_scipy(passed, of):
    theirs = binomtest(passed, of).proportion_ci(0.95, method="wilson")
    assert wilson(passed, of) == pytest.approx((theirs.low, theirs.high))


def test_pass_rates_count_those_whose_file_could_be_read():
    untouched = dict.fromkeys([task.answer for task in ASSIGNMENT.tasks], "untouched")
    results = [graded(f"s{number}", {"conv2d": "bias_forgotten"}) for number in range(9)]
    results += [graded("u", untouched), Graded("lost", ASSIGNMENT.name, [], notes=["It is no JSON."])]
    rates = {rate.title: rate for rate in lesson(ASSIGNMENT, results, []).rates}
    conv2d, size = rates["Exercise 1.2 · conv2d by loops"], rates["Exercise 1.1 · output size"]
    assert (conv2d.passed, conv2d.untouched, conv2d.total, conv2d.too_hard) == (0, 1, 10, True)
    assert (size.passed, size.total, size.too_hard) == (9, 10, False)


def two_lessons() -> list[Lesson]:
    second = load_assignment(NOTEBOOKS / f"{NAMES[1]}.ipynb")
    first = [graded("s1", {}), graded("s2", {"conv2d": "bias_forgotten"})]
    due, pages = DueDates(NOW - timedelta(1)), {"s1": "../feedback/s1/01.html"}
    return [
        lesson(ASSIGNMENT, first, [score("s1", 8.0, waits=True), score("s2", 6.5)], due, pages),
        lesson(second, [graded("s1", {}, second)], [score("s1", 9.0), score("s2", None)], due),
    ]


def test_the_page_shows_students_by_lessons():
    page = course_page(two_lessons(), {"s1": "Ada Abe", "s2": "", "s3": ""}, NOW)
    text = text_of(page)
    assert "3 students, 2 lessons graded, 2 fall behind" in text
    assert "s1 Ada Abe 17 … 8 9" in text and "s2 6.5 6.5 –" in text and "s3 0 – –" in text
    assert '<a href="../feedback/s1/01.html">8</a>' in page and '<a href="02_cnn_on_mnist.html">' in page
    assert 'data-target="feedback"' in page
    assert "2 of 3" in text and "1 of 2 50 % 9 to 91 %" in text
    assert "01: 6.5 of 9, 02: not handed in" in text


def test_a_row_says_nothing_that_all_rows_say():
    """A course of 20,000 has 280,000 cells: each byte of them is a quarter of a megabyte."""
    points = {f"s{number:05}": Points(8.5, 9) for number in range(200)}
    pages = {student: f"../feedback/{student}/{NAMES[0]}/{NAMES[0]}.html" for student in points}
    one = Lesson(**vars(two_lessons()[0]) | {"points": points, "pages": pages})
    sizes = [len(course_page([one] * lessons, dict.fromkeys(points, ""), NOW)) for lessons in (1, 2)]
    href, said_once = len(next(iter(pages.values()))), 2_500
    assert (sizes[1] - sizes[0] - said_once) / len(points) < href + 40


def test_points_are_sorted_with_what_is_missing_last(tmp_path, chromium):
    path = tmp_path / "page.html"
    path.write_text(course_page(two_lessons(), {"s1": "", "s2": "", "s3": ""}, NOW), encoding="utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri())
    students = page.get_by_role("group", name="Students")
    students.get_by_role("button", name="01").click()
    rows = "[...document.querySelectorAll('.numbers tbody tr')].map(row => row.cells[0].textContent)"
    assert page.evaluate(rows) == ["s3", "s2", "s1"]
    link = students.get_by_role("link", name="8")
    link.evaluate("link => link.addEventListener('click', event => event.preventDefault())")
    link.click()
    assert link.get_attribute("target") == "feedback"


def test_the_page_says_if_a_lesson_was_graded_without_a_sandbox():
    first, second = two_lessons()
    unsafe = lesson(ASSIGNMENT, [graded("s1", {}, unsafe=True)], [])
    assert "without a sandbox" in course_page([unsafe, second], {}, NOW)
    assert "without a sandbox" not in course_page([first, second], {}, NOW)


def test_nothing_hostile_becomes_markup():
    first, _ = two_lessons()
    mistakes = [Finding(SCRIPT, SCRIPT, SCRIPT, [SCRIPT])]
    hostile = Lesson(**vars(first) | {"mistakes": mistakes, "points": {SCRIPT: Points(1, 9)}, "handed_in": 1})
    again = Lesson(**vars(hostile) | {"name": "02_cnn_on_mnist"})
    page = course_page([hostile, again], {SCRIPT: SCRIPT}, NOW).replace(f"<script>{SORT}</script>", "")
    page = re.sub(r'<a href="0[12]_\w+\.html">', "", page)  # ours, as are the bars
    assert_harmless(page.replace("<svg", "<span").replace("<rect", "<span").replace("<nav", "<div"))
    assert "hacked" in page


def test_everybody_can_read_the_page(accessible):
    mistakes = [Finding("conv2d", "no bias", "Add `b`.", [f"s{number}" for number in range(20)])]
    lessons = [Lesson(**vars(one) | {"mistakes": mistakes, "handed_in": 20}) for one in two_lessons()]
    accessible(course_page(lessons, {"s1": "Ada Abe", "s2": "محمد الأحمد", "s3": ""}, NOW))


def test_who_has_handed_in_and_is_not_graded_yet_is_not_called_missing():
    results, scores = [graded("s1", {}), graded("s2", {})], [score("s1", 9.0), score("s2", 1.0), score("s3", None)]
    found = lesson(ASSIGNMENT, results, [*scores, score("s4", None)], handed_in=["s1", "s2", "s3"])
    students = dict.fromkeys(["s1", "s2", "s3", "s4"], "")
    assert found.to_grade == {"s3"} and found.mean == (1 + 1 / 9) / 2
    assert [one.student for one in falling_behind([found], students, NOW)] == ["s4", "s2"]
    text = text_of(course_page([found], students, NOW))
    assert "3 of 4 1 to grade" in text and "s3 0 …" in text and "s4 0 –" in text


def test_an_earlier_lesson_tells_of_somebody_whose_latest_is_still_to_grade():
    lessons = [made(NAMES[0], {"s1": 10, "s2": 1}), made(NAMES[1], {}, to_grade={"s1", "s2"})]
    assert [(one.student, one.latest) for one in falling_behind(lessons, ["s1", "s2"], NOW)] == [
        ("s2", [(NAMES[0], Points(1, 10.0))])
    ]
