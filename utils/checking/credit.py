"""Points for less than all cases: what an answer earned of each part, and why not the rest.

An answer that computes nothing earns nothing, whatever it happens to agree with. Where all its values are one and the
same, or it gives back one of its arguments, no part counts. Of a share of the cases, as many are left out as the best
of such answers passes, so that only what is beyond them counts. `utils.checking.proof` tells an author of a part that
such an answer passes whole.
"""

from collections.abc import Iterator
from typing import Any

import torch

from utils.checking.calling import Outcome
from utils.checking.compare import difference
from utils.checking.declaration import Declaration
from utils.checking.diagnosis import is_constant, smallest
from utils.checking.plain import to_plain
from utils.checking.shorten import shorten
from utils.checking.trials import Case, Trial, judged, reference_value
from utils.checking.verdict import Earned

STEP = 10  # points for a share of the cases come in tenths, rounded down
LONGEST_REASON = 120  # characters


def earned(exercise: Declaration, cases: list[Case], trials: list[Trial]) -> list[Earned]:
    """What these trials of the cases earn of each part; empty for an exercise that gives all its points or none.

    Raises CheckBroken if the exercise's own reference breaks.
    """
    if len(exercise.points_of) == 1 and not exercise.by_share:
        return []
    failed = [trial for trial in trials if trial.fault is not None]
    idle = _idle(trials) if failed and exercise.compare else ""
    if exercise.by_share and failed and not idle:
        return [_share(exercise, cases, len(trials) - len(failed))]
    return [
        _all_or_none(part or "cases", of, idle, [trial for trial in failed if trial.case.part == part])
        for part, of in exercise.points_of.items()
    ]


def _all_or_none(part: str, of: int, idle: str, failed: list[Trial]) -> Earned:
    why = idle or (_reason(failed) if failed else "")
    return Earned(part, 0 if why else of, of, why)


def _reason(failed: list[Trial]) -> str:
    """What is wrong with the smallest of these cases, as the end of a sentence."""
    worst = smallest(failed)
    if worst.outcome.problem:
        return f"it {worst.outcome.problem}"
    return shorten((worst.fault or "").split("\n")[0], LONGEST_REASON)


def _share(exercise: Declaration, cases: list[Case], right: int) -> Earned:
    """Points for `right` of the cases, without those that an answer may have which computes nothing."""
    free = most_without_computing(exercise, cases)
    tenths = STEP * exercise.points * max(0, right - free) // max(1, len(cases) - free)
    left_out = f", of which {free} count nothing: an answer that computes nothing may pass as many" if free else ""
    return Earned("cases", tenths / STEP, exercise.points, f"{right} of {len(cases)} agree{left_out}")


def _idle(trials: list[Trial]) -> str:
    """Why an answer with these values computes nothing, as the end of a sentence; empty if it does."""
    gave = [trial for trial in trials if not trial.outcome.problem]
    if len(gave) < 2:
        return ""
    if is_constant([trial.outcome.value for trial in gave]):
        return "it always gives one and the same value"
    for number in range(min(len(trial.case.args) for trial in gave)):
        if all(_equal(to_plain(trial.case.args[number]), trial.outcome.value) for trial in gave):
            return "it gives back one of its arguments"
    return ""


def _equal(one: Any, other: Any) -> bool:
    try:
        return difference(one, other) is None
    except Exception:  # a value that an answer's process made up
        return False


_kept: dict[tuple, int] = {}  # a class of 1,000 is asked the same questions


def most_without_computing(exercise: Declaration, cases: list[Case]) -> int:
    """The most of these cases that an answer passes which computes nothing.

    Tried are the right value of each case, given for all of them; zeros in the right shapes; and each argument. Raises
    CheckBroken if the exercise's own reference breaks.
    """
    key = (exercise, *((case.index, case.secret) for case in cases))
    if key not in _kept:
        right = [reference_value(exercise, case) for case in cases]
        _kept[key] = max(
            sum(judged(exercise, case, Outcome(value)).fault is None for case, value in zip(cases, values, strict=True))
            for values in _without_computing(right, cases)
        )
    return _kept[key]


def _without_computing(right: list[Any], cases: list[Case]) -> Iterator[list[Any]]:
    for value in right:
        yield [value] * len(cases)
    yield [_zeros(value) for value in right]
    for number in range(min(len(case.args) for case in cases)):
        yield [to_plain(case.args[number]) for case in cases]


def _zeros(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return torch.zeros_like(value)
    if isinstance(value, list | tuple):
        return type(value)(map(_zeros, value))
    if isinstance(value, dict):
        return {key: _zeros(item) for key, item in value.items()}
    return type(value)() if isinstance(value, bool | int | float | str) else value
