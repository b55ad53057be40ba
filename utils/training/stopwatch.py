"""The one clock of the course for training time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Stopwatch:
    """How long a training has taken so far. It runs from the start and stands still while it is `paused`.

    The clock counts the processor's seconds. With one thread on an idle core they are the seconds on the wall,
    and other programs on the same machine disturb them little. If PyTorch works with one thread, only those of the
    calling thread count, so that of two trainings side by side (`in_parallel`) each has its own.
    """

    def __init__(self):
        self._clock = time.thread_time if torch.get_num_threads() == 1 else time.process_time
        self._start = self._clock()

    @property
    def seconds(self) -> float:
        """Since the start, pauses not counted."""
        return self._clock() - self._start

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What runs inside, such as a validation, does not count."""
        stopped = self._clock()
        try:
            yield
        finally:
            self._start += self._clock() - stopped
