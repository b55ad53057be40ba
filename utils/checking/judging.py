"""From an exercise and an answer to a verdict. This half of a check never runs the answer itself: it asks a caller."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import torch

from utils.checking import calling
from utils.checking.calling import Outcome, Problem
from utils.checking.compare import difference
from utils.checking.describe import describe, indent, shorten, show_call
from utils.checking.plain import to_plain
from utils.checking.verdict import Status, Verdict

if TYPE_CHECKING:
    from utils.checking.exercise import Exercise, Mistake


NO_COINCIDENCE = 8  # so many numbers, wrong in the same way, are not wrong by chance


@dataclass(frozen=True)
class Trial:
    """One case, put to the answer. `fault` says what is wrong with the outcome; None where it is right.

    `index` seeds the answer's random numbers, `secret` those of a measurement, which no answer may foresee.
    """

    index: int
    secret: int
    args: tuple
    expected: Any
    outcome: Outcome
    fault: str | None


class Caller(Protocol):
    """Who asks the answer: `utils.checking.calling`, or something that asks in another process."""

    def signature_problem(self, answer: Any, parameters: list[str], count: int) -> Outcome | None: ...

    def call(self, answer: Any, args: tuple, *, ask: Callable, seconds: float, seed: int) -> Outcome: ...

    def measure(self, measure: Callable, value: Any, args: tuple, *, seconds: float, seed: int) -> Outcome: ...


def judge(exercise: Exercise, answer: Any, seed: int = 0, caller: Caller = calling) -> Verdict:
    """The verdict on `answer`. Raises nothing, whatever the answer is or gives, but what the caller itself raises.

    Args:
        exercise: what was asked for.
        answer: what the learner handed in; anything at all.
        seed: of the random cases.
        caller: who asks it, here or in another process.
    """
    cases = exercise.draw_cases(seed)
    count = max(map(len, cases)) if exercise.asks is calling.direct else len(exercise.parameters)
    if unusable := caller.signature_problem(answer, exercise.parameters, count):
        if unusable.problem is Problem.NOT_ATTEMPTED:
            return _not_attempted(exercise, unusable)
        return Verdict(exercise.name, Status.FAILED, f"It {unusable.problem}.", problem=unusable.detail)
    trials = _try_all(exercise, answer, cases, caller, seed)
    failed = [trial for trial in trials if trial.fault is not None]
    notes = _notes(trials)
    if not failed:
        return Verdict(exercise.name, Status.PASSED, f"All {len(trials)} cases agree.", notes=notes)
    worst = min(failed, key=lambda trial: _size(trial.args))
    if worst.outcome.problem is Problem.NOT_ATTEMPTED:
        return _not_attempted(exercise, worst.outcome)
    if worst.outcome.problem:
        return _explain_problem(exercise, worst, trials, notes)
    return _explain_fault(exercise, worst, trials, notes)


def _try_all(exercise: Exercise, answer: Any, cases: list[tuple], caller: Caller, seed: int) -> list[Trial]:
    """Ask about every case, within the exercise's time; stop where going on would tell nothing more."""
    trials: list[Trial] = []
    left = exercise.seconds
    for index, args in enumerate(cases):
        outcome = caller.call(answer, args, ask=exercise.asks, seconds=max(left, 0.1), seed=index)
        left -= outcome.seconds
        secret = (seed + index) % 2**63  # torch takes no more
        if exercise.measures and not outcome.problem:
            outcome = _measure(exercise, outcome, args, secret, caller)
        expected = None if exercise.expects else _value_of(exercise, exercise.reference, index, secret, args)
        trials.append(Trial(index, secret, args, expected, outcome, _fault(exercise, outcome, expected, args)))
        if outcome.problem in (Problem.NOT_ATTEMPTED, Problem.RAN_TOO_LONG):
            break
    return trials


def _measure(exercise: Exercise, sent: Outcome, args: tuple, secret: int, caller: Caller) -> Outcome:
    """The same outcome with what was measured as its value. What cannot be measured is nothing that our `ask` sent."""
    measured = caller.measure(exercise.measures, sent.value, args, seconds=exercise.seconds, seed=secret)
    if measured.problem:
        return replace(sent, value=None, problem=Problem.MALFORMED, detail=measured.detail.split("\n")[0])
    return replace(sent, value=measured.value)


def _value_of(exercise: Exercise, own: Callable, index: int, secret: int, args: tuple) -> Any:
    """What one of our own answers, the reference or a mistake, gives; None if it breaks on this case."""
    try:
        with calling.torch_as_it_was():
            torch.default_generator.manual_seed(index)  # as in `calling.call`
            value = to_plain(exercise.asks(own, *copy.deepcopy(args)))
            if exercise.measures:
                torch.default_generator.manual_seed(secret)
                value = to_plain(exercise.measures(value, *copy.deepcopy(args)))
            return value
    except Exception:
        return None


def _fault(exercise: Exercise, outcome: Outcome, expected: Any, args: tuple) -> str | None:
    if outcome.problem:
        return outcome.detail
    try:
        if exercise.expects:
            return exercise.expects(outcome.value, *args)
        return difference(expected, outcome.value, rtol=exercise.rtol)
    except Exception:  # a value that an answer's process made up
        return f"It {Problem.MALFORMED}."


