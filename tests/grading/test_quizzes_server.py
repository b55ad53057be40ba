"""The server of the page for quizzes: who is let in, what is refused, and that nothing of a student's can run."""

import contextlib
import http.client
import json
import queue
import re
import socket
import stat
import subprocess
import threading
import urllib.request
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import pytest
from nbgrader.api import Gradebook

from grading.gradebook.book import Book
from grading.problems import GradingError
from grading.quizzes import desk as desks
from grading.quizzes.connections import MOST_STRANGERS
from grading.quizzes.desk import Desk
from grading.quizzes.opening import in_browser
from grading.quizzes.server import MAX_HEAD, MAX_REQUEST, serve
from tests.grading.grading_page import (
    ANSWERS,
    PAGE,
    Answered,
    Visitor,
    record_unreadable,
    school_with_answers,
    served,
)
from tests.grading.interruptible import reach_grade_command
from tests.grading.school import NAME, QUIZ, School
from utils.paths import COURSE

HOSTILE = {
    "tags": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "links": "[click](javascript:alert(1)) <javascript:alert(1)> ![x](https://evil.example/x.png)",
    "quotes": "' data-answers='[]' onfocus='alert(1)' \" autofocus",
    "jinja": "{{ 7 * 7 }} {% raw %}",
    "turned": "c \u202e\u2066txet denrut\u2069",
    "control": "c \x00 \x1b[31m",
    "huge": "<b>" * 100_000,
    "deep": ">" * 3_000 + "x",
}


@pytest.fixture(scope="module")
def school(tmp_path_factory) -> School:
    return school_with_answers(tmp_path_factory.mktemp("class"))


@pytest.fixture(scope="module")
def visitor(school):
    with served(school, grader="Mei") as visitor:
        yield visitor


@pytest.fixture
def signed_in(visitor) -> Visitor:
    visitor = Visitor(visitor.address)
    visitor.sign_in()
    return visitor


def scores(school: School) -> dict[str, float | None]:
    with Gradebook(f"sqlite:///{school.classroom.gradebook}") as book:
        return {student: book.find_grade(QUIZ, NAME, NAME, student).manual_score for student in ANSWERS}


# --- who is let in ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", PAGE, "/nowhere", f"{PAGE}?token=", f"{PAGE}?token=wrong", "/?token=%FF"])
def test_without_the_token_there_is_a_sentence_and_nothing_else(visitor, path):
    answered = Visitor(visitor.address).get(path)
    assert answered.status in (400, 403) and "quiz_" not in answered.text
    assert answered.headers.get_all("Set-Cookie") is None


def test_the_token_becomes_a_cookie_that_no_script_and_no_other_site_has(visitor):
    visitor = Visitor(visitor.address)
    answered = visitor.sign_in()
    assert answered.status == 200 and f'href="{PAGE[1:]}"' in answered.text
    (cookie,) = answered.headers.get_all("Set-Cookie")
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    (second,) = visitor.get(PAGE).headers.get_all("Set-Cookie")
    assert all(one.split("Path=")[1].split(";")[0] == f"{visitor.base}/" for one in (cookie, second))
    assert not any(
        secret in answered.text for secret in (*visitor.cookies.values(), visitor.address.split("token=")[1])
    )
    assert visitor.get(PAGE).status == 200
    visitor.cookies = {name: value[:-1] for name, value in visitor.cookies.items()}
    assert visitor.get(PAGE).status == 403


def test_the_cookie_of_one_server_does_not_sign_in_at_another(school, signed_in):
    with served(school) as other:
        other.cookies = dict(signed_in.cookies)
        assert other.get(PAGE).status == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "[::1", ""])
def test_another_name_that_leads_here_is_refused(signed_in, host):
    answered = signed_in.get(PAGE, Host=host.format(port=signed_in.host.split(":")[1]) or " ")
    assert answered.status in (400, 403) and "quiz_" not in answered.text


def test_a_tunnel_from_another_port_is_let_in(signed_in):
    assert signed_in.get(PAGE, Host="localhost:9999").status == 200


