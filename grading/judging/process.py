"""A judge's process: `python -m grading.judging.process DESCRIPTOR`. It starts the warm process first, then imports.

On its connection come a `Job`, and then files; it answers each with what it came to. When the connection closes, it
ends at once, with its sandbox, whatever it is at.
"""

import os
import queue
import sys
import threading
from multiprocessing.connection import Connection

from grading.judging.judges import File, NoResult
from grading.judging.kept import close_sandbox, warm_sandbox
from grading.problems import GradingError


def main(descriptor: int) -> None:
    """Judge until the connection closes."""
    connection = Connection(descriptor)
    job = connection.recv()
    if not job.cold:
        warm_sandbox(job).start()  # a second process that imports for seconds, while this one does
    files: queue.SimpleQueue[File] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(connection, files), daemon=True).start()
    from grading.judging.content import grade_content, prepare

    try:
        prepare(job)
    except GradingError as error:  # nothing can be judged here: said in the place of the first result
        connection.send(GradingError(str(error)))
        return
    while True:
        file = files.get()
        try:
            outcome = grade_content(job, file.student, file.content, file.key)
        except Exception as error:  # a fault of ours: said, and tried once more
            outcome = NoResult(f"{type(error).__name__}: {error}")
        connection.send(outcome)


def _read(connection: Connection, files: queue.SimpleQueue) -> None:
    while True:
        try:
            files.put(connection.recv())
        except (EOFError, OSError):
            close_sandbox()
            os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
