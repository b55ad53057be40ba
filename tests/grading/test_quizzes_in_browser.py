"""The page for quizzes in a real browser, by keys and by mouse, alone and beside another grader."""

import contextlib
import http.server
import queue
import threading

import pytest

from grading.gradebook.book import Book
from grading.quizzes.opening import in_browser
from grading.quizzes.rubric import Item, write_rubric
from tests.axe import assert_accessible
from tests.browser import PATIENCE
from tests.grading.grading_page import ANSWERS, PAGE, record, school_with_answers, served
from tests.grading.school import NAME, QUIZ, School
from tests.grading.test_quizzes import in_the_gradebook
from tests.grading.test_quizzes_server import HOSTILE

RUBRIC = [Item(1, "C, with the reason."), Item(0.5, "C, no reason."), Item(-0.25, "The reason is wrong.")]


@pytest.fixture
def school(tmp_path) -> School:
    school = school_with_answers(tmp_path / "class")
    write_rubric(school.classroom.rubric(NAME), {QUIZ: RUBRIC})
    return school


@contextlib.contextmanager
def opened(chromium, address: str):
    """The page of the one question, in a browser of its own that has opened the address."""
    context = chromium.new_context(viewport={"width": 1000, "height": 800})
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(address)
    assert "token" not in page.url
    page.get_by_role("link", name="holes in the kernel").click()
    page.locator("article .grading").first.wait_for()
    yield page
    context.close()


@pytest.fixture
def page(chromium, school):
    with served(school, grader="Mei") as visitor, opened(chromium, visitor.address) as page:
        yield page


