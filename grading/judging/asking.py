"""One question to a submission's process: within the time, and with a name for whatever kept the reply from coming."""

import time
from dataclasses import dataclass
from typing import Any

from grading.judging.budget import Budget
from grading.judging.replies import Incident
from grading.sandbox import MachineAtFault, Sandbox, StudentProcess, TooMuchMemory, TooMuchTime, was_starved
from grading.worker import wire
from grading.worker.isolation import Limits
from utils.checking.calling import WALL_FACTOR


@dataclass(frozen=True)
class Used:
    """Seconds of one question: of the processor, by the clock, and of these, ready to run and without a processor."""

    processor: float
    clock: float
    starved: float


class Asking:
    """Starts processes of one submission and asks them.

    Attributes:
        fault: what the machine lacked, once it did: after that nobody should ask on.
    """

    def __init__(self, sandbox: Sandbox, limits: Limits, budget: Budget):
        self.fault: MachineAtFault | None = None
        self._sandbox, self._limits, self._budget = sandbox, limits, budget

    def start(self) -> StudentProcess:
        """A fresh process. Raises MachineAtFault where the machine cannot start one."""
        try:
            return self._sandbox.start_process(self._limits)
        except MachineAtFault as fault:
            self.fault = fault
            raise

    def ask(self, process: StudentProcess, request: dict[str, Any] | bytes, seconds: float) -> tuple[Any, Used]:
        """The reply to a request within this processor time, and what it took; the budget is charged for the wait.

        Raises Incident or MachineAtFault, after which the process is of no use.
        """
        processor, starved, started = process.seconds(), process.starved, time.monotonic()
        try:
            reply = process.ask(request, seconds)
        except MachineAtFault as fault:
            self.fault = fault
            raise
        except (TooMuchTime, TooMuchMemory, wire.TooSlow, wire.BadMessage) as problem:
            raise Incident(self._name(problem, seconds)) from None
        finally:
            clock, starved = time.monotonic() - started, process.starved - starved
            self._budget.spend(clock=clock - starved)
        return reply, Used(max(0.0, process.seconds() - processor), clock, starved)

    def see_that_it_had_a_processor(self, used: Used, seconds: float) -> None:
        """Raises MachineAtFault where an answer that had so many seconds, and was too slow, hardly got to use them."""
        if used.processor < seconds and was_starved(used.starved, used.clock):
            self.fault = MachineAtFault("the machine was too busy to run it")
            raise self.fault

    def _name(self, problem: Exception, seconds: float) -> str:
        match problem:
            case TooMuchTime():
                return f"was still running after {seconds:.0f} s of processor time, and was ended"
            case wire.TooSlow():
                return f"was still running after {seconds * WALL_FACTOR:.0f} s, and was ended"
            case TooMuchMemory():
                return f"used more than the {self._limits.memory_megabytes:,} MB that a submission has"
            case wire.Gone():
                return "ended its own process"
        return f"sent what is no reply: {problem}"
