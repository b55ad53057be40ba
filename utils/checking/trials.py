"""Put the cases of an exercise to an answer, through a caller that may live elsewhere, and see what is wrong."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import Any, Protocol

from utils.checking import calling
from utils.checking.calling import Outcome, Problem
from utils.checking.compare import Difference, first_difference
from utils.checking.declaration import Declaration, Mistake
from utils.checking.outcome import Case
from utils.checking.plain import copied, size


class CheckBroken(RuntimeError):
    """The reference of an exercise broke. That is never the answer's fault. `cause` is what an author has to know."""

    def __init__(self, message: str, cause: str = ""):
        super().__init__(message)
        self.cause = cause or message


class Caller(Protocol):
    """Who asks the answer: `utils.checking.calling`, or something that asks in another process.

    An outcome says whatever an answer may do. What a caller raises ends the judgement and goes to whoever asked for it.
    """

    def signature_problem(self, answer: Any, parameters: list[str], count: int) -> Outcome | None: ...

    def call_each(
        self, answer: Any, cases: Sequence[Case], *, ask: Callable, seconds: float
    ) -> Generator[Outcome, None, None]: ...

    def measure(self, function: Callable, value: Any, args: tuple, *, seconds: float, seed: int) -> Outcome: ...


MAX_HELD = 4_000_000  # what the values of all trials may hold; see `utils.checking.plain.size`


@dataclass(frozen=True)
class Trial:
    """One case, put to the answer. `fault` says what is wrong with the outcome; None where it is right.

    `mistake` is the one whose finding was seen; `difference` is from the reference's value, where that was compared.
    """

    case: Case
    outcome: Outcome
    fault: str | None = None
    mistake: Mistake | None = None
    difference: Difference | None = None


def try_all(exercise: Declaration, answer: Any, cases: list[Case], caller: Caller) -> list[Trial]:
    """Ask about every case. Each part of the points has the exercise's time for itself."""
    parts = groupby(cases, attrgetter("part"))
    return [trial for _, part in parts for trial in _try_part(exercise, answer, list(part), caller)]


def _try_part(exercise: Declaration, answer: Any, cases: list[Case], caller: Caller) -> list[Trial]:
    """Ask within the exercise's time; stop where going on would tell nothing more.

    Once something is wrong, no more is asked than can be kept: of values that are far too large, the first few tell
    enough.
    """
    trials: list[Trial] = []
    held = 0
    with closing(caller.call_each(answer, cases, ask=exercise.ask_function, seconds=exercise.seconds)) as outcomes:
        for case, outcome in zip(cases, outcomes, strict=False):
            outcome = _measured(exercise, outcome, case, caller)
            trials.append(judged(exercise, case, outcome))
            held += size(outcome.value)
            if held > MAX_HELD and any(trial.fault is not None for trial in trials):
                break
    return trials


def _measured(exercise: Declaration, sent: Outcome, case: Case, caller: Caller) -> Outcome:
    """The same outcome, with what was measured as its value where the exercise measures.

    What cannot be measured is nothing that our `ask` sent.
    """
    measure = exercise.measure_function
    if measure is None or sent.problem:
        return sent
    measured = caller.measure(measure, sent.value, case.args, seconds=exercise.seconds, seed=case.secret)
    if measured.problem:
        return replace(sent, value=None, problem=Problem.MALFORMED, detail=measured.detail.split("\n")[0])
    return replace(sent, value=measured.value)


def judged(exercise: Declaration, case: Case, outcome: Outcome) -> Trial:
    """What is wrong with this outcome, if anything is. Raises CheckBroken if the reference breaks."""
    if outcome.problem:
        return Trial(case, outcome, fault=outcome.detail)
    try:
        seen = as_facts(exercise, outcome.value)
        for see, mistake in exercise.findings:
            if sentence := see(seen, *case.args):
                _see_that_it_is_text(sentence)
                shown = _difference(exercise, case, outcome) if exercise.ask_function is calling.direct else None
                return Trial(case, outcome, fault=sentence, mistake=mistake, difference=shown)
        difference = _difference(exercise, case, outcome)
    except CheckBroken:
        raise
    except Exception:  # a value that an answer's process made up
        return Trial(case, replace(outcome, problem=Problem.MALFORMED), fault=f"It {Problem.MALFORMED}.")
    return Trial(case, outcome, fault=difference and str(difference), difference=difference)


def _see_that_it_is_text(sentence: object) -> None:
    """Raises TypeError: a finding may hand on what an answer's process made up in the place of a sentence."""
    if not isinstance(sentence, str):
        raise TypeError(f"a finding said {type(sentence).__name__}")


def _difference(exercise: Declaration, case: Case, outcome: Outcome) -> Difference | None:
    if not exercise.compare:
        return None
    expected = reference_value(exercise, case)
    return first_difference(expected, outcome.value, rtol=exercise.rtol, names=exercise.returns)


def as_facts(exercise: Declaration, value: Any) -> Any:
    """What a finding looks at: the value, as the exercise's dataclass where it declares one."""
    return exercise.facts(**value) if exercise.facts else value


def reference_value(exercise: Declaration, case: Case) -> Any:
    """What the reference gives. Raises CheckBroken where it gives nothing that could be compared."""
    outcome = value_of(exercise, exercise.reference, case)
    if outcome.problem:
        first_line = outcome.detail.partition("\n")[0]
        raise CheckBroken(
            f"Its own answer {outcome.problem} here: {outcome.detail}\n"
            "That is not your doing: restart the kernel, run the cells from the top, and try again.",
            cause=f"the reference {outcome.problem} on case {case.index + 1}: {first_line}",
        )
    return outcome.value


_kept: dict[tuple, Outcome] = {}
MOST_KEPT = 20_000


def value_of(exercise: Declaration, own: Callable, case: Case) -> Outcome:
    """What one of our own answers, the reference or a mistake, comes to: asked and measured as a learner's.

    A value is kept, since a class of 1,000 is asked the same questions. A failure is not: the machine may have been at
    fault.
    """
    key = (exercise, own, case.index, case.secret)
    if key in _kept:
        return _kept[key]
    outcome = _ask_own(exercise, own, case)
    if outcome.problem is None:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[key] = outcome
    return outcome


def _ask_own(exercise: Declaration, own: Callable, case: Case) -> Outcome:
    ask, seconds = exercise.ask_function, calling.OURS * exercise.seconds
    outcome = calling.call(own, copied(case.args), ask=ask, seconds=seconds, seed=case.index)
    return _measured(exercise, outcome, case, calling)
