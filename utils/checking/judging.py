"""From an exercise and an answer to a verdict. This half of a check never runs the answer itself: it asks a caller."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from utils.checking import calling
from utils.checking.credit import earned
from utils.checking.declaration import Declaration
from utils.checking.diagnosis import verdict_on, verdict_without_trials
from utils.checking.seeds import derived
from utils.checking.state import fixed_state
from utils.checking.trials import Caller, Case, CheckBroken, try_all
from utils.checking.verdict import Verdict

__all__ = ["Caller", "CheckBroken", "judge"]


def judge(exercise: Declaration, answer: Any, seed: int = 0, caller: Caller = calling) -> Verdict:
    """The verdict on `answer`. It raises nothing of the answer's, whatever that is or gives.

    Args:
        exercise: what was asked for.
        answer: what the learner handed in; anything at all.
        seed: of the random cases, a whole number from 0 on of any size.
        caller: who asks it, here or in another process. What it raises itself goes on to whoever asked for a verdict.

    Raises:
        CheckBroken: if the exercise's own reference breaks.
    """
    with fixed_state():
        cases = drawn_cases(exercise, seed)
        direct = exercise.ask_function is calling.direct
        count = max(len(case.args) for case in cases) if direct else len(exercise.parameters)
        if unusable := caller.signature_problem(answer, exercise.parameters, count):
            return verdict_without_trials(exercise, unusable)
        trials = try_all(exercise, answer, cases, caller)
        return verdict_on(exercise, trials, earned(exercise, cases, trials))


def drawn_cases(exercise: Declaration, seed: int) -> list[Case]:
    """The cases of this seed, each with the seeds of its random numbers. A whole class is asked the same ones."""
    return _drawn_by(exercise.draw, exercise, seed)


@lru_cache(maxsize=64)
def _drawn_by(draw: Callable, exercise: Declaration, seed: int) -> list[Case]:
    drawn = enumerate(draw(seed))
    return [Case(args, index, _secret(exercise, seed, index), part) for index, (part, args) in drawn]


def _secret(exercise: Declaration, seed: int, index: int) -> int:
    """The seed of a measurement, of 63 bits, as torch takes it."""
    return derived(seed, "measurement", exercise.lesson, exercise.name, index) % 2**63
