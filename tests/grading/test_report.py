"""The class page: numbers that add up, mistakes counted, trouble named, and nothing hostile in it."""

import dataclasses
import re
from datetime import UTC, datetime, timedelta

import nbformat
import pytest
from rich.console import Console

from grading.attempts import note_attempt
from grading.batch import Tally
from grading.classroom import Classroom
from grading.console import show_table
from grading.demo.making import make_class
from grading.exchange.people import Roster, Student
from grading.gradebook.due_dates import DueDates
from grading.pages.feedback import feedback_page
from grading.pages.findings import named_mistakes, other_failures
from grading.pages.publish import publish_feedback, publish_report
from grading.pages.render import TEMPLATES, parted, percent, when
from grading.pages.report import Class, class_page, distribution
from grading.problems import GradingError
from grading.receipt import Receipt
from grading.results import Graded
from grading.times import duration
from tests.grading.made_up import ASSIGNMENT, graded, submission
from tests.grading.test_feedback import SCRIPT, assert_harmless, hostile_graded
from utils.checking import Status
from utils.files import write_whole

CLASS = [
    graded("s1", {}),
    graded("s2", {"conv2d": "bias_forgotten", "max_pool2d": "averaged"}),
    graded("s3", {"conv2d": "bias_forgotten", "output_size": "It raised an error."}),
    graded("s4", dict.fromkeys([task.answer for task in ASSIGNMENT.tasks], "untouched")),
]


SORT = (TEMPLATES / "sort.js").read_text(encoding="utf-8")


def text_of(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page).split())


def test_the_distribution_counts_every_student_once():
    ranges = distribution(CLASS, ASSIGNMENT)
    assert sum(one.students for one in ranges) == len(CLASS)
    assert {one.low: one.students for one in ranges if one.students} == {0: 1, 4: 2, 8: 1}


def test_many_points_are_counted_in_ranges():
    tasks = tuple(dataclasses.replace(task, points=20) for task in ASSIGNMENT.tasks)
    large = dataclasses.replace(ASSIGNMENT, tasks=tasks)
    marks = [graded("s1", {}, large), graded("s2", {"conv2d": "untouched"}, large)]
    ranges = distribution(marks, large)
    assert len(ranges) == 10 and ranges[-1].high == 100
    assert [one.low for one in ranges if one.students] == [80, 90]


def test_named_mistakes_are_counted_with_their_sentences_and_students():
    first, second = named_mistakes(CLASS, ASSIGNMENT)
    assert (first.exercise, first.name, first.students) == ("conv2d", "bias forgotten", ["s2", "s3"])
    assert first.sentence == "You forgot the bias: one number for each output channel, added everywhere."
    assert (second.name, second.students) == ("averaged", ["s2"])


def test_failures_without_a_name_are_counted_by_what_happened_and_incidents_are_not_among_them():
    ((failure,),) = other_failures(CLASS, ASSIGNMENT).values()
    assert (failure.exercise, failure.sentence, failure.students) == ("output_size", "It raised an error.", ["s3"])
    mark = dataclasses.replace(CLASS[2].marks[0], incident="ended its process")
    assert other_failures([Graded("s3", ASSIGNMENT.name, [mark])], ASSIGNMENT) == {}


def test_wrong_values_without_a_name_are_one_failure_however_many_cases_fail():
    two = [graded("s1", {"conv2d": "3 of 9 cases fail."}), graded("s2", {"conv2d": "4 of 9 cases fail."})]
    ((failure,),) = other_failures(two, ASSIGNMENT).values()
    assert failure.students == ["s1", "s2"]


def test_errors_are_counted_by_their_type():
    mark = graded("s1", {"conv2d": "It raised an error."}).marks[1]
    problems = ["NameError: name 'a'\nin line 2", "NameError: name 'b'", "MemoryError\nin line 4", "<b>: no name"]
    marks = [dataclasses.replace(mark, verdict=dataclasses.replace(mark.verdict, problem=one)) for one in problems]
    class_ = [Graded(f"s{number}", ASSIGNMENT.name, [one]) for number, one in enumerate(marks)]
    found = {failure.sentence: len(failure.students) for failure in other_failures(class_, ASSIGNMENT)["conv2d"]}
    assert found == {"It raised NameError.": 2, "It raised MemoryError.": 1, "It raised an error.": 1}


