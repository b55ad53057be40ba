"""A thread in which an answer is called, case after case, as if each call had a thread of its own.

A new thread for each call takes five times as long as most answers do. So one is kept for as long as nothing that a
call leaves in a thread can be seen by the next.
"""

import contextlib
import contextvars
import queue
import sys
import threading
from collections.abc import Callable

from utils.checking.state import is_as_new


class Lane:
    """Use it in a `with`: at its end the thread ends, as soon as what it runs does.

    Attributes:
        thread: the one that runs what was started last.
    """

    def __init__(self) -> None:
        self.thread: threading.Thread | None = None
        self._works: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._latest: _Work | None = None

    def __enter__(self) -> "Lane":
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()

    def start(self, function: Callable[[], None]) -> threading.Event:
        """Run the function in the thread. The event is set when it has ended, whatever it raised."""
        if self._latest is None or not self._latest.left_nothing:
            self.leave()
            self.thread = threading.Thread(target=_serve, args=(self._works,), daemon=True)
            self.thread.start()
        self._latest = _Work(function)
        self._works.put(self._latest)
        return self._latest.ended

    def leave(self) -> None:
        """Let the thread end after what it runs; the next start takes a new one."""
        self._works.put(None)
        self._works, self._latest = queue.SimpleQueue(), None


class _Work:
    def __init__(self, function: Callable[[], None]):
        self.function, self.ended, self.left_nothing = function, threading.Event(), False


def _serve(works: queue.SimpleQueue) -> None:
    with contextlib.suppress(BaseException):  # whoever is told to stop may be told once more, anywhere in here
        while (work := works.get()) is not None:
            try:
                contextvars.Context().run(work.function)
                work.left_nothing = is_as_new() and sys.gettrace() is None and sys.getprofile() is None
            finally:
                work.ended.set()
