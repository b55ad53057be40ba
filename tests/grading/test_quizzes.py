"""What a person sees and does on the page for quizzes, without the page: answers, groups, points, rubrics."""

import json
from dataclasses import replace

import nbformat
import pytest
from nbgrader.api import Gradebook

from grading.assignment import load_assignment
from grading.gradebook.autograded import harmless_markdown
from grading.gradebook.book import Book
from grading.gradebook.by_hand import Given, Outdated
from grading.gradebook.changes import LATE, changes_of
from grading.problems import GradingError
from grading.quizzes.answers import folded, written_under
from grading.quizzes.desk import Desk, Group, points_of, version_of
from grading.quizzes.questions import questions_of
from grading.quizzes.rubric import Item, read_rubric
from tests.grading.grading_page import ANSWERS, record, record_unreadable, school_with_answers
from tests.grading.school import NAME, QUIZ, School
from tests.grading.test_work_on_hostile_text import is_square
from utils.paths import NOTEBOOKS

LATE_WORK = "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"


@pytest.fixture
def school(tmp_path) -> School:
    return school_with_answers(tmp_path / "class")


@pytest.fixture
def desk(school):
    with Book(school.classroom) as book:
        yield Desk(school.classroom, [school.assignment], book, grader="Mei")


@pytest.fixture
def question(desk):
    return desk.questions[NAME, QUIZ]


def who(group: Group) -> set[str]:
    return {answer.standing.student for answer in group.answers}


def group_of(desk, question, student: str) -> Group:
    return next(group for group in desk.groups(question) if student in who(group))


def give(desk, question, group: Group, score: float | None, comment: str = "", undone: bool = False) -> None:
    given = [Given(answer.standing.key, score, comment) for answer in group.answers]
    desk.save(question, given, {answer.standing.key: answer.version for answer in group.answers}, undone)


def in_the_gradebook(school: School, student: str) -> tuple:
    with Gradebook(f"sqlite:///{school.classroom.gradebook}") as book:
        grade = book.find_grade(QUIZ, NAME, NAME, student)
        comment = book.find_comment(QUIZ, NAME, NAME, student)
        return grade.manual_score, grade.needs_manual_grade, comment.manual_comment


# --- questions and answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")))
def test_each_quiz_of_the_course_comes_with_what_the_course_says(lesson):
    questions = questions_of(load_assignment(NOTEBOOKS / f"{lesson}.ipynb"))
    assert questions
    for question in questions:
        assert question.expected and "SOLUTION" not in question.expected, question.cell
        assert "Your answer here" not in question.text and question.points >= 1
        assert "<" not in question.explained.split("\n")[0], question.cell


def test_a_lesson_that_the_course_does_not_have_has_no_expected_answer(school, tmp_path):
    (question,) = questions_of(school.assignment, solutions=tmp_path)
    assert question.expected == "" and question.title == "Quiz · holes in the kernel"


@pytest.mark.parametrize(
    "change, answer",
    [
        (lambda text: text, ""),
        (lambda text: f"{text}\n\nc", "c"),
        (lambda text: f"c\n{text}", "c"),
        (lambda text: text.replace("\n\n", "\n") + "\nc\n\nd", "c\n\nd"),
        (lambda text: text.replace("*Your answer here.*", "c"), "c"),
        (lambda text: f"{text} if a<b and [x](y)", "if a<b and [x](y)"),
        (lambda text: "\n".join(f"  {line}  " for line in text.split("\n")) + "\nc", "c"),
    ],
)
def test_an_answer_is_what_was_added_to_the_question(question, school, change, answer):
    cell = next(cell for cell in school.assignment.notebook.cells if cell.id == QUIZ)
    assert written_under(question, harmless_markdown(change(cell.source))) == answer