def test_the_page_says_how_the_class_did():
    text = text_of(class_page(CLASS, ASSIGNMENT, {"a.ipynb": "It is no JSON."}, Class(names={"s2": "Ada Abe"})))
    assert "4 submissions graded, 1 not graded. Mean 4 , median 4 of 8 points" in text
    assert "Exercise 1.2 · conv2d by loops 1 25 % 2 50 % 1 25 %" in text
    assert "2 conv2d: bias forgotten You forgot the bias" in text
    assert "a.ipynb It is no JSON." in text and "Ada Abe" in text


def test_incidents_and_notes_stand_on_the_page_once():
    one = graded("s1", {"conv2d": "It ended its process."}, notes=["conv2d ended its process.", "A cell was put back."])
    marks = [dataclasses.replace(m, incident="ended its process" * (m.grade_id == "check_conv2d")) for m in one.marks]
    text = text_of(class_page([dataclasses.replace(one, marks=marks)], ASSIGNMENT))
    assert text.count("ended its process") == 1 and "A cell was put back." in text


def test_what_is_known_of_the_class_stands_on_the_page():
    receipt = Receipt("a.ipynb", "canvas", "2026-11-01T23:00:00+00:00", True, ("s1", "s2"), ("It equals a solution.",))
    submitted, due = datetime(2026, 11, 3, 1, tzinfo=UTC), datetime(2026, 11, 1, 23, tzinfo=UTC)
    about = Class(
        receipts={"s1": receipt},
        penalties={"s1": 2.5},
        absent=["s8", "Ida (s9)"],
        pages={"s1": "../feedback/s1.html"},
        submitted={"s1": submitted},
        late={"s1": 26 * 3600.0, "s3": 1.0},
        due=DueDates(due, {"s2": submitted}),
    )
    page = class_page(CLASS, ASSIGNMENT, about=about)
    text = text_of(page)
    assert "2 not handed in" in text and "s8 , Ida (s9)" in text and "It equals a solution." in text
    assert f"{when(submitted)} late by 26 h, −2.5" in text and "a group of 2" in text
    assert f"Due {when(due)}, 1 with a date of their own" in text and f"due {when(submitted)}" in text
    assert text.count(" late ") == 2, "one by a time, one by a mark alone"
    assert '<a href="../feedback/s1.html" target="feedback"><bdi>s1</bdi></a>' in page
    assert f"exports count it, so that their most is {8 + ASSIGNMENT.quiz_points:g}" in text


def test_students_come_first_whose_file_could_not_be_read_among_them():
    unreadable = Graded("s5", ASSIGNMENT.name, [], notes=["It is no JSON."])
    page = class_page([*CLASS, unreadable], ASSIGNMENT, about=Class(pages={"s5": "../feedback/s5.html"}))
    headings = re.findall(r"<h2 id=\"(\w+)", page)
    assert headings == ["students", "distribution", "exercises", "mistakes", "trouble"]
    row = page.partition('<a href="../feedback/s5.html" target="feedback">')[2].partition("</tr>")[0]
    assert "not graded" in row and "○" not in row


def test_students_of_a_mistake_are_linked_to_their_pages():
    page = class_page(CLASS, ASSIGNMENT, about=Class(pages={"s2": "../feedback/s2.html"}))
    row = page.partition("bias forgotten")[2].partition("</tr>")[0]
    assert '<a href="../feedback/s2.html" target="feedback"><bdi>s2</bdi></a>, <bdi>s3</bdi>' in " ".join(row.split())


@pytest.mark.parametrize(
    ("seconds", "said"), [(1, "1 min"), (3_600, "60 min"), (26 * 3_600, "26 h"), (6 * 86_400, "6 d")]
)
def test_how_late_is_said_as_a_person_says_it(seconds, said):
    assert duration(seconds) == said


def test_what_is_said_of_a_student_in_several_exercises_is_one_row():
    one = graded("s1", {"conv2d": "It ended its process.", "max_pool2d": "It ended its process."})
    marks = [dataclasses.replace(mark, incident="ended its process", remark="calls `F`") for mark in one.marks]
    text = text_of(class_page([dataclasses.replace(one, marks=marks)], ASSIGNMENT))
    names = ", ".join(mark.verdict.exercise for mark in marks)
    assert f"s1 {names} ended its process" in text and text.count("ended its process") == 1
    assert f"s1 {names} calls F" in text


