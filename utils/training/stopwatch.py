"""The one clock of the course for training time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """How long a training has taken so far. It runs from the start and stands still while it is `paused`.

    The clock counts the processor's seconds. With one thread on an idle core they are the seconds on the wall,
    and other programs on the same machine disturb them little.
    """

    def __init__(self):
        self._start = time.process_time()

    @property
    def seconds(self) -> float:
        """Since the start, pauses not counted."""
        return time.process_time() - self._start

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What runs inside, such as a validation, does not count."""
        stopped = time.process_time()
        try:
            yield
        finally:
            self._start += time.process_time() - stopped
