"""Judges in processes of this machine: one submission at a time each, and what one dies of is known by name."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import Self

from grading.judging.job import Job, Judged
from grading.judging.judges import File, NoResult
from grading.problems import GradingError
from utils.paths import COURSE

FEW = 3  # submissions a process: fewer are done sooner than all is warm
END_SECONDS = 10  # for a process to end its sandbox and itself


class LocalJudges:
    """Processes that end with this one. One that dies is replaced, and its file has no result.

    The first starts at once: it imports for seconds, while its caller finds out what there is to judge.

    Args:
        most: of the processes; None for one a core.

    Raises GradingError, from `judge`, if a process cannot start: what it wrote says why.
    """

    def __init__(self, most: int | None = None):
        self._most = most or len(os.sched_getaffinity(0))
        self._processes = [_Process()]

    def __enter__(self) -> Self:
        return self

    def begin(self, job: Job, submissions: int) -> int:
        """See `grading.judging.judges.Judges`."""
        self._count = min(self._most, submissions)
        self._job = replace(job, few=submissions <= FEW * self._count)
        self._processes += [_Process() for _ in range(self._count - len(self._processes))]
        for process in self._processes[: self._count]:
            process.tell(self._job)
        return self._count

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.hang_up()
        for process in self._processes:
            process.end()

    def judge(self, files: Iterable[File]) -> Iterator[tuple[str, Judged | NoResult]]:
        """See `grading.judging.judges.Judges`."""
        left = iter(files)
        judges = self._processes[: self._count]
        busy = {process.connection: process for process in judges if process.take(next(left, None))}
        while busy:
            for connection in wait(list(busy)):
                process = busy.pop(connection)  # pyright: ignore[reportArgumentType]  (we wait for connections alone)
                student, outcome = process.outcome()
                if process.ended:
                    process = self._replace(process)
                if process.take(next(left, None)):
                    busy[process.connection] = process
                yield student, outcome

    def _replace(self, dead: "_Process") -> "_Process":
        new = _Process()
        new.tell(self._job)
        self._processes[self._processes.index(dead)] = new
        return new


class _Process:
    """One judge and the connection to it. Its program is `grading.judging.process`."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.connection, self.ended = Connection(ours.detach()), False
        self._file: File | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "grading.judging.process", str(theirs.fileno())],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(COURSE), os.getenv("PYTHONPATH")]))},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                process_group=0,  # Ctrl-C is for the main process, which ends this one in good order
            )

    def tell(self, job: Job) -> None:
        """What it is to judge by."""
        self._send(job)

    def take(self, file: File | None) -> bool:
        """Begin with a file; False if there is none to begin with."""
        self._file = file
        if file is not None:
            self._send(file)
        return file is not None

    def outcome(self) -> tuple[str, Judged | NoResult]:
        """Of the file that it took, once the connection has something. Raises GradingError if it could not start."""
        assert self._file is not None  # it is asked only when it has taken one
        try:
            outcome = self.connection.recv()
        except (EOFError, OSError):
            outcome = NoResult(f"its judge {self._how_it_ended()}")
        if isinstance(outcome, GradingError):
            raise outcome
        return self._file.student, outcome

    def hang_up(self) -> None:
        """Have it end, whatever it is at."""
        self.connection.close()

    def end(self) -> None:
        """Wait until it has ended, and end it if it does not."""
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _send(self, what: Job | File) -> None:
        with contextlib.suppress(OSError):  # it has died, which shows when its outcome is asked for
            self.connection.send(what)

    def _how_it_ended(self) -> str:
        self.ended = True
        self.hang_up()
        code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read()[-2_000:].decode(errors="replace").strip().splitlines()
        self._errors.close()
        if code == -signal.SIGKILL:
            return "was killed, as a system does that is short of memory"
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return f"{how}: {said[-1]}" if said else how