def test_a_mark_that_the_machine_spoilt_is_no_failure_on_the_page():
    one = graded("s1", {"conv2d": "It ran out of memory."})
    marks = [dataclasses.replace(mark, fault="the machine had no memory left") for mark in one.marks]
    page = class_page([dataclasses.replace(one, marks=marks)], ASSIGNMENT)
    assert "to be graded again: the machine had no memory left" in page
    assert "no fault of yours" in feedback_page(dataclasses.replace(one, marks=marks), submission(), ASSIGNMENT)


def test_rows_are_sorted_and_found_in_a_browser(tmp_path, chromium):
    class_ = [graded(f"s{number}", {"conv2d": "untouched"} if number % 2 else {}) for number in range(1, 12)]
    path = tmp_path / "class.html"
    path.write_text(class_page(class_, ASSIGNMENT, about=Class(names={"s3": "Idá"})), encoding="utf-8")
    page = chromium.new_page()
    trouble = []
    page.on("console", lambda message: trouble.append(message.text))
    page.goto(path.as_uri())

    def shown():
        return page.evaluate(
            "[...document.querySelectorAll('.sortable tbody tr')].filter(row => !row.hidden)"
            ".map(row => row.cells[0].querySelector('bdi').textContent)"
        )

    page.get_by_role("button", name="Student").click()
    assert shown() == [f"s{number}" for number in range(1, 12)]
    page.get_by_role("button", name="Points").click()
    page.get_by_role("button", name="Points").click()
    assert set(shown()[:5]) == {f"s{number}" for number in range(2, 11, 2)}
    page.get_by_role("searchbox").fill("ida")
    assert shown() == ["s3"] and page.get_by_role("status").inner_text() == "1 of 11"
    for words, students in {"ida S3": ["s3"], "s3, Ida": ["s3"], "ida s4": [], " ": 11 * [""]}.items():
        page.get_by_role("searchbox").fill(words)
        assert len(shown()) == len(students) and (not any(students) or shown() == students), words
    assert trouble == []


