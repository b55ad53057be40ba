"""Who may use the page for quizzes: whoever has the address with the token, from a browser on this machine.

As in Jupyter, the token of the address becomes a cookie. Other pages in the same browser get nowhere: a name of theirs
that leads here (DNS rebinding) is refused by the Host header, and what they send (CSRF) by origin, cookie and token.
A browser sends cookies to all ports of a machine, so also to another person's server. Those of this one are for a path
that nobody can guess.
"""

import hmac
from typing import Any
from urllib.parse import urlsplit

from tornado.web import HTTPError, RequestHandler, stream_request_body

from grading.problems import GradingError

HERE = ("127.0.0.1", "localhost")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",  # the rest of the policy stands in the page
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@stream_request_body
class Guarded(RequestHandler):
    """Answers those alone who are signed in, and reads `body` of nobody else.

    The application's settings hold `token`, `session`, `cookie` with `base`, its path, and the `strangers`.
    """

    def data_received(self, chunk: bytes) -> None:
        """A part of the body, which comes after `prepare` has let the request in."""
        self.body += chunk

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")

    def prepare(self) -> None:
        self.body = bytearray()
        if _name(self.request.host) not in HERE:
            raise HTTPError(403, "This server answers to 127.0.0.1 and localhost only.")
        if self.request.method != "GET" and self.request.headers.get("Origin") != f"http://{self.request.host}":
            raise HTTPError(403, "This request comes from another page.")
        if not self._is_signed_in():
            raise HTTPError(403, "Open the address with the token that the command `quizzes` has printed.")
        connection: Any = self.request.connection  # HTTP/1's, which has a stream
        self.settings["strangers"].went(connection.stream)

    def _is_signed_in(self) -> bool:
        token, session = self.settings["token"], self.settings["session"]
        if self.request.method == "GET" and _equal(self.get_query_argument("token", ""), token):
            self.set_cookie(
                self.settings["cookie"], session, path=self.settings["base"], httponly=True, samesite="Strict"
            )
            return True
        return _equal(self.get_cookie(self.settings["cookie"], "") or "", session)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        is_ours = isinstance(_error(kwargs), GradingError)
        super().send_error(409 if is_ours else status_code, **kwargs)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, GradingError):  # that one is on the page, in a sentence
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """A sentence: as JSON for a page that has sent something, as text for a person who opens an address."""
        error = _error(kwargs)
        said = str(error) if isinstance(error, GradingError) else getattr(error, "log_message", None)
        said = said or f"The server could not do this ({status_code} {self._reason})."
        if self.request.method == "GET":
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(f"{said}\n")
        else:
            self.finish({"problem": said})


def _error(given: dict[str, Any]) -> BaseException | None:
    return given["exc_info"][1] if "exc_info" in given else None


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _equal(given: str, secret: str) -> bool:
    """In constant time, so that nobody finds a secret letter by letter."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), secret.encode())
