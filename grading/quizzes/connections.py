"""A server on which strangers keep nobody out: each account of the machine can open connections to it."""

from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream

MOST_STRANGERS = 200  # more than arrive between two turns of the server, so that who asks at once is heard


class Strangers:
    """The connections on which nobody has signed in, the oldest first. Where there are too many, that one is closed."""

    def __init__(self, most: int = MOST_STRANGERS):
        self._streams: dict[IOStream, None] = {}
        self._most = most

    def came(self, stream: IOStream) -> None:
        self._streams[stream] = None
        while len(self._streams) > self._most:
            oldest = next(iter(self._streams))
            self.went(oldest)
            oldest.close()

    def went(self, stream: IOStream) -> None:
        """It is closed, or it is no stranger's."""
        self._streams.pop(stream, None)


class Server(HTTPServer):
    """An HTTPServer that tells `strangers` who comes and goes."""

    strangers: Strangers

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        self.strangers.came(stream)
        super().handle_stream(stream, address)

    def on_close(self, server_conn: Any) -> None:
        self.strangers.went(server_conn.stream)
        super().on_close(server_conn)