def test_what_is_left_of_a_question_is_an_answer(question):
    left = question.text.replace("- A. The output is larger, since there is more padding.\n", "")
    assert written_under(question, left) == left.strip()


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("**C**", "c.", True),
        ("c), it is `spread`", "C: it   is\nspread", True),
        ("1.5 pixels", "15 pixels", False),
        ("a < b", "a > b", False),
        ("+1", "-1", False),
        ("x²", "x2", False),
        ("2*3", "2/3", False),
        ("a != b", "a = b", False),
        ("(H + 2P - K) / S + 1", "H + 2P - K / S + 1", False),
        ("2 * (3 + 4)", "2 * 3 + 4", False),
        ("2 * 3", "2 3", False),
        ("x = –5", "x = 5", False),
        ("x = –5", "x = -5", True),
        ("H - (K - P)", "H - K - P", False),
        ("H – (K – P)", "H – K – P", False),
        ("H – K", "H K", False),
        ("x = – 5", "x = 5", False),
        ("x = – 5", "x = -5", True),
        ("x = −5", "x = -5", True),
        ("– 5", "5", False),
        ("3 – 2", "3 2", False),
        ("2 *3", "2 3", False),
        ("2* 3", "2 3", False),
        ("a *b", "a b", False),
        ("2 *3* 4", "2 3 4", False),
        ("2 *3", "2*3", True),
        ("log(x y)", "log(x) y", False),
        ("f' = 0", "f = 0", False),
        ("f''(x)", "f'(x)", False),
        ('f"(x)', "f(x)", False),
        ("1:3", "1 3", False),
        ("* **c**\n* 3 pixels", "c\n3 pixels", True),
        ("it is **3** pixels", "it is 3 pixels", True),
        ("C — it is spread", "**c**. It is spread.", True),
        (".5", "5", False),
        ("f’(x)", "f(x)", False),
        ("it’s C (see above)", "It's c, see above", True),
        ("_it_ is `a_name`", "it is a_name", True),
        ("a_name", "a name", False),
        ("Yes!", "yes", True),
        ("**No**!!", "no", True),
        ("oui !", "oui", True),
        ("¡Sí!", "sí", True),
        ("(C, surely!)", "c surely", True),
        ("Great! 3 pixels", "great, 3 pixels", True),
        ("对的！", "对的", True),
        ("n!", "n", False),
        ("it grows like n!", "it grows like n", False),
        ("`n`!", "n", False),
        ("5!", "5", False),
        ("5 !", "5", False),
        ("(n - 1)!", "(n - 1)", False),
        ("1/kn! of them", "1/kn of them", False),
        ("yes != no", "yes = no", False),
        ("!x", "x", False),
        ("é", "e\N{COMBINING ACUTE ACCENT}", True),
        ("c" * 30_000, "C" * 30_000, False),
    ],
)
def test_equal_answers_differ_in_case_layout_and_punctuation_alone(one, other, same):
    assert (folded(one) == folded(other)) is same


@pytest.mark.parametrize(
    "part",
    [
        "_",
        "*",
        " *",
        "*a",
        "* ",
        "–",
        "'",
        "`",
        "1",
        "1.",
        "a",
        "a_",
        " ",
        "\n",
        "(",
        "\N{COMBINING ACUTE ACCENT}",
        "!",
        "aa!",
        "aa ",
    ],
)
def test_no_answer_takes_the_square_of_its_length(part):
    assert not is_square(lambda text: folded(f"a{text}a"), part)


def test_equal_answers_stand_together_and_empty_ones_that_wait_come_first(desk, question):
    groups = desk.groups(question)
    assert [who(group) for group in groups] == [{"eve"}, {"ada", "bob"}, {"cyd"}, {"dan"}]
    assert [group.standing.waits for group in groups] == [True, True, True, False]
    assert groups[1].wordings == ["C — it is spread"]
    assert len(desk.groups(question, together=False)) == len(ANSWERS)


