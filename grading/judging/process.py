"""A judge's process: `python -m grading.judging.process DESCRIPTOR`. It imports while its first message is on its way.

On its connection come a `Job` and then files, and so on; it answers each file with what it came to. When the
connection closes, it ends at once, with its sandbox, whatever it is at.
"""

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection

from grading.judging.job import Job, Judged
from grading.judging.judges import File, NoResult
from grading.judging.kept import close_sandbox, warm_sandbox
from grading.problems import GradingError
from grading.worker.imports import no_collections


def main(descriptor: int) -> None:
    """Judge until the connection closes."""
    connection = Connection(descriptor)
    messages: queue.SimpleQueue[Job | File] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(connection, messages), daemon=True).start()
    with no_collections():
        from grading.judging.content import grade_content, prepare

    job: Job | None = None
    while True:
        message = messages.get()
        if isinstance(message, File):
            assert job is not None  # it comes first
            connection.send(_outcome(grade_content, job, message))
            continue
        job = message
        try:
            prepare(job)
        except GradingError as error:  # nothing can be judged here: said in the place of the first result
            connection.send(GradingError(str(error)))
            return


def _outcome(grade_content: Callable[..., Judged], job: Job, file: File) -> Judged | NoResult:
    try:
        return grade_content(job, file.student, file.content, file.key)
    except Exception as error:  # a fault of ours: said, and tried once more
        return NoResult(f"{type(error).__name__}: {error}")


def _read(connection: Connection, messages: queue.SimpleQueue) -> None:
    """Hand on what comes. The first sandbox imports for seconds too: it starts as soon as its job is here."""
    try:
        job: Job = connection.recv()
        if not job.cold:
            with contextlib.suppress(GradingError):  # `prepare` meets it again, and says so
                warm_sandbox(job).start()
        messages.put(job)
        while True:
            messages.put(connection.recv())
    except (EOFError, OSError):
        close_sandbox()
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
