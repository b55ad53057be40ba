"""A submission at work in a sandbox, and the judge's questions to it. What comes back is checked here."""

import base64
import pickle
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import cloudpickle
from nbformat import NotebookNode

from grading.judging.outputs import clean_outputs
from grading.sandbox import Sandbox, Student, TooMuchMemory
from grading.worker import wire
from grading.worker.isolation import Limits
from utils.checking import calling
from utils.checking.calling import Outcome, Problem
from utils.checking.plain import NotPlain, readable, to_plain

GRACE = 3.0  # seconds for a reply to arrive after the worker itself should have stopped an answer
MAX_TEXT = 5_000
MOST_SKIPPED = 10  # cells that end their process; each costs a new one


@dataclass(frozen=True)
class Times:
    """How long things may take, in seconds of the clock.

    `patience` multiplies the time that an exercise gives its answers, since grading shares its machine.
    """

    cell: float = 60.0
    submission: float = 300.0
    patience: float = 2.0


class Incident(Exception):
    """The submission did something that kept it from being asked on; the message says what."""


@dataclass
class Session:
    """Runs the cells of a notebook, and calls the answers in it. A context manager.

    It is a `utils.checking.judging.Caller` whose answers are names. After an Incident the next question goes to a
    fresh process that has run the same cells again, without those that kept it from coming so far.
    """

    sandbox: Sandbox
    notebook: NotebookNode
    cells: list[int]
    limits: Limits = Limits()
    times: Times = Times()
    notes: list[str] = field(default_factory=list)
    peak_megabytes: float = 0.0
    _student: Student | None = None

    def __enter__(self) -> "Session":
        self._started = time.monotonic()
        self._skipped: set[int] = set()
        self._over = ""
        return self

    def __exit__(self, *error) -> None:
        self._end()

    def run_cells(self) -> None:
        """Run the cells in a fresh process and put their outputs into the notebook. Raises nothing of theirs."""
        try:
            while not self._try_to_run_cells():
                if len(self._skipped) > MOST_SKIPPED:
                    self._stop(f"had more than {MOST_SKIPPED} cells that broke off")
        except Over as over:
            self._end()
            self.notes.append(f"The submission {over}. Nothing more of it was run.")

    def signature_problem(self, answer: str, parameters: list[str], count: int) -> Outcome | None:
        request = {"do": "inspect", "name": answer, "parameters": parameters, "count": count}
        outcome = _outcome(self._ask(request, self.times.patience + GRACE), 0.0, count)
        if outcome.problem is Problem.NOT_ATTEMPTED and (error := self._error_in(answer)):
            return Outcome(problem=Problem.RAISED, detail=f"Its cell stopped with {error}")
        return outcome if outcome.problem else None

    def call(self, answer: str, args: tuple, *, ask: Callable, seconds: float, seed: int) -> Outcome:
        allowed = seconds * self.times.patience
        request = {"do": "call", "name": answer, "args": args, "ask": _by_value(ask), "seconds": allowed, "seed": seed}
        started = time.monotonic()
        reply = self._ask(request, allowed + GRACE)
        outcome = _outcome(reply, (time.monotonic() - started) / self.times.patience, len(args))
        if outcome.problem is Problem.RAN_TOO_LONG:  # it may run on beside the answers that are asked next
            self._end()
            outcome = replace(outcome, detail="")
        return outcome

    def measure(self, measure: Callable, value: Any, args: tuple, *, seconds: float, seed: int) -> Outcome:
        """Have the judge's own `measure` look at a value, in a clean process: it may follow what the value says."""
        request = {"do": "measure", "args": (value, *args), "measure": _by_value(measure), "seed": seed}
        allowed = seconds * self.times.patience
        helper = self.sandbox.student(self.limits)
        try:
            reply = helper.ask(request | {"seconds": allowed}, allowed + GRACE)
        except (wire.TooSlow, wire.BadMessage, TooMuchMemory):
            raise Incident("sent a value that could not be measured") from None
        finally:
            helper.end()
        return _outcome(reply, 0.0, len(args))

    def _error_in(self, answer: str) -> str:
        """The error that the answer's cell ended with; empty if there is none."""
        for cell in self.notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == answer and cell.cell_type == "code":
                errors = [output for output in cell.outputs if output.output_type == "error"]
                return f"{errors[0].ename}: {errors[0].evalue}"[:300] if errors else ""
        return ""

    def _try_to_run_cells(self) -> bool:
        """Whether all cells ran that are not skipped. One that breaks off is skipped from then on."""
        self._end()
        self._student = self.sandbox.student(self.limits)
        for index in self.cells:
            if index in self._skipped:
                continue
            cell = self.notebook.cells[index]
            try:
                reply = self._ask({"do": "run", "source": cell.source}, self.times.cell)
            except Over:
                raise
            except Incident as incident:
                self._skipped.add(index)
                self.notes.append(f"Cell {index + 1} was left out: it {incident}.")
                cell.outputs = [_error(f"This cell {incident}.")]
                return False
            cell.outputs = clean_outputs(reply)
        return True

    def _ask(self, request: dict[str, Any], seconds: float) -> Any:
        left = self._started + self.times.submission - time.monotonic()
        if left <= 0:
            self._stop(f"used up the {self.times.submission:.0f} s that a submission has")
        if self._student is None and not self._over:
            self.run_cells()
        if self._over:
            raise Over(self._over)
        try:
            return self._student.ask(request, min(seconds, left))
        except wire.TooSlow:
            what = f"was still running after {min(seconds, left):.0f} s, and was ended"
        except TooMuchMemory:
            what = f"used more than the {self.limits.memory_megabytes:,} MB that a submission has"
        except wire.Gone:
            what = "ended its own process"
        except wire.BadMessage as error:
            what = f"sent what is no reply: {error}"
        self._end()
        raise Incident(what)

    def _stop(self, why: str) -> None:
        self._over = why
        raise Over(why)

    def _end(self) -> None:
        if self._student is not None:
            ended = self._student.end()
            self.peak_megabytes = max(self.peak_megabytes, ended.peak_megabytes)
            self._student = None


class Over(Incident):
    """Nothing more is asked of this submission."""


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
def _by_value(ask: Callable) -> str:
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
