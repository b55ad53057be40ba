"""The check of an exercise, as a learner meets it in a notebook: `check.conv2d(conv2d)`."""

import inspect
import os
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from utils.checking import calling, gpu, record
from utils.checking.declaration import Declaration
from utils.checking.diagnosis import refused
from utils.checking.judging import Caller, CheckBroken, judge
from utils.checking.library_use import in_words, library_used
from utils.checking.state import fixed_state
from utils.checking.verdict import CheckFailed, Status, Verdict
from utils.strict import strict

SEED = 0  # of the cases that a learner sees: always the same
_NOTHING = object()


class Exercise(Declaration):
    """Call it with an answer to check that answer. `case()` gives the arguments of the last case that failed."""

    _last_failing: int | None = None

    def judge(self, answer: Any, seed: int = SEED, caller: Caller = calling) -> Verdict:
        """The verdict on `answer`, without showing it; see `utils.checking.judging.judge`."""
        return judge(self, answer, seed, caller)

    def __call__(self, answer: Any = _NOTHING) -> float | None:
        """Check `answer`, show the verdict, and remember a pass.

        Returns None; under `nbgrader autograde`, the points of an answer that earned some of them: it takes the value
        of a check cell for partial credit (nbgrader's documentation, "Partial Credit").

        Raises:
            CheckFailed: in strict mode (`REACH_STRICT=1` or `checks`, or under nbgrader), if it did not pass.
        """
        verdict = self._verdict(answer)
        self._last_failing = verdict.failing
        verdict.show()
        if verdict.passed:
            record.add(self.lesson, self.name)
            return None
        nbgrader = os.environ.get("NBGRADER_EXECUTION")
        if nbgrader == "autograde" and verdict.share and not strict("checks"):
            return verdict.share * self.points
        if strict("checks") or nbgrader is not None:
            raise CheckFailed(verdict.text())
        return None

    def case(self) -> tuple:
        """The arguments of the smallest case that failed in the last check: try `conv2d(*check.conv2d.case())`.

        Raises LookupError where none failed, or its arguments only stand for a model or a step.
        """
        if self._last_failing is None:
            raise LookupError(
                f"The last check.{self.name}({self.name}) found no case that fails and that can be called by hand."
            )
        with fixed_state():  # drawn as they were for the check, whatever the notebook has set since
            return self.draw_cases(SEED)[self._last_failing]

    def __repr__(self) -> str:
        return f"<the check of {self.name}: call it with your answer, check.{self.name}({self.name})>"

    def _verdict(self, answer: Any) -> Verdict:
        if answer is _NOTHING:
            return Verdict(self.name, Status.NOT_ATTEMPTED, f"Give it your answer: check.{self.name}({self.name}).")
        try:
            verdict = self.judge(answer)
        except CheckBroken as error:
            return Verdict(self.name, Status.BROKEN, str(error))
        if not verdict.passed:
            return verdict
        used = library_used(answer, self.may_use)
        if used and not self.library_counts:
            return refused(self, used)
        return replace(verdict, notes=list(dict.fromkeys([*verdict.notes, *_advice(answer, used)])))


def _advice(answer: Any, used: list[str]) -> Iterator[str]:
    """What grading will make of an answer that passes here."""
    if used:
        yield f"It uses {in_words(used)}. Grading tells your instructor so: the answer is to be your own."
    if gpu.asks_for_gpu(_source(answer)):
        yield gpu.ADVICE


def _source(answer: Any) -> str:
    """The code of an answer; empty where it cannot be found."""
    try:
        return textwrap.dedent(inspect.getsource(answer))
    except (OSError, TypeError):
        return ""
