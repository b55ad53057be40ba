"""The server of the page for quizzes: a list of questions, a page for each, and two addresses that write."""

import asyncio
import json
import logging
import math
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from typing import Any
from urllib.parse import quote

from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError

from grading.gradebook.by_hand import Given, Outdated
from grading.gradebook.changes import Change
from grading.pages.render import render, when
from grading.problems import GradingError
from grading.quizzes.access import Guarded
from grading.quizzes.connections import Server, Strangers
from grading.quizzes.desk import Answer, Desk, Group, version_of
from grading.quizzes.questions import Question
from grading.quizzes.rubric import Item, checked_item
from grading.untrusted.text import visible

ADDRESS = "127.0.0.1"
ON_A_PAGE = 100  # groups of equal answers
MAX_REQUEST = 20_000_000  # bytes: the longest comment to thousands of equal answers
MAX_HEAD = 16_000  # bytes of a request's head
MAX_COMMENT = 5_000  # characters
MOST_WAITING = 1_024  # connections that the system holds while the server is at work
UNTIL_ASKED, UNTIL_SENT = 60, 30  # seconds that a connection may take for its request's head, and for its body
NOT_OURS = "This is no request of the page for quizzes."
QUESTION = r"(\d\d_\w+)/(\w+)"


def serve(desk: Desk, port: int, ready: Callable[[str], None]) -> None:
    """Serve the pages on this machine until Ctrl-C.

    Args:
        desk: what to show.
        port: 0 for one that is free.
        ready: called with the address to open, with its token.

    Raises GradingError if the port is taken.
    """
    asyncio.run(serving(desk, port, ready))


async def serving(desk: Desk, port: int, ready: Callable[[str], None]) -> None:
    """The same, until it is cancelled."""
    try:
        sockets = bind_sockets(port, ADDRESS, backlog=MOST_WAITING)
    except (OSError, OverflowError) as error:
        raise GradingError(
            f"Port {port} cannot be used ({error}). Leave --port out, and a free one is taken."
        ) from None
    port = sockets[0].getsockname()[1]
    token = secrets.token_urlsafe(32)
    base = f"/{secrets.token_urlsafe(16)}/"
    strangers = Strangers()
    server = Server(
        application(desk, token, port, base, strangers),
        max_header_size=MAX_HEAD,
        max_body_size=MAX_REQUEST,
        max_buffer_size=MAX_REQUEST,
        idle_connection_timeout=UNTIL_ASKED,
        body_timeout=UNTIL_SENT,
    )
    server.strangers = strangers
    server.add_sockets(sockets)
    ready(f"http://{ADDRESS}:{port}{base}?token={quote(token)}")
    try:
        await asyncio.Event().wait()
    finally:
        server.stop()


def application(desk: Desk, token: str, port: int, base: str, strangers: Strangers) -> Application:
    """The server's addresses, all below `base`, where alone a browser sends the cookies.

    Cookies know no ports, so their names do: two servers do not sign each other out.
    """
    for log in ("tornado.access", "tornado.general"):  # their warnings are what a browser was told already
        logging.getLogger(log).setLevel(logging.ERROR)
    return Application(
        [
            (base, Questions, {"desk": desk}),
            (base + QUESTION, Answers, {"desk": desk}),
            (base + QUESTION + "/save", Save, {"desk": desk}),
            (base + QUESTION + "/rubric", Rubric, {"desk": desk}),
        ],
        default_handler_class=Missing,
        default_handler_args={"desk": desk},
        token=token,
        session=secrets.token_urlsafe(32),
        cookie=f"reach-quizzes-{port}",
        base=base,
        strangers=strangers,
        xsrf_cookies=True,
        xsrf_cookie_name=f"reach-quizzes-xsrf-{port}",
        xsrf_cookie_kwargs={"path": base, "httponly": True, "samesite": "Strict"},
    )


class AtDesk(Guarded):
    """What the pages share. What goes wrong is said in a sentence."""

    def initialize(self, desk: Desk) -> None:
        self.desk = desk

    def question(self, assignment: str, cell: str) -> Question:
        try:
            return self.desk.questions[assignment, cell]
        except KeyError:
            raise HTTPError(404, "There is no such question.") from None

    def show(self, template: str, **values: Any) -> None:
        page = render(template, script="quizzes.js", sheet="quizzes.css", connects=True, unsafe=False, **values)
        self.finish(page.encode("utf-8", "replace"))

    def sent(self) -> dict[str, Any]:
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise HTTPError(400, NOT_OURS)
        return found


class Missing(AtDesk):
    def prepare(self) -> None:
        super().prepare()
        raise HTTPError(404, "There is no such page.")


