"""A class whose quizzes wait to be graded, and the page for quizzes served to tests."""

import asyncio
import atexit
import contextlib
import functools
import http.client
import json
import re
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

from grading.gradebook.book import Book
from grading.quizzes.desk import Desk
from grading.quizzes.server import serving
from grading.results import Graded
from tests.grading.school import NAME, QUIZ, School

PAGE = f"/{NAME}/{QUIZ}"
ANSWERS = {"ada": "**c**. It is spread.", "bob": "C — it is spread", "cyd": "a", "dan": "", "eve": " "}


def school_with_answers(root: Path, answers: dict[str, str] = ANSWERS) -> School:
    """A graded class: {student: what they wrote under the question}; who wrote nothing left the cell as it was."""
    school = School(root)
    shutil.copytree(_graded(tuple(answers.items())), root, dirs_exist_ok=True)
    return school


@functools.cache
def _graded(answers: tuple[tuple[str, str], ...]) -> Path:
    """The folder of such a class, which takes seconds to make, so that each is made once."""
    root = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, root)
    grade(School(root), answers)
    return root


def grade(school: School, answers: Iterable[tuple[str, str]]) -> None:
    with Book(school.classroom) as book:
        book.register(school.assignment)
        for student, answer in answers:
            book.enrol(student, first_name=student.title(), last_name="Lee")
            record(book, school, student, answer)


def record(book: Book, school: School, student: str, answer: str) -> None:
    notebook = school.notebook(quiz=answer.strip())
    if answer and not answer.strip():
        next(cell for cell in notebook.cells if cell.id == QUIZ).source += "\n\n   \n"
    book.record(school.graded(student, passed=True), notebook)


def record_unreadable(book: Book, school: School, student: str) -> None:
    """As a run has it for a file that is no notebook: the released one stands in its place."""
    graded = Graded(student, NAME, [], notes=["The file is empty."])
    book.record(graded, school.notebook())
    graded.write(school.classroom.result(student, NAME))


@contextlib.contextmanager
def served(school: School, anonymous: bool = False, grader: str = "") -> Iterator["Visitor"]:
    """Somebody who has opened the address of a server of their own."""
    ready, started = threading.Event(), {}

    def run() -> None:
        with Book(school.classroom) as book:
            desk = Desk(school.classroom, [school.assignment], book, anonymous, grader)
            loop = started["loop"] = asyncio.new_event_loop()
            task = started["task"] = loop.create_task(serving(desk, 0, lambda address: tell(address)))
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
            loop.close()

    def tell(address: str) -> None:
        started["address"] = address
        ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(60)
    try:
        yield Visitor(started["address"])
    finally:
        started["loop"].call_soon_threadsafe(started["task"].cancel)
        thread.join()


@dataclass
class Answered:
    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def json(self) -> dict:
        return json.loads(self.text)


@dataclass
class Visitor:
    """A browser without a window: it keeps cookies, and sends what the page's script would send."""

    address: str
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    @property
    def base(self) -> str:
        """The path below which all pages are."""
        return urlsplit(self.address).path.rstrip("/")

    def get(self, path: str = PAGE, **headers: str) -> Answered:
        return self.ask("GET", path, headers=headers)

    def sign_in(self) -> Answered:
        return self.get(f"/?{urlsplit(self.address).query}")

    def post(self, path: str, content: object, token: str = "", **headers: str) -> Answered:
        usual = {"Origin": f"http://{self.host}", "X-XSRFToken": token or self.about()["token"]}
        return self.ask("POST", PAGE + path, json.dumps(content), usual | headers)

    def ask(self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> Answered:
        connection = http.client.HTTPConnection(self.host, timeout=60)
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        connection.request(method, self.base + path, body, cookies | {k: v for k, v in (headers or {}).items() if v})
        response = connection.getresponse()
        for cookie in response.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        answered = Answered(response.status, response.headers, response.read().decode())
        connection.close()
        return answered

    def about(self) -> dict:
        found = re.search(r"data-about='([^']*)'", self.get().text)
        return json.loads(unescape(found[1])) if found else {"token": ""}

    def groups(self, path: str = PAGE) -> list[list[dict]]:
        """What the page's script knows of each group of answers."""
        return [json.loads(unescape(found)) for found in re.findall(r"data-answers='([^']*)'", self.get(path).text)]

    def save(
        self, answers: list[dict], score: float | None, comment: str = "", token: str = "", **more: object
    ) -> Answered:
        given = [{"key": one["key"], "version": one["version"], "score": score, "comment": comment} for one in answers]
        return self.post("/save", {"answers": given} | more, token)
