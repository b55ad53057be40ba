"""A submission at work in a sandbox, and the judge's questions to it. What comes back is checked here."""

import base64
import pickle
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import cloudpickle
from nbformat import NotebookNode

from grading.judging.job import Times
from grading.sandbox import Sandbox, StudentProcess, TooMuchMemory, TooMuchTime
from grading.untrusted.outputs import clean_outputs
from grading.worker import wire
from grading.worker.isolation import Limits
from utils.cells import grade_id
from utils.checking import calling
from utils.checking.calling import WALL_FACTOR, Outcome, Problem
from utils.checking.plain import NotPlain, readable, to_plain

GRACE = 3.0  # seconds for a reply to arrive after the worker itself should have stopped an answer
ATTEMPTS = 2  # the worker asks again where the time went into importing modules, see `utils.checking.calling.call`
STUCK = "It could not be stopped"  # what follows is advice for a notebook
INSPECT_SECONDS = 2.0  # to look at a signature, which may be an object of the student's
MAX_TEXT = 5_000
MOST_SKIPPED = 10  # cells that end their process; each costs a new one


class Incident(Exception):
    """The submission did something that kept it from being asked on; the message says what."""


class Session:
    """Runs the cells of a notebook, and calls the answers in it. A context manager.

    It is a `utils.checking.judging.Caller` whose answers are names. After an Incident the next question goes to a
    fresh process that has run the same cells again, without those that kept it from coming so far.

    Attributes:
        notes: what is to be noted of the cells.
        peak_megabytes: the most that one of its processes has used.
    """

    def __init__(self, sandbox: Sandbox, notebook: NotebookNode, cells: list[int], limits: Limits, times: Times):
        self.notes: list[str] = []
        self.peak_megabytes = 0.0
        self._sandbox, self._notebook, self._cells = sandbox, notebook, cells
        self._limits, self._times = limits, times
        self._started = time.monotonic()
        self._spent = 0.0  # processor time of the processes that have ended
        self._skipped: set[int] = set()
        self._process: StudentProcess | None = None

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *error) -> None:
        self._end()

    @property
    def seconds(self) -> float:
        """Processor time that the submission has used so far."""
        return self._spent + (self._process.seconds() if self._process else 0.0)

    def run_cells(self) -> None:
        """Run the cells in a fresh process and put their outputs into the notebook. Raises nothing of theirs."""
        try:
            self._prepare()
        except Incident as incident:
            self.notes.append(f"The submission {incident}. Nothing more of it was run.")

    def signature_problem(self, answer: str, parameters: list[str], count: int) -> Outcome | None:
        request = {"do": "inspect", "name": answer, "parameters": parameters, "count": count}
        reply, seconds = self._ask(request, INSPECT_SECONDS + GRACE)
        outcome = _outcome(reply, seconds, count)
        if outcome.problem is Problem.NOT_ATTEMPTED and (error := self._error_in(answer)):
            return Outcome(problem=Problem.RAISED, detail=f"Its cell stopped with {error}")
        return outcome if outcome.problem else None

    def call(self, answer: str, args: tuple, *, ask: Callable, seconds: float, seed: int) -> Outcome:
        request = {"do": "call", "name": answer, "args": args, "ask": by_value(ask), "seconds": seconds, "seed": seed}
        outcome = _outcome(*self._ask(request, ATTEMPTS * seconds + GRACE), len(args))
        if outcome.problem is Problem.RAN_TOO_LONG:  # it may run on beside the answers that are asked next
            self._end()
            outcome = replace(outcome, detail=outcome.detail.partition(STUCK)[0].strip())
        return outcome

    def measure(self, function: Callable, value: Any, args: tuple, *, seconds: float, seed: int) -> Outcome:
        """Have the judge's own function look at a value, in a clean process: it may follow what the value says."""
        request = {"do": "measure", "args": (value, *args), "measure": by_value(function), "seed": seed}
        helper = self._sandbox.start_process(self._limits)
        try:
            reply = helper.ask(request | {"seconds": seconds}, ATTEMPTS * seconds + GRACE)
        except (wire.TooSlow, wire.BadMessage, TooMuchMemory, TooMuchTime):
            raise Incident("sent a value that could not be measured") from None
        finally:
            helper.end()
        return _outcome(reply, 0.0, len(args))

    def _error_in(self, answer: str) -> str:
        """The error that the answer's cell ended with; empty if there is none."""
        for cell in self._notebook.cells:
            if grade_id(cell) == answer and cell.cell_type == "code":
                errors = [output for output in cell.outputs if output.output_type == "error"]
                return f"{errors[0].ename}: {errors[0].evalue}"[:300] if errors else ""
        return ""

    def _ask(self, request: dict[str, Any], seconds: float) -> tuple[Any, float]:
        """The reply of a process that has run the cells, and the processor time that it took. Raises Incident."""
        process = self._prepare()
        before = process.seconds()
        try:
            reply = self._exchange(process, request, seconds)
        except Incident:
            self._end()
            raise
        return reply, process.seconds() - before

    def _prepare(self) -> StudentProcess:
        """The process in the state after the cells, a fresh one where there is none.

        Raises Incident once nothing more of this submission is run.
        """
        while not (over := self._over()):
            if self._process is not None:
                return self._process
            self._run_cells_in(self._sandbox.start_process(self._limits))
        raise Incident(over)

    def _over(self) -> str:
        """Why nothing more of this submission is run; empty while it may go on."""
        if len(self._skipped) > MOST_SKIPPED:
            return f"had more than {MOST_SKIPPED} cells that broke off"
        if self._left() <= 0:
            return f"used up the {self._times.submission:.0f} s that a submission has"
        return ""

    def _run_cells_in(self, process: StudentProcess) -> None:
        """Make this the session's process, unless a cell breaks off: that one is skipped from then on."""
        self._process = process
        for index in self._cells:
            if index in self._skipped:
                continue
            if self._over():
                return
            cell = self._notebook.cells[index]
            try:
                reply = self._exchange(process, {"do": "run", "source": cell.source}, self._times.cell)
            except Incident as incident:
                self._end()
                self._skipped.add(index)
                self.notes.append(f"Cell {index + 1} was left out: it {incident}.")
                cell.outputs = [_error(f"This cell {incident}.")]
                return
            cell.outputs = clean_outputs(reply)

    def _exchange(self, process: StudentProcess, request: dict[str, Any], seconds: float) -> Any:
        """The reply to a request within this processor time. Raises Incident, after which the process is of no use."""
        seconds = min(seconds, self._left())
        try:
            return process.ask(request, seconds)
        except TooMuchTime:
            raise Incident(f"was still running after {seconds:.0f} s of processor time, and was ended") from None
        except wire.TooSlow:
            raise Incident(f"was still running after {seconds * WALL_FACTOR:.0f} s, and was ended") from None
        except TooMuchMemory:
            what = f"used more than the {self._limits.memory_megabytes:,} MB that a submission has"
            raise Incident(what) from None
        except wire.Gone:
            raise Incident("ended its own process") from None
        except wire.BadMessage as error:
            raise Incident(f"sent what is no reply: {error}") from None

    def _left(self) -> float:
        """Processor time that the submission still has; what it slept counts too, by the clock's own measure."""
        slept = (time.monotonic() - self._started) / WALL_FACTOR
        return self._times.submission - max(self.seconds, slept)

    def _end(self) -> None:
        if self._process is not None:
            ended = self._process.end()
            self._spent += ended.seconds
            self.peak_megabytes = max(self.peak_megabytes, ended.peak_megabytes)
            self._process = None