def _not_attempted(exercise: Exercise, outcome: Outcome) -> Verdict:
    summary = "Write your answer in the cell above, run that cell, then run this one."
    if outcome.detail.isidentifier() and not outcome.detail.startswith("__") and outcome.detail != exercise.name:
        summary = f"`{outcome.detail}` still raises NotImplementedError. {summary}"
    return Verdict(exercise.name, Status.NOT_ATTEMPTED, summary)


def _explain_problem(exercise: Exercise, worst: Trial, trials: list[Trial], notes: list[str]) -> Verdict:
    detail = worst.outcome.detail
    if worst.outcome.problem is Problem.RAN_TOO_LONG:
        detail = f"{_too_long(exercise, worst, trials)} {detail}".rstrip()
    if worst.outcome.problem is Problem.CHANGED_ARGUMENTS:
        changed = exercise.parameters[int(detail)]
        detail = f"It changed `{changed}` in place. Whoever called it still needs that value: work on a copy."
    return Verdict(
        exercise.name,
        Status.FAILED,
        f"It {worst.outcome.problem}.",
        case=show_call(exercise.name, exercise.parameters, worst.args),
        problem=detail,
        hint=exercise.hint,
        notes=notes,
    )


def _too_long(exercise: Exercise, worst: Trial, trials: list[Trial]) -> str:
    before = sum(trial.outcome.seconds for trial in trials if trial is not worst)
    limit = f"the {exercise.seconds:.0f} s that all cases together may take"
    if before > exercise.seconds / 2:
        return f"{len(trials) - 1} cases took {before:.1f} s of {limit}. Can it do less work for each?"
    return f"It was still running at the end of {limit}. Is there a loop that never ends?"


def _explain_fault(exercise: Exercise, worst: Trial, trials: list[Trial], notes: list[str]) -> Verdict:
    failed = sum(trial.fault is not None for trial in trials)
    case = show_call(exercise.name, exercise.parameters, worst.args)
    if exercise.expects is None:
        case += f"\nexpected\n{indent(describe(worst.expected))}\ngot\n{indent(describe(worst.outcome.value))}"
    mistake, explanation = _find_mistake(exercise, worst, trials)
    return Verdict(
        exercise.name,
        Status.FAILED,
        f"{failed} of {len(trials)} cases fail.",
        case=case,
        problem=shorten(worst.fault or ""),
        mistake=mistake,
        explanation=explanation,
        hint=exercise.hint,
        notes=notes,
    )


def _find_mistake(exercise: Exercise, worst: Trial, trials: list[Trial]) -> tuple[str, str]:
    """Name and sentence of the mistake that explains the smallest failing case; two empty strings if none does.

    A mistake that agrees with the answer on every case is it. Failing that, one that agrees on the smallest failing
    case, on every case that passed, and on enough of the rest to be no coincidence is named, with a caution.
    """
    passed = [trial for trial in trials if trial.fault is None]
    failed = [trial for trial in trials if trial.fault is not None]
    best, most = ("", ""), 0
    for mistake in exercise.mistakes:
        if not all(_agrees(exercise, mistake, trial) for trial in [worst, *passed]):
            continue
        explained = [trial for trial in failed if _agrees(exercise, mistake, trial)]
        if len(explained) == len(failed):
            return mistake.name, mistake.explanation
        enough = 2 * len(explained) >= len(failed) or sum(map(_wrong_numbers, explained)) >= NO_COINCIDENCE
        if enough and len(explained) > most:
            caution = " Not every case fits this, so there may be a second mistake behind it."
            best, most = (mistake.name, mistake.explanation + caution), len(explained)
    return best


def _agrees(exercise: Exercise, mistake: Mistake, trial: Trial) -> bool:
    """Whether the mistake explains this trial: the same value, the same break, or its symptom where it has one."""
    try:
        if mistake.symptom:
            wrong = trial.fault is not None and not trial.outcome.problem
            return bool(mistake.symptom(trial.outcome.value, *trial.args)) if wrong else trial.fault is None
        value = _value_of(exercise, mistake.answer, trial.index, trial.secret, trial.args)
        if value is None or trial.outcome.value is None:
            return value is None and trial.outcome.value is None
        return difference(value, trial.outcome.value, rtol=exercise.rtol) is None
    except Exception:  # a made-up value, again
        return False


def _wrong_numbers(trial: Trial) -> int:
    """How many numbers of the outcome are wrong: the evidence that a mistake which gives the same ones is it."""
    expected, got = trial.expected, trial.outcome.value
    if isinstance(expected, torch.Tensor) and isinstance(got, torch.Tensor) and expected.shape == got.shape:
        return int((~torch.isclose(got.double(), expected.double(), rtol=1e-3, equal_nan=True)).sum())
    return _size(got) if isinstance(got, torch.Tensor) else 1


def _size(value: Any) -> int:
    """How much a person has to take in: numbers of a tensor, and the magnitude of a whole number."""
    if isinstance(value, int):
        return max(1, abs(value))
    if hasattr(value, "numel"):
        return value.numel()
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    return 1


def _notes(trials: list[Trial]) -> list[str]:
    printed = next((trial.outcome.printed for trial in trials if trial.outcome.printed.strip()), "")
    if not printed:
        return []
    lines = printed.strip().splitlines()
    shown = "\n".join(lines[:5]) + ("\n..." if len(lines) > 5 else "")
    return [f"It printed while it was checked. That does not count against it. It began with\n{shown}"]
