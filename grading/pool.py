"""Where submissions are judged: in this process, in several of this machine's, or on a Dask cluster.

All three are executors of Python's concurrent.futures. What the pools add: how many submissions they hold at a time,
and a new executor where a process has died and taken the others' work with it.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from grading.problems import GradingError
from grading.sandbox.usage import below
from utils.paths import COURSE

CONNECT_SECONDS = 20  # until a Dask scheduler must have answered
AHEAD = 2  # submissions at each worker, so that none is idle and memory stays flat

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""A worker judges one submission at a time, and there is a worker for each core."""


class Pool:
    """An executor, made by `make`, that can be replaced.

    Attributes:
        slots: how many submissions it should have at a time.
        lost: what a future raises where the process that worked on it has died.
    """

    def __init__(self, make: Callable[[], Executor], slots: int, lost: tuple[type[Exception], ...] = (BrokenExecutor,)):
        self.slots, self.lost = slots, lost
        self._make = make
        self._executor = make()

    def submit(self, function: Callable, *args: Any) -> Future:
        """Call the function with these arguments elsewhere; as `concurrent.futures.Executor.submit`."""
        try:
            return self._executor.submit(function, *args)
        except self.lost:
            self._executor.shutdown(wait=False)
            self._executor = self._make()
            return self._executor.submit(function, *args)

    def shutdown(self, wait: bool) -> None:
        self._executor.shutdown(wait=wait, cancel_futures=True)


@contextmanager
def pool(scheduler: str | None, workers: int | None, submissions: int) -> Iterator[Pool]:
    """A pool for so many submissions. What it started is ended with it, at once where the block is left by an error.

    Args:
        scheduler: address of a Dask scheduler; None for this machine.
        workers: processes to start here; None for one a core.
        submissions: how many there are to judge. For a single one no process is started.

    Raises GradingError if no scheduler answers.
    """
    if scheduler:
        with _dask(scheduler) as found:
            yield found
    elif submissions == 1:
        yield Pool(_Here, slots=1)
    else:
        with _processes(min(workers or len(os.sched_getaffinity(0)), submissions)) as found:
            yield found


class _Here(Executor):
    """Calls at once, in this thread: Ctrl-C reaches what it calls."""

    def submit(self, function: Callable, /, *args: Any, **keywords: Any) -> Future:
        future = Future()
        try:
            future.set_result(function(*args, **keywords))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def _processes(workers: int) -> Iterator[Pool]:
    """Processes that are forked from one that has imported what they need, and nothing else."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["grading.judging.job"])
    path = os.pathsep.join(filter(None, (str(COURSE), os.environ.get("PYTHONPATH"))))
    before = {process.pid for process in below(os.getpid())}

    def make() -> Executor:
        executor = ProcessPoolExecutor(workers, context, initializer=_end_with_the_parent)
        with _environment(ONE_THREAD | {"PYTHONPATH": path}):
            executor.submit(int)  # starts the process that is forked from, which inherits the environment
        return executor

    made = Pool(make, AHEAD * workers)
    try:
        yield made
    except BaseException:
        made.shutdown(wait=False)
        for process in below(os.getpid()):
            if process.pid not in before:
                process.kill()
        raise
    made.shutdown(wait=True)


def _end_with_the_parent() -> None:
    """Ctrl-C reaches every process of a terminal: the parent is to end this one, in good order. A killed one cannot."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for_the_parents_end, daemon=True).start()


def _wait_for_the_parents_end() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "this runs in a worker"
    parent.join()
    os._exit(1)


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _dask(scheduler: str) -> Iterator[Pool]:
    """A cluster that somebody else has started, and goes on when we are done."""
    import logging

    from distributed import Client, KilledWorker
    from distributed.client import FutureCancelledError

    for name in ("distributed", "distributed.client", "distributed.core"):  # what it says, we say
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise GradingError(f"No Dask scheduler answers at {scheduler}: {error}") from error
    with client:
        cores = max(1, sum(client.ncores().values()))  # pyright: ignore[reportAttributeAccessIssue]
        yield Pool(
            lambda: client.get_executor(pure=False, retries=2), AHEAD * cores, (KilledWorker, FutureCancelledError)
        )