def _outcome(reply: Any, seconds: float, arguments: int) -> Outcome:
    """The outcome that a reply claims. Raises Incident if it is none."""
    if not isinstance(reply, dict):
        raise Incident("sent what is no reply")
    detail, printed = (readable(str(reply.get(key, "")))[:MAX_TEXT] for key in ("detail", "printed"))
    try:
        problem = None if reply.get("problem") is None else Problem(reply["problem"])
        value = to_plain(reply.get("value"))
    except (ValueError, NotPlain):
        raise Incident("sent what is no reply") from None
    if problem is Problem.CHANGED_ARGUMENTS and detail not in map(str, range(arguments)):
        raise Incident("sent what is no reply")
    return Outcome(value=None if problem else value, problem=problem, detail=detail, printed=printed, seconds=seconds)


@lru_cache
def by_value(ask: Callable) -> str:
    """The way of asking with the helpers that it uses, and nothing else of its module: no reference, no mistake."""
    if ask is calling.direct:
        return base64.b64encode(pickle.dumps(ask)).decode()
    module = sys.modules[ask.__module__]
    cloudpickle.register_pickle_by_value(module)
    try:
        return base64.b64encode(cloudpickle.dumps(ask)).decode()
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _error(text: str) -> NotebookNode:
    return NotebookNode(output_type="error", ename="Stopped", evalue=text, traceback=[text])
