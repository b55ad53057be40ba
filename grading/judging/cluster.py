"""Judges on a Dask cluster, which somebody has started on as many machines as they like."""

import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Self

from distributed import Client, as_completed

from grading.judging.content import grade_content
from grading.judging.job import Job, Judged
from grading.judging.judges import File, NoResult
from grading.problems import GradingError

CONNECT_SECONDS = 20  # until a Dask scheduler must have answered
AHEAD = 4  # submissions that wait at each worker, so that it is never idle and memory stays flat


class ClusterJudges:
    """The workers of the scheduler at this address. Raises GradingError if none answers there."""

    def __init__(self, scheduler: str):
        _silence()
        try:
            self._client = Client(scheduler, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise GradingError(f"No Dask scheduler answers at {scheduler}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def begin(self, job: Job, submissions: int) -> int:
        """See `grading.judging.judges.Judges`."""
        self._job = job
        return 0

    def judge(self, files: Iterable[File]) -> Iterator[tuple[str, Judged | NoResult]]:
        """See `grading.judging.judges.Judges`. The job travels with each file: nothing is lost with a worker."""
        left, students, running = iter(files), {}, as_completed()

        def submit() -> None:
            """As many as there is room for at the workers of this moment: some come later, and some are lost."""
            workers = len(self._client.ncores())  # pyright: ignore[reportArgumentType]  (this client waits)
            for file in islice(left, max(0, AHEAD * max(1, workers) - len(students))):
                future = self._client.submit(grade_content, self._job, file.student, file.content, file.key, pure=False)
                students[future.key] = file.student
                running.add(future)

        submit()
        for future in running:
            student = students.pop(future.key)
            try:
                yield student, future.result()
            except Exception as error:  # workers that died, or a fault of ours
                yield student, NoResult(f"{type(error).__name__}: {error}")
            future.release()
            submit()


def _silence() -> None:
    """What Dask logs of workers and connections is for who runs the cluster; what it means for a file, we say."""
    for name in ("distributed", "tornado", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("distributed."):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