def test_a_file_that_could_not_be_read_is_among_no_answers(school, desk, question):
    give(desk, question, group_of(desk, question, "cyd"), 1, "Right.")
    with Book(school.classroom) as book:
        book.register(school.assignment)
        for student in ("cyd", "dan", "eve"):
            record_unreadable(book, school, student)
    assert [who(group) for group in desk.groups(question)] == [{"ada", "bob"}]
    assert desk.overview() == [(question, 2, 2)] and desk.not_read(NAME) == {"cyd", "dan", "eve"}
    assert in_the_gradebook(school, "cyd") == (1, False, "Right."), "what a person gave stays, and nobody has to look"
    with Book(school.classroom) as book:
        book.register(school.assignment)
        record(book, school, "cyd", "a")
        school.graded("cyd", passed=True).write(school.classroom.result("cyd", NAME))
    assert group_of(desk, question, "cyd").standing.waits and desk.overview() == [(question, 3, 3)]


def test_a_page_that_is_still_open_gives_no_points_to_what_could_not_be_read(school, desk, question):
    seen = group_of(desk, question, "dan")  # an empty answer before, and none at all now
    with Book(school.classroom) as book:
        book.register(school.assignment)
        record_unreadable(book, school, "dan")
    with pytest.raises(GradingError, match="could not be read.*load the page again"):
        give(desk, question, seen, 1)
    assert in_the_gradebook(school, "dan") == (None, False, None)


# --- points -------------------------------------------------------------------------------------------------------


def test_a_group_gets_points_a_comment_and_a_line_in_the_log(school, desk, question):
    give(desk, question, group_of(desk, question, "ada"), 0.5, "Half.")
    assert in_the_gradebook(school, "ada") == in_the_gradebook(school, "bob") == (0.5, False, "Half.")
    assert in_the_gradebook(school, "cyd") == (None, True, None)
    assert desk.overview() == [(question, 2, 5)]
    with Book(school.classroom) as book:
        points = {score.student: score.points for score in book.scores(NAME)}
    assert points["ada"] == points["bob"] == 1.5
    ((answer, change),) = desk.conflicts(question, Outdated([group_of(desk, question, "bob").standing]))
    assert (change.who, change.before, change.after) == ("Mei", None, 0.5) and answer.standing.student in "ada bob"


def test_undo_leaves_the_gradebook_as_it_was(school, desk, question):
    for student in ("ada", "dan"):
        before = in_the_gradebook(school, student)
        give(desk, question, group_of(desk, question, student), 1, "Right.")
        give(desk, question, group_of(desk, question, student), None, "", undone=True)
        assert in_the_gradebook(school, student) == before


def test_an_equal_answer_that_came_later_is_shown_what_the_others_were_given(school, desk, question):
    give(desk, question, group_of(desk, question, "ada"), 1, "Right.")
    with Book(school.classroom) as book:
        book.register(school.assignment)
        record(book, school, "zoe", "c: it is spread")
    late = group_of(desk, question, "zoe")
    assert who(late) == {"zoe"} and (late.given_before.score, late.given_before.comment) == (1, "Right.")


def test_who_grades_on_what_somebody_else_has_changed_writes_nothing(school, desk, question):
    seen = group_of(desk, question, "ada")
    with Book(school.classroom) as book:
        other = Desk(school.classroom, [school.assignment], book, grader="Bo")
        mine = next(group for group in other.groups(question, together=False) if who(group) == {"bob"})
        give(other, question, mine, 0.25, "Theirs.")
    with pytest.raises(Outdated) as caught:
        give(desk, question, seen, 1, "Mine.")
    assert [one.student for one in caught.value.standings] == ["bob"]
    assert in_the_gradebook(school, "ada") == (None, True, None)
    assert in_the_gradebook(school, "bob") == (0.25, False, "Theirs.")
    ((answer, change),) = desk.conflicts(question, caught.value)
    assert change.who == "Bo"
    (version,) = [one.version for one in seen.answers if one.standing.student == "bob"]
    assert answer.version != version and not answer.is_other_text(version)