def press(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def said(page, text: str) -> None:
    page.locator("#said", has_text=text).wait_for()


def card(page, text: str):
    return page.locator("article", has=page.locator(".answer", has_text=text))


def test_whoever_comes_from_the_file_that_leads_there_is_signed_in_and_stays_so(
    chromium, school, tmp_path, monkeypatch
):
    opened = queue.Queue()
    monkeypatch.setattr("webbrowser.open", opened.put)
    with served(school) as server, in_browser(server.address, tmp_path):
        page = chromium.new_context().new_page()
        page.goto(opened.get(timeout=PATIENCE))
        page.wait_for_url(f"http://{server.host}{server.base}/")
        for _ in range(2):
            page.get_by_role("link", name="holes in the kernel").wait_for()
            page.reload()
        page.get_by_role("link", name="holes in the kernel").click()
        page.locator("article .grading").first.wait_for()
        page.context.close()


def test_the_server_of_another_person_on_the_machine_gets_no_cookie(chromium, school):
    seen = queue.Queue()

    class Theirs(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.put((self.path, self.headers["Cookie"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<!doctype html><script>if (location.pathname === '/') location.href = '/again'</script>")

        def log_message(self, *_):
            pass

    with served(school) as server, opened(chromium, server.address) as page:
        theirs = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Theirs)
        threading.Thread(target=theirs.serve_forever).start()
        try:
            other = page.context.new_page()
            other.goto(f"http://127.0.0.1:{theirs.server_port}/")
            other.wait_for_url("**/again")  # the first request comes from elsewhere, this one from the same site
            other.goto(f"http://127.0.0.1:{theirs.server_port}{PAGE}")
        finally:
            theirs.shutdown()
            theirs.server_close()
        got = [seen.get(timeout=PATIENCE) for _ in range(seen.qsize())]
        assert {"/", "/again", PAGE} <= {path for path, _ in got}
        assert {cookie for _, cookie in got} == {None}
        assert len(page.context.cookies(server.address)) == 2


def test_a_question_is_graded_without_a_mouse(page, school):
    press(page, "j", "0")  # the empty one, which waits
    said(page, "Saved: 0 points")
    press(page, "j", "2", "3")
    said(page, "Saved: 0.25 points")
    press(page, "c")
    page.keyboard.type("Why j? Say it in 2 words.")
    press(page, "Escape")
    comment = "C, no reason.\nThe reason is wrong.\nWhy j? Say it in 2 words."
    page.wait_for_function("() => document.getElementById('waiting').textContent === '1'")
    press(page, "n", "1")
    said(page, "Saved: 1 point.")
    assert in_the_gradebook(school, "ada") == in_the_gradebook(school, "bob") == (0.25, False, comment)
    assert in_the_gradebook(school, "cyd") == (1, False, "C, with the reason.")
    assert in_the_gradebook(school, "eve") == (0, False, None)
    press(page, "u")
    said(page, "Taken back")
    assert in_the_gradebook(school, "cyd") == (None, True, None)
    page.reload()
    graded = card(page, "It is spread")
    assert graded.locator(".standing").inner_text() == "0.25 of 1 point"
    assert graded.get_by_role("button", pressed=True).all_inner_texts() == [
        "2 · C, no reason. (+0.5)",
        "3 · The reason is wrong. (-0.25)",
    ]
    assert graded.get_by_label("Comment").input_value() == "Why j? Say it in 2 words."


def test_a_question_is_graded_with_a_mouse(page, school):
    page.get_by_role("button", name="Give 1 empty answer 0 points").click()
    said(page, "Saved: 0 points")
    group = card(page, "It is spread")
    group.get_by_role("button", name="C, with the reason.").click()
    said(page, "Saved: 1 point.")
    group.get_by_label("Points").fill("0.75")
    group.get_by_label("Comment").click()
    said(page, "Saved: 0.75 points")
    page.get_by_role("button", name="Undo").click()
    said(page, "Taken back: 1 point.")
    page.get_by_role("button", name="Undo").click()
    said(page, "Taken back: no points yet.")
    assert in_the_gradebook(school, "ada") == in_the_gradebook(school, "bob") == (None, True, None)
    assert in_the_gradebook(school, "eve")[0] == 0


def test_keys_do_nothing_where_somebody_writes_or_has_switched_them_off(page, school):
    page.get_by_label("Sentence of a new item").fill("")
    page.keyboard.type("j0u1")
    page.get_by_text("Keys", exact=True).click()
    page.get_by_label("Keys are on").uncheck()
    card(page, "It is spread").focus()
    press(page, "1")
    page.get_by_label("Keys are on").check()
    press(page, "j", "0")
    said(page, "Saved: 0 points")
    assert [in_the_gradebook(school, student)[0] for student in ANSWERS].count(None) == len(ANSWERS) - 2


def test_a_rubric_is_written_and_changed_on_the_page(page, school):
    page.get_by_label("Points of a new item").fill("0.1")
    page.get_by_label("Sentence of a new item").fill("At least <something>.")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    card(page, "It is spread").get_by_role("button", name="At least <something>.").click()
    said(page, "Saved: 0.1 points")
    page.get_by_label("Points of item 4").fill("0.2")
    with page.expect_navigation():
        page.get_by_role("button", name="Change item 4").click()
    assert in_the_gradebook(school, "bob") == (0.2, False, "At least <something>.")
    page.get_by_label("Sentence of item 4").fill(RUBRIC[0].says)
    page.get_by_role("button", name="Change item 4").click()
    page.get_by_text("in the rubric already").wait_for()


def test_two_graders_are_shown_both_and_choose(chromium, school, page):
    with served(school, grader="Bo") as server, opened(chromium, server.address) as other:
        for one in (other, page):
            card(one, "It is spread").focus()
        press(other, "2")
        said(other, "Saved: 0.5 points")
        press(page, "1")
        said(page, "somebody else")
        conflict = page.get_by_role("alert").filter(has_text="Somebody else")
        assert "Bo" in conflict.inner_text() and "C, no reason." in conflict.inner_text()
        assert "Yours: 1 point, “C, with the reason.”" in conflict.inner_text()
        assert in_the_gradebook(school, "ada") == (0.5, False, "C, no reason.")
        assert_accessible(page)
        page.get_by_role("button", name="Save mine").click()
        said(page, "Saved: 1 point.")
        press(other, "3")
        said(other, "somebody else")
        other.get_by_role("button", name="Keep theirs").click()
        said(other, "Theirs is kept")
    assert in_the_gradebook(school, "ada") == in_the_gradebook(school, "bob") == (1, False, "C, with the reason.")


def test_of_a_group_the_rest_gets_mine_where_theirs_is_kept(chromium, school, page):
    with served(school, grader="Bo") as server, opened(chromium, server.address) as other:
        other.get_by_role("link", name="Each answer alone").click()
        card(other, "C — it is spread").focus()
        press(other, "2")
        said(other, "Saved: 0.5 points")
        card(page, "It is spread").focus()
        press(page, "1")
        page.get_by_text("Somebody else has graded this answer meanwhile.").wait_for()
        page.get_by_role("button", name="Keep theirs").click()
        said(page, "Saved: 1 point.")
        assert card(page, "It is spread").locator(".standing").inner_text() == "given different points: load again"
    assert in_the_gradebook(school, "ada") == (1, False, "C, with the reason.")
    assert in_the_gradebook(school, "bob") == (0.5, False, "C, no reason.")


def test_two_who_give_the_same_are_not_asked(chromium, school, page):
    with served(school, grader="Bo") as server, opened(chromium, server.address) as other:
        for one in (other, page):
            card(one, "It is spread").focus()
        press(other, "2")
        said(other, "Saved: 0.5 points")
        press(page, "2")
        said(page, "Theirs is kept")
        assert page.get_by_text("Somebody else").count() == 0
    assert in_the_gradebook(school, "ada") == (0.5, False, "C, no reason.")


def test_an_answer_that_was_handed_in_anew_is_not_graded_unseen(page, school):
    card(page, "It is spread").focus()
    with Book(school.classroom) as book:
        book.register(school.assignment)
        record(book, school, "ada", "I mean d")
    press(page, "1")
    with page.expect_navigation():
        page.get_by_role("button", name="Load the page again").click()
    assert card(page, "I mean d").count() == 1
    assert in_the_gradebook(school, "ada") == in_the_gradebook(school, "bob") == (None, True, None)


def test_points_hold_after_a_new_grading_if_a_person_says_so(page, school):
    card(page, "It is spread").focus()
    press(page, "1")
    said(page, "Saved: 1 point.")
    with Book(school.classroom) as book:
        book.register(school.assignment)
        for student in ("ada", "bob"):
            record(book, school, student, ANSWERS[student])
    assert in_the_gradebook(school, "ada") == (1, True, "C, with the reason.")
    page.reload()
    assert card(page, "It is spread").locator(".standing").inner_text() == "graded again since; had 1 of 1 point"
    page.get_by_role("button", name="Keep the points of 2 answers").click()
    said(page, "Saved: 1 point.")
    assert in_the_gradebook(school, "ada") == in_the_gradebook(school, "bob") == (1, False, "C, with the reason.")


def test_a_server_that_has_ended_loses_nothing_silently(chromium, school):
    with served(school) as server, contextlib.ExitStack() as stack:
        page = stack.enter_context(opened(chromium, server.address))
        page.route("**/save", lambda route: route.abort())
        card(page, "It is spread").focus()
        press(page, "1")
        said(page, "The server does not answer. Nothing was saved")
        assert card(page, "It is spread").locator(".standing").inner_text() == "waits"
        press(page, "c")
        page.keyboard.type("Long thoughts.")
        press(page, "Escape")
        page.unroute("**/save")
        press(page, "1")
        said(page, "Saved: 1 point.")
    assert in_the_gradebook(school, "bob") == (1, False, "C, with the reason.\nLong thoughts.")


def test_everybody_can_read_it_and_nothing_of_a_student_runs(chromium, tmp_path):
    school = school_with_answers(tmp_path, HOSTILE | ANSWERS | {"rtl": "التمدد لا يضيف أوزانا (c), 3×3 שלום"})
    write_rubric(school.classroom.rubric(NAME), {QUIZ: [*RUBRIC, Item(0, "‏סעיף <b>")]})
    with served(school) as server, opened(chromium, server.address) as page:
        dialogs, requests = [], []
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: requests.append(request.url))
        page.reload()
        card(page, "It is spread").get_by_role("button", name="C, with").click()
        said(page, "Saved")
        assert_accessible(page)
        assert card(page, "التمدد").locator(".answer").evaluate("one => getComputedStyle(one).direction") == "rtl"
        assert dialogs == [] and all(url.startswith(f"http://{server.host}{server.base}{PAGE}") for url in requests)
        page.get_by_role("link", name="All questions").click()
        page.get_by_role("link", name="holes in the kernel").wait_for()
        assert_accessible(page)


def test_a_key_grades_no_answer_that_has_not_the_focus(page, school):
    waiting = page.locator("#waiting").text_content()
    press(page, "1")
    said(page, "Look at this answer first")
    assert page.locator("#waiting").text_content() == waiting
    press(page, "1")
    said(page, "Saved: 1 point")
