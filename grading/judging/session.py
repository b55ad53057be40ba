"""A submission at work in a sandbox, and the judge's questions to it. What comes back is checked here."""

import base64
import pickle
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import cloudpickle
from nbformat import NotebookNode

from grading.judging.asking import Asking, Used
from grading.judging.budget import Budget
from grading.judging.job import Times
from grading.judging.outputs import Outputs
from grading.judging.replies import Incident, error_in, outcome_of, outcomes_of
from grading.sandbox import MachineAtFault, Sandbox, StudentProcess
from grading.untrusted.outputs import clean_outputs
from grading.worker import wire
from grading.worker.isolation import Limits
from utils.checking import calling
from utils.checking.calling import LAST, LEAST_SECONDS, OURS, Outcome, Problem
from utils.checking.outcome import Case
from utils.checking.plain import size

GRACE = 3.0  # seconds for a reply to arrive after the worker itself should have stopped an answer
ATTEMPTS = 2  # the worker asks again where the time went into importing modules, see `utils.checking.calling.call`
STUCK = "It could not be stopped"  # what follows is advice for a notebook
INSPECT_SECONDS = 2.0  # to look at a signature, which may be an object of the student's
MOST_SENT = 1_000_000  # that cases of one message hold, see `utils.checking.plain.size`
MOST_SKIPPED = 10  # cells that end their process; each costs a new one
IMPORTS = -1  # stands, among positions of cells, for the released import cell, which is no cell of the student's


