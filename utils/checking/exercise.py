"""An exercise, declared once: a reference, its cases, its mistakes. The rest of a check follows from them.

    @exercise(lesson="03", points=2, hint="Two numbers travel down the stack.")
    def receptive_field(layers):
        return ...                      # the reference: a right answer

    @receptive_field.cases
    def _(rng):
        yield ([(3, 1)],)               # one tuple of plain values for each call

    @receptive_field.mistake("You multiplied the kernel sizes. A field grows by (kernel - 1) times the jump.")
    def kernels_multiplied(layers):
        return ...                      # a wrong answer that learners give

An answer that is judged by what it must satisfy, rather than by a reference's value, declares an `expect`. One that
is not a function of plain values (a model, a training step) declares an `ask`, which runs beside the answer and turns
it into plain values. Where these could be made up without doing the exercise, the `ask` sends what can be tested (the
weights, the steps of a model), and a `measure` tests it, in a process of its own where an answer is graded. A mistake
that equal values cannot tell declares a `symptom`.
"""

import inspect
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.checking import calling, record
from utils.checking.judging import Caller, judge
from utils.checking.verdict import CheckFailed, Verdict
from utils.strict import strict


@dataclass(frozen=True)
class Mistake:
    """A wrong answer with a name. `symptom(value, *case)` tells it where equal values cannot."""

    name: str
    explanation: str
    answer: Callable
    symptom: Callable[..., bool] | None = None


class Exercise:
    """Call it with an answer to check that answer: `check.conv2d(conv2d)`."""

    def __init__(self, reference: Callable, *, lesson: str, points: int, hint: str, seconds: float, rtol: float):
        self.reference = reference
        self.name = reference.__name__
        self.parameters = list(inspect.signature(reference).parameters)
        self.lesson, self.points, self.hint = lesson, points, hint
        self.seconds, self.rtol = seconds, rtol
        self.mistakes: list[Mistake] = []
        self.asks: Callable = calling.direct
        self.measures: Callable | None = None
        self.expects: Callable[..., str | None] | None = None
        self._cases: Callable[[np.random.Generator], Iterable[tuple]] | None = None

    def cases(self, function: Callable) -> Callable:
        """Declare the cases: a generator of argument tuples, drawn from a NumPy generator."""
        self._cases = function
        return function

    def ask(self, function: Callable) -> Callable:
        """Declare how an answer is turned into plain values: `ask(answer, *case)`. It runs beside the answer."""
        self.asks = function
        return function

    def measure(self, function: Callable) -> Callable:
        """Declare what is judged in place of what `ask` sent: `measure(sent, *case)` returns it, as plain values.

        What was sent may be forged. Whatever `measure` raises on it is a wrong answer.
        """
        self.measures = function
        return function

    def expect(self, function: Callable) -> Callable:
        """Declare what a value must satisfy: `expect(value, *case)` returns None or a sentence on what is wrong."""
        self.expects = function
        return function

    def mistake(self, explanation: str, symptom: Callable[..., bool] | None = None) -> Callable:
        """Declare a mistake. The function's name is the mistake's name; the function is an answer that makes it."""

        def declare(function: Callable) -> Callable:
            self.mistakes.append(Mistake(function.__name__, explanation, function, symptom))
            return function

        return declare

    def draw_cases(self, seed: int) -> list[tuple]:
        """The cases for this seed, each a tuple of plain values."""
        if self._cases is None:
            raise ValueError(f"{self.name} has no cases: declare them with @{self.name}.cases")
        return list(self._cases(np.random.default_rng(seed)))

    def judge(self, answer: Any, seed: int = 0, caller: Caller = calling) -> Verdict:
        """The verdict on `answer`, without showing it; see `utils.checking.judging.judge`."""
        return judge(self, answer, seed, caller)

    def __call__(self, answer: Any) -> None:
        """Check `answer`, show the verdict, and remember a pass.

        Raises:
            CheckFailed: in strict mode (`REACH_STRICT=1` or `checks`, or under nbgrader), if it did not pass.
        """
        verdict = self.judge(answer)
        verdict.show()
        if verdict.passed:
            record.add(self.lesson, self.name)
        elif strict("checks") or "NBGRADER_EXECUTION" in os.environ:
            raise CheckFailed(verdict.text())


def exercise(*, lesson: str, points: int, hint: str, seconds: float = 5.0, rtol: float = 1e-4) -> Callable:
    """Declare an exercise; the decorated function is the reference.

    Args:
        lesson: two digits, as in the lesson's file name.
        points: what a pass is worth.
        hint: one sentence that points to the idea; shown when the check fails.
        seconds: all calls of the answer together may take that long.
        rtol: relative tolerance of the comparison with the reference.
    """

    def declare(reference: Callable) -> Exercise:
        return Exercise(reference, lesson=lesson, points=points, hint=hint, seconds=seconds, rtol=rtol)

    return declare