class Questions(AtDesk):
    def get(self) -> None:
        questions = self.desk.overview()
        not_read = {question.assignment: len(self.desk.not_read(question.assignment)) for question, *_ in questions}
        self.show("quizzes.html", questions=questions, not_read=not_read, anonymous=self.desk.anonymous)


class Answers(AtDesk):
    def get(self, assignment: str, cell: str) -> None:
        question = self.question(assignment, cell)
        together = self.get_query_argument("together", "yes") != "no"
        groups = self.desk.groups(question, together)
        pages = max(1, math.ceil(len(groups) / ON_A_PAGE))
        number = self.get_query_argument("page", "1")
        at = min(max(int(number), 1), pages) if number.isdecimal() and len(number) < 6 else 1
        rubric = self.desk.rubric(question)
        about = {
            "most": question.points,
            "rubric": [{"points": item.points, "says": item.says} for item in rubric],
            "version": version_of(rubric),
            "token": self.xsrf_token.decode(),
        }
        waiting = [group for group in groups if group.standing.waits]
        shown = groups[(at - 1) * ON_A_PAGE : at * ON_A_PAGE]
        self.show(
            "quiz.html",
            question=question,
            about=about,
            groups=[(group, list(map(_state, group.answers))) for group in shown],
            total=_count(groups),
            not_read=len(self.desk.not_read(assignment)),
            waiting=_count(waiting),
            empty=_count(group for group in waiting if not group.text),
            again=_count(group for group in waiting if group.standing.points is not None),
            anonymous=self.desk.anonymous,
            together=together,
            page=at,
            pages=pages,
        )


class Save(AtDesk):
    """Points and comments for answers of one question: all are written, or none and it says which have changed."""

    def post(self, assignment: str, cell: str) -> None:
        question, sent = self.question(assignment, cell), self.sent()
        answers = sent.get("answers")
        if not isinstance(answers, list) or not all(isinstance(one, dict) for one in answers):
            raise HTTPError(400, NOT_OURS)
        given = [_given(one, question.points) for one in answers]
        seen = {str(one["key"]): str(one.get("version")) for one in answers}
        try:
            saved = self.desk.save(question, given, seen, undone=sent.get("undone") is True)
            self.finish({"saved": [_state(answer) for answer in saved]})
        except Outdated as outdated:
            self.set_status(409)
            conflicts = self.desk.conflicts(question, outdated)
            self.finish({"conflicts": [_conflict(answer, change, seen) for answer, change in conflicts]})


class Rubric(AtDesk):
    """One change of the rubric of a question."""

    def post(self, assignment: str, cell: str) -> None:
        question, sent = self.question(assignment, cell), self.sent()
        self.desk.change_rubric(question, str(sent.get("version")), _item(sent.get("old")), _item(sent.get("new")))
        self.finish({})


def _count(groups: Iterable[Group]) -> int:
    return sum(len(group.answers) for group in groups)


def _given(sent: dict[str, Any], most: float) -> Given:
    """One answer of a request. What a browser of ours would not send is refused."""
    key, score, comment = (sent.get(name) for name in ("key", "score", "comment"))
    if not isinstance(key, str) or not isinstance(comment, str):
        raise HTTPError(400, NOT_OURS)
    if len(comment) > MAX_COMMENT:
        raise HTTPError(400, f"A comment has at most {MAX_COMMENT:,} characters; this one has {len(comment):,}.")
    is_number = isinstance(score, int | float) and not isinstance(score, bool)
    if score is not None and not (is_number and 0 <= score <= most):
        raise HTTPError(400, f"Points for this question are from 0 to {most:g}.")
    return Given(key, score, visible(comment, MAX_COMMENT).strip())


def _item(sent: object) -> Item | None:
    if sent is not None and not isinstance(sent, dict):
        raise HTTPError(400, NOT_OURS)
    return checked_item(sent.get("points"), sent.get("says")) if sent else None


def _state(answer: Answer) -> dict[str, Any]:
    """What the page's script keeps of an answer; it names nobody."""
    of = answer.standing
    return {
        "key": of.key,
        "version": answer.version,
        "score": of.score,
        "points": of.points,
        "comment": of.comment,
        "waits": of.waits,
    }


def _conflict(answer: Answer, change: Change | None, seen: Mapping[str, str]) -> dict[str, Any]:
    """The same for one that has changed since the page was shown, with what is known of the change."""
    is_other = answer.is_other_text(seen[answer.standing.key])
    known = change is not None and change.after == answer.standing.points
    about = (
        {"who": change.who, "when": when(change.at.replace(tzinfo=UTC))}
        if change and known
        else {"who": "", "when": ""}
    )
    return _state(answer) | about | {"other": is_other}