def test_each_server_is_below_a_path_of_its_own_that_nobody_guesses(school, signed_in):
    with served(school) as other:
        other.sign_in()
        assert other.base != signed_in.base and min(len(other.base), len(signed_in.base)) > 20
        other.address = signed_in.address.replace(signed_in.host, other.host)
        assert other.get("/").status == other.get(PAGE).status == 404
        other.cookies = {}
        assert other.get("/").status == other.get(PAGE).status == 403


def test_it_listens_on_this_machine_alone(visitor):
    assert visitor.host.startswith("127.0.0.1:")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Origin": ""},
        {"X-XSRFToken": ""},
        {"X-XSRFToken": "2|00000000|00000000000000000000000000000000|1700000000"},
    ],
)
@pytest.mark.parametrize(
    "path, sent", [("/save", {"answers": []}), ("/rubric", {"version": "", "old": None, "new": None})]
)
def test_what_another_page_sends_is_refused(signed_in, school, headers, path, sent):
    before = scores(school)
    if path == "/save":
        sent = {"answers": [{**signed_in.groups()[1][0], "score": 1}]}
    answered = signed_in.post(path, sent, **headers)
    assert answered.status == 403 and "problem" in answered.json
    assert scores(school) == before


def test_every_answer_says_that_it_is_not_to_be_framed_or_kept(signed_in):
    for answered in (signed_in.get("/"), signed_in.get(PAGE), signed_in.get("/nowhere"), signed_in.post("/save", {})):
        assert answered.headers["X-Content-Type-Options"] == "nosniff"
        assert answered.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answered.headers["Content-Security-Policy"]
        assert answered.headers["Referrer-Policy"] == "no-referrer"


# --- what is sent -------------------------------------------------------------------------------------------------


def test_points_are_saved_and_said(signed_in, school):
    group = signed_in.groups()[1]
    answered = signed_in.save(group, 0.5, "Half.")
    assert answered.status == 200
    assert [(one["score"], one["comment"], one["waits"]) for one in answered.json["saved"]] == [
        (0.5, "Half.", False)
    ] * 2
    assert scores(school) | {"ada": 0.5, "bob": 0.5} == scores(school)
    assert signed_in.save(answered.json["saved"], None, undone=True).status == 200
    assert scores(school)["ada"] is None


def test_how_many_files_could_not_be_read_is_said_and_no_more_of_them(signed_in, school):
    assert "could not be read" not in signed_in.get("/").text + signed_in.get().text
    with Book(school.classroom) as book:
        book.register(school.assignment)
        for student in ("dan", "eve"):
            record_unreadable(book, school, student)
    for path in ("/", PAGE):
        assert "2 files could not be read, and have no answers here" in signed_in.get(path).text
    page = signed_in.get().text
    assert "data-empty" not in page and 'id="empty"' not in page and "Eve Lee" not in page


def test_a_comment_that_no_database_takes_is_saved_without_what_it_cannot_hold(signed_in):
    group = next(group for group in signed_in.groups() if len(group) == 1)
    (saved,) = signed_in.save(group, 0, "a\x00b \ud800\r\n\u05d0").json["saved"]
    assert saved["comment"] == "a␀b \N{REPLACEMENT CHARACTER}\n\u05d0"


def test_two_servers_on_one_gradebook_show_each_other_what_they_did(signed_in, school):
    mine = next(group for group in signed_in.groups() if len(group) == 2)
    with served(school, grader="Bo") as other:
        other.sign_in()
        theirs = next(group for group in other.groups() if len(group) == 2)
        assert other.save(theirs, 0.25, "Theirs.").status == 200
    answered = signed_in.save(mine, 1, "Mine.")
    assert answered.status == 409 and len(answered.json["conflicts"]) == 2
    found = answered.json["conflicts"][0]
    assert (found["score"], found["comment"], found["who"], found["other"]) == (0.25, "Theirs.", "Bo", False)
    assert re.match(r"\d{4}-\d\d-\d\d", found["when"])
    assert scores(school)["ada"] == 0.25
    assert signed_in.save(answered.json["conflicts"], 1, "Mine.").status == 200
    assert scores(school)["ada"] == scores(school)["bob"] == 1