def test_points_for_an_answer_that_was_handed_in_anew_are_not_written(school, desk, question):
    seen = group_of(desk, question, "cyd")
    with Book(school.classroom) as book:
        book.register(school.assignment)
        record(book, school, "cyd", "d, on second thoughts")
    with pytest.raises(Outdated) as caught:
        give(desk, question, seen, 1)
    ((answer, _),) = desk.conflicts(question, caught.value)
    assert answer.is_other_text(seen.answers[0].version) and answer.text == "d, on second thoughts"


def test_an_answer_that_is_gone_is_an_error(desk, question):
    seen = group_of(desk, question, "cyd")
    with pytest.raises(GradingError, match="no longer in the gradebook"):
        desk.save(question, [Given("nothing", 1, "")], {"nothing": seen.answers[0].version}, undone=False)


def test_the_late_penalty_follows_the_points(tmp_path):
    school = School(tmp_path)
    (tmp_path / "nbgrader_config.py").write_text(LATE_WORK)
    school.classroom.due.write_text(f"assignment,student,due\n{NAME},,2026-01-01 12:00 UTC\n")
    school.hand_in("ada", school.notebook(quiz="c"), "2026-03-01 10:00:00 UTC")
    with Book(school.classroom) as book:
        book.register(school.assignment)
        record(book, school, "ada", "c")
        desk = Desk(school.classroom, [school.assignment], book)
        question = desk.questions[NAME, QUIZ]
        give(desk, question, group_of(desk, question, "ada"), 1)
        (score,) = book.scores(NAME)
        assert (score.late_penalty, score.points) == (2, 0)
        with book.writing() as gradebook:
            log = changes_of(gradebook.db.connection(), NAME, "ada")
        assert [change.after for change in log if change.cell == LATE] == [-1, -2]


# --- anonymous ----------------------------------------------------------------------------------------------------


def test_without_names_each_question_has_an_order_of_its_own_that_stays(tmp_path):
    answers = {f"s{number:02}": f"my {number}" for number in range(20)}
    school = school_with_answers(tmp_path, answers)
    with Book(school.classroom) as book:
        named, nameless = (Desk(school.classroom, [school.assignment], book, anonymous) for anonymous in (False, True))
        question = named.questions[NAME, QUIZ]
        groups = nameless.groups(question)
        texts = [group.text for group in groups]
        assert sorted(texts) == sorted(answers.values()) and texts != [group.text for group in named.groups(question)]
        assert texts == [group.text for group in nameless.groups(question)]
        assert {(one.standing.student, one.standing.first_name) for group in groups for one in group.answers} == {
            ("", "")
        }
        give(nameless, question, groups[0], 1)
        assert nameless.overview() == [(question, 19, 20)]


# --- rubrics ------------------------------------------------------------------------------------------------------

RIGHT, HALF, WRONG = Item(1, "C, with the reason."), Item(0.5, "C, no reason."), Item(-0.5, "The reason is wrong.")


def test_points_are_the_sum_of_the_chosen_items_within_those_of_the_question():
    assert points_of([RIGHT, HALF, WRONG], "C, no reason.\nThe reason is wrong.\nOwn words.", 1) == 0
    assert points_of([RIGHT, HALF, WRONG], "C, no reason.\nC, with the reason.", 1) == 1
    assert points_of([RIGHT, HALF, WRONG], "Own words.", 1) == 0
    assert points_of([Item(0.1, "a"), Item(0.2, "b")], "a\nb", 1) == 0.3


def test_a_rubric_is_a_file_that_another_class_can_use(school, desk, question):
    for item in (RIGHT, HALF):
        desk.change_rubric(question, version_of(desk.rubric(question)), None, item)
    path = school.classroom.rubric(NAME)
    items = [{"points": 1, "says": "C, with the reason."}, {"points": 0.5, "says": "C, no reason."}]
    assert json.loads(path.read_text()) == {QUIZ: items}
    path.write_text(json.dumps({"quiz_of_theirs": items, QUIZ: items[:1]}))
    desk.change_rubric(question, version_of([RIGHT]), RIGHT, None)
    assert read_rubric(path) == {"quiz_of_theirs": [RIGHT, HALF], QUIZ: []}