def test_feedback_opens_in_one_tab_beside_the_class_page(tmp_path, chromium):
    for name in ("s1", "s2"):
        (tmp_path / f"{name}.html").write_text(feedback_page(graded(name, {}), None, ASSIGNMENT), encoding="utf-8")
    path = tmp_path / "class.html"
    path.write_text(class_page(CLASS, ASSIGNMENT, about=Class(pages={"s1": "s1.html", "s2": "s2.html"})), "utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri())
    students = page.get_by_role("group", name="Students")
    with page.expect_popup() as opened:
        students.get_by_role("link", name="s1").click()
    beside = opened.value
    students.get_by_role("link", name="s2").click()
    beside.wait_for_url("**/s2.html")
    assert len(page.context.pages) == 2 and page.url == path.as_uri()


def test_a_long_text_is_parted_and_a_time_is_shown_with_its_zone():
    assert parted("short\ntext") == ("short\ntext", "")
    assert parted("line\n" * 30) == ("\n".join(["line"] * 20), "line\n" * 10)
    assert parted("x" * 5_000) == ("x" * 1_500, "x" * 3_500)
    assert parted("line\n" * 22) == ("line\n" * 22, "")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d \S+", when("2026-11-01T23:00:00+00:00"))
    assert when("") == when(None) == when("no time") == ""


def test_all_and_none_are_never_rounded():
    assert [percent(share) for share in (0, 1e-9, 0.344, 499 / 500, 1.0)] == ["0", "1", "34", "99", "100"]


def test_without_any_result_the_page_is_still_a_page():
    assert "0 submissions graded" in text_of(class_page([], ASSIGNMENT))
    unreadable = class_page([Graded("s1", ASSIGNMENT.name, [], notes=["It is empty."])], ASSIGNMENT)
    assert "1 not graded" in text_of(unreadable) and "It is empty." in unreadable


def test_a_file_that_could_not_be_read_has_no_part_in_the_rates(capsys):
    untouched = graded("s5", dict.fromkeys([task.answer for task in ASSIGNMENT.tasks], "untouched"))
    marks = [
        dataclasses.replace(mark, verdict=dataclasses.replace(mark.verdict, summary="It is empty."))
        for mark in untouched.marks
    ]
    unreadable = Graded("s5", ASSIGNMENT.name, marks, notes=["It is empty."])
    text = text_of(class_page([*CLASS, unreadable], ASSIGNMENT))
    assert "4 submissions graded, 1 not graded." in text and "s5 It is empty." in text
    assert "could not be graded" in feedback_page(unreadable, submission(), ASSIGNMENT)
    said = []
    for results in (CLASS, [*CLASS, unreadable]):  # what `grade` prints says the same
        show_table(Console(width=100), ASSIGNMENT, results, Tally())
        said.append(capsys.readouterr().out)
    assert "could not be read (1): s5; see the class page" in said[1] and "could not be read" not in said[0]
    two = [unreadable, dataclasses.replace(unreadable, student="s6")]
    show_table(
        Console(width=100),
        ASSIGNMENT,
        two,
        Tally(),
        Roster((Student("s5", "", "Mei", "Zeh"), Student("s6", "", "Bo", "Ek"))),
    )
    assert "could not be read (2): Bo Ek (s6), Mei Zeh (s5); see" in capsys.readouterr().out
    rates = [[line for line in text.splitlines() if "%" in line or "median" in line] for text in said]
    assert rates[0] == rates[1] and len(rates[0]) == len(ASSIGNMENT.tasks) + 1


def test_points_in_part_and_missing_packages_are_shown():
    first, *others = CLASS[0].marks
    half = dataclasses.replace(
        first, points=first.max_points / 2, verdict=dataclasses.replace(first.verdict, status=Status.FAILED)
    )
    one = dataclasses.replace(CLASS[0], marks=[half, *others], missing=["einops", SCRIPT])
    page = class_page([one, dataclasses.replace(CLASS[1], missing=["einops"])], ASSIGNMENT)
    text = text_of(page)
    assert f"{half.points:g}/{half.max_points:g}" in text
    assert re.search(r"einops\W+s1\W+s2\b", text)
    assert SCRIPT not in page
    assert "Packages that are not installed" not in class_page(CLASS, ASSIGNMENT)


def test_the_table_in_the_terminal_calls_students_as_the_school_does(capsys):
    roster = Roster((Student("s2", "S 2+x", "Ada", "Lovelace"),))
    (mark, *others) = CLASS[1].marks
    stopped = dataclasses.replace(CLASS[1], marks=[dataclasses.replace(mark, incident="ended its process"), *others])
    show_table(Console(width=100), ASSIGNMENT, [stopped], Tally(failed=[("s2", "its judge was killed")]), roster)
    said = capsys.readouterr().out
    assert "with incidents (1): Ada Lovelace (S 2+x)" in said
    assert "no result for Ada Lovelace (S 2+x): its judge was killed" in said


def hostile_class() -> Class:
    receipt = Receipt(SCRIPT, SCRIPT, SCRIPT, True, (SCRIPT, "s2"), (SCRIPT,))
    return Class({SCRIPT: SCRIPT}, {SCRIPT: receipt}, {SCRIPT: 1.0}, [SCRIPT], {SCRIPT: "#task-1"}, {}, None)


def test_nothing_hostile_becomes_markup():
    page = class_page([hostile_graded()], ASSIGNMENT, {SCRIPT: SCRIPT}, hostile_class(), unsafe=True)
    theirs = page.replace(f"<script>{SORT}</script>", "")  # ours, as are the bars
    assert_harmless(theirs.replace("<svg", "<span").replace("<rect", "<span").replace("<nav", "<div"))
    assert "without a sandbox" in page


def test_the_pages_of_a_class_are_written(tmp_path):
    classroom = Classroom(tmp_path)
    make_class(tmp_path, size=3)
    unreadable = Graded("s0003", ASSIGNMENT.name, [], notes=["It is no JSON."])
    for one in (graded("s0001", {}), graded("s0002", {"conv2d": "bias_forgotten"}), unreadable):
        one.write(classroom.result(one.student, ASSIGNMENT.name))
    written = nbformat.writes(submission({"conv2d": "def conv2d(): my_own_name"}))
    write_whole(classroom.autograded("s0002", ASSIGNMENT.name), written)
    pages = list(publish_feedback(classroom, ASSIGNMENT, {"s0002": "Ada Abe"}))
    assert pages == [classroom.feedback(student, ASSIGNMENT.name) for student in ("s0001", "s0002", "s0003")]
    assert "my_own_name" in pages[1].read_text() and "Ada Abe" in pages[1].read_text()
    report = publish_report(classroom, ASSIGNMENT, {"x.ipynb": "no name in it"})
    assert report == classroom.report(ASSIGNMENT.name)
    assert "2 submissions graded, 2 not graded" in text_of(report.read_text())
    assert '<a href="index.html">The course</a>' in report.read_text()


def test_who_has_handed_in_and_has_no_result_yet_is_still_to_grade(tmp_path):
    classroom = Classroom(tmp_path)
    graded("s0001", {}).write(classroom.result("s0001", ASSIGNMENT.name))
    for student in ("s0001", "s0002", "s0003"):
        write_whole(classroom.submitted(student, ASSIGNMENT.name), "{}")
    text = text_of(publish_report(classroom, ASSIGNMENT, absent=["s0004"]).read_text())
    assert "1 submission graded, 2 still to grade, 1 not handed in." in text
    assert f"Grade them: {classroom.command('grade')} s0002 , s0003 Not handed in" in text
    for student in ("s0002", "s0003"):
        graded(student, {}).write(classroom.result(student, ASSIGNMENT.name))
    assert "still to grade" not in text_of(publish_report(classroom, ASSIGNMENT).read_text()).lower()


def test_who_is_late_is_told_by_the_dates_of_the_class(tmp_path):
    classroom, due = Classroom(tmp_path), datetime(2026, 11, 1, 23, tzinfo=UTC)
    times = {"s0001": due - timedelta(1), "s0002": due + timedelta(3), "s0003": due + timedelta(3), "s0004": None}
    for student, time in times.items():
        graded(student, {}).write(classroom.result(student, ASSIGNMENT.name))
        receipt = Receipt("a.ipynb", submitted=time.isoformat() if time else "", late=student == "s0004")
        receipt.write(classroom.receipt(student, ASSIGNMENT.name))
    dates = DueDates(due, {"s0003": due + timedelta(7)})
    page = publish_report(classroom, ASSIGNMENT, due=dates).read_text()
    rows = [text_of(row) for row in page.partition("<tbody>")[2].partition("</tbody>")[0].split("</tr>")[:4]]
    assert ["late" in row for row in rows] == [False, True, False, True]
    assert "late by 3 d" in rows[1] and "late by" not in rows[3]
    assert f"due {when(due + timedelta(7))}" in rows[2]


def test_how_often_each_handed_in_is_told_where_it_is_known(tmp_path):
    classroom = Classroom(tmp_path)
    for student in ("s0001", "s0002"):
        graded(student, {}).write(classroom.result(student, ASSIGNMENT.name))
    assert "Attempts" not in publish_report(classroom, ASSIGNMENT).read_text()
    for content in (b"1", b"2", b"3"):
        note_attempt(classroom.attempts("s0001", ASSIGNMENT.name), "a.ipynb", "", content, others_before=False)
    page = publish_report(classroom, ASSIGNMENT).read_text()
    assert ">Attempts</th>" in page
    assert '<td class="number" data-value="3">3</td>' in page and '<td class="number" data-value="0"></td>' in page


def test_without_results_or_with_a_damaged_one_an_error_says_what_to_do(tmp_path):
    classroom = Classroom(tmp_path)
    with pytest.raises(GradingError, match="reach-grade grade"):
        list(publish_feedback(classroom, ASSIGNMENT))
    write_whole(classroom.result("s1", ASSIGNMENT.name), '{"student": "s1"')
    with pytest.raises(GradingError, match="damaged"):
        publish_report(classroom, ASSIGNMENT)


def test_statuses_are_those_of_the_checks():
    """The templates name them. A check that could not run gives no mark at all."""
    of_marks = [str(status) for status in Status if status is not Status.BROKEN]
    assert of_marks == ["passed", "not yet", "not attempted"]


def test_everybody_can_read_the_page(accessible):
    about = dataclasses.replace(hostile_class(), graded_at=None, attempts={SCRIPT: 2})
    accessible(class_page([*CLASS, hostile_graded()], ASSIGNMENT, {"a.ipynb": "It is no JSON."}, about, unsafe=True))
