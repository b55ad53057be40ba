"""One at a time in a class's folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from grading.classroom import Classroom
from grading.problems import Busy


@contextmanager
def class_lock(classroom: Classroom) -> Iterator[None]:
    """Grades are written by one process. The lock goes with the process, however that ends.

    Raises Busy if another has it.
    """
    lock = classroom.root / ".grading.lock"
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(f"Another run is grading in {classroom.root}. Wait for it, or end it.") from None
        yield