def test_of_those_who_grade_the_same_at_once_one_is_first_and_the_others_are_asked(tmp_path):
    school = school_with_answers(tmp_path, {f"s{number}": f"my {number}" for number in range(6)})
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(8) as threads:
        servers = [stack.enter_context(served(school, grader=name)) for name in ("Mei", "Bo")]
        for server in servers:
            server.sign_in()
        groups, tokens = servers[0].groups(), [server.about()["token"] for server in servers]
        asked = [(number, server, group) for group in groups for number, server in enumerate(servers)] * 2
        score = [0.25, 0.75]

        def save(number: int, server: Visitor, group: list[dict]) -> Answered:
            return server.save(group, score[number], f"by {number}", token=tokens[number])

        answered = list(threads.map(lambda one: save(*one), asked))
        now = {group[0]["key"]: group[0] for group in servers[0].groups()}
    for group in groups:
        won = [one for one, (_, _, of) in zip(answered, asked, strict=True) if of is group and one.status == 200]
        assert len(won) == 1
        assert won[0].json["saved"] == [now[group[0]["key"]]]
    assert {one.status for one in answered} == {200, 409}
    assert all("conflicts" in one.json for one in answered if one.status == 409)


@pytest.mark.parametrize(
    "sent",
    [
        "no object",
        [],
        {},
        {"answers": {}},
        {"answers": ["x"]},
        {"answers": [{"key": 3, "score": 1, "comment": ""}]},
        {"answers": [{"key": "x", "score": True, "comment": ""}]},
        {"answers": [{"key": "x", "score": "1", "comment": ""}]},
        {"answers": [{"key": "x", "score": float("nan"), "comment": ""}]},
        {"answers": [{"key": "x", "score": -0.1, "comment": ""}]},
        {"answers": [{"key": "x", "score": 1.5, "comment": ""}]},
        {"answers": [{"key": "x", "score": 1, "comment": None}]},
        {"answers": [{"key": "x", "score": 1, "comment": "c" * 5_001}]},
        {"answers": [{"key": "x", "score": 1, "comment": ""}]},
    ],
)
def test_what_no_page_of_ours_would_send_is_refused_in_a_sentence(signed_in, school, sent):
    before = scores(school)
    answered = signed_in.post("/save", sent)
    assert answered.status in (400, 409) and answered.json["problem"].endswith(".")
    assert scores(school) == before


@pytest.mark.parametrize(
    "new",
    [
        {},
        {"points": "x", "says": "y"},
        {"points": 1, "says": " \n"},
        {"points": 1e9, "says": "y"},
        {"points": 10**400, "says": "y"},
        {"points": float("nan"), "says": "y"},
        {"points": float("-inf"), "says": "y"},
        3,
    ],
)
def test_what_is_no_item_of_a_rubric_is_refused(signed_in, school, new):
    answered = signed_in.post(
        "/rubric", {"version": signed_in.about()["version"], "old": None, "new": new or {"points": None}}
    )
    assert answered.status in (400, 409) and answered.json["problem"].endswith(".")
    assert not school.classroom.rubric(NAME).exists()


def test_a_request_has_an_end(signed_in):
    with pytest.raises(OSError):
        answered = signed_in.ask("POST", f"{PAGE}/save", "x" * (MAX_REQUEST + 1))
        raise OSError if answered.status == 413 else AssertionError(answered)


def head(visitor: Visitor, length: int, headers: str = "") -> bytes:
    about = f"Host: {visitor.host}\r\nOrigin: http://{visitor.host}\r\nContent-Length: {length}\r\n{headers}"
    return f"POST {visitor.base}{PAGE}/save HTTP/1.1\r\n{about}\r\n".encode()


@contextlib.contextmanager
def connected(visitor: Visitor) -> Iterator[socket.socket]:
    port = int(visitor.host.split(":")[1])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        yield connection