def test_a_change_of_an_item_is_one_for_all_who_were_given_it(school, desk, question):
    for item in (RIGHT, WRONG):
        desk.change_rubric(question, version_of(desk.rubric(question)), None, item)
    give(desk, question, group_of(desk, question, "ada"), 1, f"{RIGHT.says}\nNice.")
    give(desk, question, group_of(desk, question, "cyd"), 0.25, RIGHT.says)  # points by hand
    give(desk, question, group_of(desk, question, "dan"), 0, WRONG.says)
    desk.change_rubric(question, version_of([RIGHT, WRONG]), RIGHT, replace(HALF, says="C."))
    assert in_the_gradebook(school, "ada") == in_the_gradebook(school, "bob") == (0.5, False, "C.\nNice.")
    assert in_the_gradebook(school, "cyd") == (0.25, False, "C.")
    assert in_the_gradebook(school, "dan") == (0, False, WRONG.says)
    desk.change_rubric(question, version_of(desk.rubric(question)), replace(HALF, says="C."), None)
    assert in_the_gradebook(school, "ada") == (0.5, False, "C.\nNice.")


def test_a_change_of_an_item_looks_at_no_answer(school, desk, question):
    desk.change_rubric(question, version_of([]), None, RIGHT)
    give(desk, question, group_of(desk, question, "cyd"), 1, RIGHT.says)
    with Book(school.classroom) as book:
        book.register(school.assignment)
        record(book, school, "cyd", "d")
    desk.change_rubric(question, version_of([RIGHT]), RIGHT, HALF)
    assert in_the_gradebook(school, "cyd") == (0.5, True, HALF.says)


def test_a_rubric_that_cannot_be_followed_stays_as_it_was(school, desk, question, monkeypatch):
    desk.change_rubric(question, version_of([]), None, RIGHT)
    give(desk, question, group_of(desk, question, "ada"), 1, RIGHT.says)
    monkeypatch.setattr("grading.quizzes.desk.give", lambda *_: (_ for _ in ()).throw(Outdated([])))
    with pytest.raises(GradingError, match="this very moment"):
        desk.change_rubric(question, version_of([RIGHT]), RIGHT, HALF)
    assert desk.rubric(question) == [RIGHT]


def test_two_who_change_a_rubric_at_once_lose_nothing(desk, question):
    desk.change_rubric(question, version_of([]), None, RIGHT)
    with pytest.raises(GradingError, match="Somebody else has changed the rubric"):
        desk.change_rubric(question, version_of([]), None, HALF)
    with pytest.raises(GradingError, match="in the rubric already"):
        desk.change_rubric(question, version_of([RIGHT]), None, Item(0.5, RIGHT.says))
    assert desk.rubric(question) == [RIGHT]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"q": [{"points": 1%s, "says": "x"}]}' % ("0" * 400),
        '{"q": [{"points": "1", "says": "x"}]}',
        '{"q": [{"points": 1, "says": " "}]}',
        '{"q": [3]}',
    ],
)
def test_a_file_that_is_no_rubric_is_an_error_that_says_what_one_is(school, desk, question, text):
    path = school.classroom.rubric(NAME)
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(GradingError, match="is no rubric"):
        desk.rubric(question)


def test_the_notebook_on_disk_is_read_again_when_it_has_changed(school, desk, question):
    path = school.classroom.autograded("cyd", NAME)
    notebook = nbformat.read(path, as_version=4)
    next(cell for cell in notebook.cells if cell.id == QUIZ).source += " and b"
    path.write_text(nbformat.writes(notebook))
    assert group_of(desk, question, "cyd").text == "a and b"