class Session:
    """Runs the cells of a notebook, and calls the answers in it. A context manager.

    It is a `utils.checking.judging.Caller` whose answers are names. After an Incident the next question goes to a
    fresh process that has run the same cells again, without those that kept it from coming so far. Once the machine was
    at fault, nothing more is run.

    Args:
        sandbox: where processes come from.
        notebook: whose cells are run.
        cells: their positions, in order.
        limits: of each process.
        times: of a cell; of all, where there is no budget.
        budget: the time of the submission, where several sessions share it.
        imports: code that each process runs before all cells; nothing is kept of what it shows.
        outputs: keeps what the cells show. Without it, nothing does.

    Attributes:
        notes: what is to be noted of the cells.
        failures: {position of a cell: how it ended}, of those that did not come to their end, as "stopped with …".
        asked_seconds: processor time that its processes have used while they were asked.
        peak_megabytes: the most that one of its processes has used.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        notebook: NotebookNode,
        cells: Sequence[int],
        limits: Limits,
        times: Times,
        *,
        budget: Budget | None = None,
        imports: str = "",
        outputs: Outputs | None = None,
    ):
        self.notes: list[str] = []
        self.failures: dict[int, str] = {}
        self.asked_seconds = 0.0
        self.peak_megabytes = 0.0
        self._notebook, self._cells, self._imports = notebook, cells, imports
        self._times, self._outputs = times, outputs
        self._budget = budget or Budget(times.submission)
        self._asking = Asking(sandbox, limits, self._budget)
        self._skipped: set[int] = set()
        self._process: StudentProcess | None = None
        self._ahead: deque[int] = deque()  # cells that this process has not run yet
        self._until = max(cells, default=0)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *error) -> None:
        self._end()

    def source(self, at: int) -> str:
        """The code of the cell at this position."""
        return self._notebook.cells[at].source

    def run_cells(self) -> None:
        """Run all cells. Raises Incident once the submission has used up what it has, and nothing else of theirs."""
        self.ask_after(max(self._cells, default=0))
        self._prepare()

    def ask_after(self, at: int) -> None:
        """What is asked from now on is asked where the cells up to this position have been run, and none after it."""
        self._until = at

    def signature_problem(self, answer: str, parameters: list[str], count: int) -> Outcome | None:
        request = {"do": "inspect", "name": answer, "parameters": parameters, "count": count}
        reply, used = self._ask(request, INSPECT_SECONDS + GRACE)
        outcome = outcome_of(reply, used.processor, count)
        return outcome if outcome.problem else None

    def call_each(
        self, answer: str, cases: Sequence[Case], *, ask: Callable, seconds: float
    ) -> Generator[Outcome, None, None]:
        left, first_alone = seconds, True
        for together in chunks(cases):
            frame = call_frame(answer, together, ask, max(left, LEAST_SECONDS), first_alone)
            waiting = list(together)
            try:
                while waiting:
                    allowed = max(left, LEAST_SECONDS)
                    reply, used = self._ask(frame, ATTEMPTS * allowed + GRACE)
                    outcomes = outcomes_of(reply, used.processor, [len(case.args) for case in waiting])
                    frame, left, first_alone = b"", left if first_alone else left - used.processor, False
                    is_last = outcomes[-1].problem in LAST
                    del waiting[: len(waiting) if is_last else len(outcomes)]
                    if outcomes[-1].problem is Problem.RAN_TOO_LONG:
                        outcomes[-1] = self._ran_too_long(outcomes[-1], used, allowed)
                    yield from outcomes
                    if is_last:
                        return
            finally:
                if waiting:  # it is at work on cases that nobody asks about any more
                    self._end()

    def _ran_too_long(self, outcome: Outcome, used: Used, seconds: float) -> Outcome:
        """The same outcome, once the process is ended: its answer may run on beside those that are asked next."""
        self._end()
        self._asking.see_that_it_had_a_processor(used, seconds)
        return replace(outcome, detail=outcome.detail.partition(STUCK)[0].strip())

    def measure(self, function: Callable, value: Any, args: tuple, *, seconds: float, seed: int) -> Outcome:
        """Have the judge's own function look at a value, in a clean process: it may follow what the value says."""
        if over := self._over():
            raise Incident(over)
        request = {"do": "measure", "args": (value, *args), "measure": by_value(function), "seed": seed}
        request["seconds"] = OURS * seconds  # `most` ends it before that: only there is a busy machine known as one
        helper = self._asking.start()
        try:
            most = min(ATTEMPTS * seconds + GRACE, self._left())
            reply, _ = self._asking.ask(helper, request, most)
        except Incident:
            raise Incident(self._over() or "sent a value that could not be measured") from None
        finally:
            self._budget.spend(processor=helper.end().seconds)
        return outcome_of(reply, 0.0, len(args))

    def _ask(self, request: dict[str, Any] | bytes, seconds: float) -> tuple[Any, Used]:
        """The reply of a process that has run the cells, and what it took. Raises Incident and MachineAtFault."""
        process = self._prepare()
        try:
            reply, used = self._asking.ask(process, request, min(seconds, self._left()))
        except (Incident, MachineAtFault):
            self._end()
            raise
        self.asked_seconds += used.processor
        return reply, used

    def _prepare(self) -> StudentProcess:
        """The process in the state after the cells, a fresh one where there is none.

        Raises Incident once nothing more of this submission is run.
        """
        while not (over := self._over()):
            if self._process is None:
                self._process = self._start()
            if self._catch_up(self._process):
                return self._process
        raise Incident(over)

    def _over(self) -> str:
        """Why nothing more of this submission is run; empty while it may go on. Raises MachineAtFault once it did."""
        if self._asking.fault:
            raise self._asking.fault
        if len(self._skipped) > MOST_SKIPPED:
            return f"had more than {MOST_SKIPPED} cells that broke off"
        if self._left() <= 0:
            return f"used up the {self._budget.seconds:.0f} s that a submission has"
        return ""

    def _start(self) -> StudentProcess:
        process = self._asking.start()
        self._ahead = deque(index for index in self._cells if index not in self._skipped)
        if self._imports:
            self._ahead.appendleft(IMPORTS)
        return process

    def _catch_up(self, process: StudentProcess) -> bool:
        """Run the cells that are due. False if one breaks off, which is skipped from then on, or time is over."""
        while self._ahead and self._ahead[0] <= self._until:
            if self._over():
                return False
            index = self._ahead.popleft()
            source = self._imports if index == IMPORTS else self.source(index)
            try:
                request, seconds = {"do": "run", "source": source}, min(self._times.cell, self._left())
                reply, _ = self._asking.ask(process, request, seconds)
            except MachineAtFault:
                self._end()
                raise
            except Incident as incident:
                self._end()
                self._skip(index, incident)
                return False
            if index != IMPORTS:
                self._keep(index, reply)
        return True

    def _skip(self, index: int, incident: Incident) -> None:
        if index == IMPORTS:  # the course's own: it fails for everybody, or not at all
            self._imports = ""
            self.notes.append(f"The released import cell was left out: it {incident}.")
            return
        self._skipped.add(index)
        self.notes.append(f"Cell {index + 1} was left out: it {incident}.")
        self.failures[index] = str(incident)
        if self._outputs:
            self._outputs.put_error(index, f"This cell {incident}.")

    def _keep(self, index: int, reply: Any) -> None:
        outputs = clean_outputs(reply)
        self.failures.pop(index, None)
        if error := error_in(outputs):
            self.failures[index] = f"stopped with {error}"
        if self._outputs:
            self._outputs.put(index, outputs)

    def _left(self) -> float:
        return self._budget.left(self._process.seconds() if self._process else 0.0)

    def _end(self) -> None:
        if self._process is not None:
            ended = self._process.end()
            self._budget.spend(processor=ended.seconds)
            self.peak_megabytes = max(self.peak_megabytes, ended.peak_megabytes)
            self._process = None


def chunks(cases: Sequence[Case]) -> Iterator[tuple[Case, ...]]:
    """The cases, as many together as fit well into one message."""
    together: list[Case] = []
    held = 0
    for case in cases:
        held += size(case.args)
        if together and held > MOST_SENT:
            yield tuple(together)
            together, held = [], size(case.args)
        together.append(case)
    yield tuple(together)


@lru_cache(maxsize=32)
def call_frame(answer: str, cases: tuple[Case, ...], ask: Callable, seconds: float, first_alone: bool) -> bytes:
    """The request to call an answer with these cases, packed once for a class that is asked the same."""
    sent = [(case.index, case.args) for case in cases]
    request = {"do": "call", "name": answer, "cases": sent, "ask": by_value(ask), "seconds": seconds}
    return wire.pack(request | {"first_alone": first_alone})


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