@pytest.mark.parametrize("path", [PAGE, "/nowhere", ""])
def test_who_is_not_signed_in_is_refused_before_the_body_is_read(visitor, path):
    with connected(visitor) as connection:
        connection.sendall(head(visitor, MAX_REQUEST).replace(f"{PAGE}/save".encode(), path.encode()))
        answered = b"".join(iter(lambda: connection.recv(65_536), b""))  # until the server closes
    assert answered.startswith(b"HTTP/1.1 403 ")


def test_the_largest_request_is_read(signed_in):
    answers = [{"key": "x", "score": 1, "comment": "c" * 4_900}] * 4_000
    assert 0.95 * MAX_REQUEST < len(json.dumps({"answers": answers})) < MAX_REQUEST
    assert signed_in.post("/save", {"answers": answers}).status == 409  # "x" is nobody's answer


def test_who_sends_nothing_does_not_stay(school, monkeypatch):
    monkeypatch.setattr("grading.quizzes.server.UNTIL_ASKED", 0.5)
    monkeypatch.setattr("grading.quizzes.server.UNTIL_SENT", 0.5)
    with served(school) as visitor:
        visitor.sign_in()
        token = visitor.about()["token"]
        cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        half = head(visitor, 100, f"X-XSRFToken: {token}\r\nCookie: {cookies}\r\n") + b"half"
        for sent in (b"", b"GET / HTTP/1.1\r\n", half):
            with connected(visitor) as connection:
                connection.sendall(sent)
                assert connection.recv(100) == b""
        assert visitor.get().status == 200


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nX-Slow: "], ids=["silent", "slow"])
def test_five_hundred_connections_of_another_account_keep_nobody_out(school, sent):
    with served(school) as visitor, contextlib.ExitStack() as opened:
        visitor.sign_in()
        with keeping_alive(visitor) as page:
            strangers = [opened.enter_context(connected(visitor)) for _ in range(500)]
            for stranger in strangers:
                with contextlib.suppress(OSError):  # some are closed by now
                    stranger.sendall(sent)
            assert visitor.get(PAGE).status == 200, "a new connection"
            page.request("GET", f"{visitor.base}{PAGE}", headers=page.headers)
            assert page.getresponse().status == 200, "the one that the page had before"
        assert sum(map(is_open, strangers)) <= MOST_STRANGERS


def test_who_connects_again_and_again_keeps_nobody_out(school):
    with served(school) as visitor:
        visitor.sign_in()
        ended = threading.Event()

        def attack() -> None:
            held: deque[socket.socket] = deque(maxlen=150)  # those that fall out are closed
            while not ended.wait(0.001):
                with contextlib.suppress(OSError):
                    held.append(socket.create_connection(("127.0.0.1", int(visitor.host.split(":")[1]))))

        thread = threading.Thread(target=attack)
        thread.start()
        try:
            assert [visitor.get(PAGE).status for _ in range(20)] == [200] * 20
        finally:
            ended.set()
            thread.join()


@contextlib.contextmanager
def keeping_alive(visitor: Visitor) -> Iterator[Any]:
    """A connection of a browser that is signed in, and that has asked before."""
    page: Any = http.client.HTTPConnection(visitor.host, timeout=20)
    page.headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())}
    page.request("GET", f"{visitor.base}{PAGE}", headers=page.headers)
    answered = page.getresponse()
    assert answered.read() and answered.status == 200
    yield page
    page.close()


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_a_head_has_an_end(visitor):
    with connected(visitor) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 2 * MAX_HEAD)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) in (b"", b"HTTP/1.1 431 ", b"HTTP/1.1 400 ")


def test_a_gradebook_that_cannot_be_written_is_said_and_nothing_is_lost(signed_in, school, monkeypatch):
    def broken(*_):
        raise GradingError("The gradebook cannot be used: the disk is full.")

    monkeypatch.setattr(desks, "give", broken)
    before = scores(school)
    answered = signed_in.save(signed_in.groups()[0], 1)
    assert answered.status == 409 and answered.json == {"problem": "The gradebook cannot be used: the disk is full."}
    assert scores(school) == before


@pytest.mark.parametrize("path", ["/01_convolution/quiz_nothing", "/77_nothing/quiz", "/favicon.ico", f"{PAGE}/more"])
def test_what_is_not_there_is_not_found(signed_in, path):
    assert signed_in.get(path).status == 404


# --- what is shown ------------------------------------------------------------------------------------------------


def test_nothing_of_a_student_is_more_than_text(tmp_path):
    school = school_with_answers(tmp_path, HOSTILE)
    with served(school) as visitor:
        visitor.sign_in()
        page = visitor.get().text
    body = page.partition("<body>")[2].rpartition("<script>")[0]
    assert len(re.findall(r"<article ", page)) == len(HOSTILE)
    assert not re.search(r"<(script|img|a|iframe|svg)\b[^>]*(alert|evil|javascript)", body)
    assert "&lt;script&gt;alert(1)" in body and "{{ 7 * 7 }}" in body
    assert "\u202e" not in page and "⟨U+202E⟩" in body
    assert len(page) < 1_000_000
    policy = unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])
    assert "default-src 'none'" in policy and "unsafe" not in policy and "connect-src 'self'" in policy


def test_an_anonymous_page_holds_no_name_and_no_id(tmp_path):
    answers = {"studentone": "c", "studenttwo": "d", "studentthree": ""}
    school = school_with_answers(tmp_path, answers)
    with served(school, anonymous=True) as visitor:
        seen = [visitor.sign_in(), visitor.get()]
        (group, *_) = visitor.groups()
        seen.append(visitor.save(group, 1, "Right."))
        seen.append(visitor.save(group, 0))
        assert [one.status for one in seen] == [200, 200, 200, 409]
    assert not any(re.search("student(one|two|three)", one.text + str(one.headers), re.I) for one in seen)
    assert not re.search(r"\bLee\b", seen[1].text)


def test_many_answers_are_on_several_pages(tmp_path, monkeypatch):
    monkeypatch.setattr("grading.quizzes.server.ON_A_PAGE", 2)
    school = school_with_answers(tmp_path)
    with served(school) as visitor:
        visitor.sign_in()
        assert [len(visitor.groups(f"{PAGE}?page={page}")) for page in (1, 2, 3, "x", "9" * 50)] == [2, 2, 2, 2, 2]
        assert [len(visitor.groups(f"{PAGE}?together=no&page={page}")) for page in (1, 2, 3)] == [2, 2, 1]
        keys = {one["key"] for page in (1, 2) for group in visitor.groups(f"{PAGE}?page={page}") for one in group}
    assert len(keys) == len(ANSWERS)


# --- the command --------------------------------------------------------------------------------------------------


def test_the_command_serves_until_it_is_interrupted(school):
    result = school.classroom.result("ada", NAME)  # without one, nothing is graded
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text("{}")
    command = reach_grade_command("quizzes", "--class", school.classroom.root, "--no-browser")
    with subprocess.Popen(command, cwd=COURSE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        address = next(line for line in server.stdout if "http" in line).split()[-1]
        with urllib.request.urlopen(address, timeout=60) as answered:
            assert "holes in the kernel" in answered.read().decode()
        server.send_signal(2)
        said = server.stdout.read() + server.stderr.read()
    assert (server.returncode, said) == (0, "")


def test_the_token_is_in_no_word_of_the_browsers_command_and_in_no_file_that_others_read(tmp_path, monkeypatch):
    opened = queue.Queue()
    monkeypatch.setattr("webbrowser.open", opened.put)
    with in_browser("http://127.0.0.1:1/?token=secret", tmp_path):
        given = opened.get(timeout=60)
        (file,) = tmp_path.iterdir()
        assert given == file.as_uri() and "secret" in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken_is_said(school, visitor):
    port = int(visitor.host.split(":")[1])
    with Book(school.classroom) as book, ThreadPoolExecutor() as threads:  # the tests' own thread may have a loop
        found = threads.submit(serve, Desk(school.classroom, [school.assignment], book), port, print).exception(60)
    assert isinstance(found, GradingError) and f"Port {port} cannot be used" in str(found)


def test_without_a_graded_class_there_is_nothing_to_show(reach_grade):
    assert "Nothing was released" in reach_grade("quizzes", "--no-browser", fails=True)
