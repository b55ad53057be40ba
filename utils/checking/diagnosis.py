"""From the trials of an answer to what is said of it: the smallest failing case, what is wrong, the likely mistake."""

from dataclasses import replace
from typing import Any

import torch

from utils.checking import calling, gpu
from utils.checking.calling import Outcome, Problem
from utils.checking.compare import difference, is_short
from utils.checking.declaration import Declaration, Mistake
from utils.checking.describe import describe, indent, several_lines, show_call
from utils.checking.library_use import in_words
from utils.checking.shorten import shorten
from utils.checking.trials import Trial, value_of
from utils.checking.verdict import Earned, Status, Verdict

NO_COINCIDENCE = 8  # so many numbers of tensors, wrong in the same way, are not wrong by chance
CAUTION = " Not every case fits this exactly: check again once it is mended."
LONGEST_LINE = 200  # characters of what an answer printed


def verdict_without_trials(exercise: Declaration, unusable: Outcome) -> Verdict:
    """What is said of something that cannot be asked at all."""
    if unusable.problem is Problem.NOT_ATTEMPTED:
        return _not_attempted(exercise, unusable)
    return Verdict(exercise.name, Status.FAILED, f"It {unusable.problem}.", problem=unusable.detail)


def verdict_on(exercise: Declaration, trials: list[Trial], credit: list[Earned]) -> Verdict:
    """What is said after these trials, which earned this credit."""
    failed = [trial for trial in trials if trial.fault is not None]
    if not failed:
        agreed = "Its only case agrees." if len(trials) == 1 else f"All {len(trials)} cases agree."
        advice = [gpu.ADVICE] if any(trial.outcome.on_gpu for trial in trials) else []
        return Verdict(exercise.name, Status.PASSED, agreed, notes=_notes(trials) + advice, credit=credit)
    worst = smallest(failed)
    if worst.outcome.problem is Problem.NOT_ATTEMPTED and not any(one.points for one in credit):
        return _not_attempted(exercise, worst.outcome)
    return replace(_explain(exercise, worst, trials), credit=credit)


def refused(exercise: Declaration, used: list[str]) -> Verdict:
    """What is said of an answer that passes with the course's own library, where that does not count."""
    problem = f"It uses {in_words(used)}, and an answer to this exercise counts only if it is your own."
    return Verdict(exercise.name, Status.FAILED, "Its values are right.", problem=problem, hint=exercise.hint)


def smallest(failed: list[Trial]) -> Trial:
    """The failing case that is the least for a person to take in."""
    return min(failed, key=lambda trial: _size(trial.case.args))


def _explain(exercise: Declaration, worst: Trial, trials: list[Trial]) -> Verdict:
    failed = [trial for trial in trials if trial.fault is not None]
    if stopped := next((trial for trial in failed if trial.outcome.problem is Problem.RAN_TOO_LONG), None):
        worst = stopped
    if worst.outcome.problem:
        return _explain_problem(exercise, worst, trials)
    return _explain_fault(exercise, worst, trials)


def _not_attempted(exercise: Declaration, outcome: Outcome) -> Verdict:
    summary = "Write your answer in the cell above, run that cell, then run this one."
    if outcome.detail.isidentifier() and not outcome.detail.startswith("__") and outcome.detail != exercise.name:
        summary = f"`{outcome.detail}` still raises NotImplementedError. {summary}"
    return Verdict(exercise.name, Status.NOT_ATTEMPTED, summary)


def _explain_problem(exercise: Declaration, worst: Trial, trials: list[Trial]) -> Verdict:
    problem, detail = worst.outcome.problem, worst.outcome.detail
    notes = _notes(trials)
    if problem is Problem.RAN_TOO_LONG:
        detail = _too_long(exercise, worst, [trial for trial in trials if trial.case.part == worst.case.part])
    if problem is Problem.NOT_ATTEMPTED:
        detail = f"`{detail}` still raises NotImplementedError here."
    if problem is Problem.CHANGED_ARGUMENTS:
        changed = exercise.parameters[int(detail)]
        detail = f"It changed `{changed}` in place. Whoever called it still needs that value: work on a copy."
    if problem is Problem.RETURNED_NOTHING and worst.outcome.printed.strip():
        detail = f"It returned None, and printed\n{indent(_beginning(worst.outcome.printed))}"
        detail += "\nYou print the result; return it instead."
        notes = []
    mistake, explanation = _find_mistake(exercise, worst, trials) if _breaks_at_times(trials) else ("", "")
    return Verdict(
        exercise.name,
        Status.FAILED,
        f"It {problem}.",
        case=show_call(exercise.name, exercise.parameters, worst.case.args),
        problem=detail,
        mistake=mistake,
        explanation=explanation,
        hint=exercise.hint,
        notes=notes,
        failing=_to_try(exercise, worst),
    )


def _breaks_at_times(trials: list[Trial]) -> bool:
    """Whether the answer raised an error on some cases only: which ones may tell the cause, as their values would."""
    raised = [trial.outcome.problem is Problem.RAISED for trial in trials]
    return any(raised) and not all(raised)


def _too_long(exercise: Declaration, worst: Trial, trials: list[Trial]) -> str:
    others = [trial for trial in trials[1:] if trial is not worst]
    before = sum(trial.outcome.seconds for trial in others)
    limit = f"{exercise.seconds:g} s"
    if before > exercise.seconds / 2:
        return f"{_cases(len(others))} took {before:.1f} s of the {limit} for all. Can it do less work for each?"
    clock = f"{calling.WALL_FACTOR * exercise.seconds:g} s"
    said = f"It had not ended after {limit} of the processor's time, or {clock} of the clock's."
    return f"{said}\n{worst.outcome.detail}".rstrip()


def _cases(count: int) -> str:
    return f"{count} case{'' if count == 1 else 's'}"


def _explain_fault(exercise: Declaration, worst: Trial, trials: list[Trial]) -> Verdict:
    failed = sum(trial.fault is not None for trial in trials)
    mistake, explanation = _find_mistake(exercise, worst, trials)
    summary = f"{failed} of {_cases(len(trials))} fail{'s' if failed == 1 else ''}."
    return Verdict(
        exercise.name,
        Status.FAILED,
        summary,
        case=show_call(exercise.name, exercise.parameters, worst.case.args) + _expected_and_got(exercise, worst),
        problem=shorten(worst.fault or "", 600),
        mistake=mistake,
        explanation=explanation,
        hint=exercise.hint,
        notes=_notes(trials),
        failing=_to_try(exercise, worst),
    )


def _expected_and_got(exercise: Declaration, worst: Trial) -> str:
    """The part of the value that differs, with its name where there are several."""
    found = worst.difference
    if found is None:
        return ""
    part = f" as {found.part}" if found.part else ""
    expected, got = (_by_name(exercise, value) for value in (found.expected, found.got))
    return f"\nexpected{part}\n{indent(describe(expected))}\ngot\n{indent(describe(got))}"


def _by_name(exercise: Declaration, value: Any) -> Any:
    """The parts of an answer that returns several, under their names where each has lines of its own."""
    if not isinstance(value, list | tuple) or len(value) != len(exercise.returns) or is_short(value):
        return value
    return dict(zip(exercise.returns, value, strict=True)) if several_lines(value) else tuple(value)


def _to_try(exercise: Declaration, worst: Trial) -> int | None:
    """The number of a case that a learner can call by hand: the arguments of an `ask` stand for a model or a step."""
    return worst.case.index if exercise.ask_function is calling.direct else None


def _find_mistake(exercise: Declaration, worst: Trial, trials: list[Trial]) -> tuple[str, str]:
    """Name and sentence of the mistake that explains the smallest failing case; two empty strings if none does.

    A mistake that was seen is it. So is one whose values agree with the answer's on every case. Failing that, one that
    agrees on the smallest failing case, on every case that passed, and on enough of the rest to be no coincidence is
    named, with a caution.
    """
    if worst.mistake:
        return worst.mistake.name, worst.mistake.explanation
    passed = [trial for trial in trials if trial.fault is None]
    failed = [trial for trial in trials if trial.fault is not None]
    constant = is_constant([trial.outcome.value for trial in trials])
    best, most = ("", ""), 0
    for mistake in exercise.mistakes:
        if mistake.seen or not all(_agrees(exercise, mistake, trial) for trial in [worst, *passed]):
            continue
        explained = [trial for trial in failed if _agrees(exercise, mistake, trial)]
        if len(explained) == len(failed):
            return mistake.name, mistake.explanation
        if not constant and len(explained) > most and _is_no_coincidence(explained, failed):
            best, most = (mistake.name, mistake.explanation + CAUTION), len(explained)
    return best


def _agrees(exercise: Declaration, mistake: Mistake, trial: Trial) -> bool:
    """Whether the mistake gives the same value in this trial, or breaks as the answer did."""
    if trial.outcome.problem is Problem.RAN_TOO_LONG or trial.mistake:
        return False
    theirs = value_of(exercise, mistake.answer, trial.case)
    if theirs.problem or trial.outcome.problem:
        return theirs.problem is trial.outcome.problem
    try:
        return difference(theirs.value, trial.outcome.value, rtol=exercise.rtol) is None
    except Exception:  # a made-up value, again
        return False


def _is_no_coincidence(explained: list[Trial], failed: list[Trial]) -> bool:
    """Whether a mistake that explains some of the failed trials is a diagnosis.

    Many numbers of a tensor do not agree by chance. A single number easily does, so most cases must fit, and not all
    of them with one and the same number.
    """
    if any(_wrong_numbers(trial) > 1 for trial in explained):
        return 2 * len(explained) >= len(failed) or sum(map(_wrong_numbers, explained)) >= NO_COINCIDENCE
    several = not _all_the_same([trial.outcome.value for trial in explained])
    return several and 4 * len(explained) >= 3 * len(failed)


def is_constant(values: list[Any]) -> bool:
    """Whether an answer gives one and the same number always, which agrees with much."""
    tensors = [value for value in values if isinstance(value, torch.Tensor)]
    if len(tensors) < len(values) or any(tensor.is_complex() for tensor in tensors):
        return _all_the_same(values)
    return len(torch.cat([tensor.double().flatten() for tensor in tensors]).unique()) <= 1


def _all_the_same(values: list[Any]) -> bool:
    try:
        return all(difference(values[0], value, rtol=0, atol=0) is None for value in values[1:])
    except Exception:  # made-up values, once more
        return False


def _wrong_numbers(trial: Trial) -> int:
    """How many numbers of the outcome are wrong: the evidence that a mistake which gives the same ones is it."""
    if trial.difference is None:
        return 1
    expected, got = trial.difference.expected, trial.difference.got
    if isinstance(expected, torch.Tensor) and isinstance(got, torch.Tensor) and expected.shape == got.shape:
        return int((~torch.isclose(got.double(), expected.double(), rtol=1e-3, equal_nan=True)).sum())
    return got.numel() if isinstance(got, torch.Tensor) else 1


def _size(value: Any) -> float:
    """How much a person has to take in: the numbers of a tensor, those with a fraction four times, and the magnitude
    of a whole number."""
    if isinstance(value, bool | str) or value is None:
        return 1
    if isinstance(value, int):
        return max(1, abs(value))
    if isinstance(value, torch.Tensor):
        fractions = (value != value.round()).sum().item() if value.is_floating_point() else 0
        return value.numel() + 3 * fractions
    if isinstance(value, list | tuple | dict):
        return sum(map(_size, value.values() if isinstance(value, dict) else value))
    return 1


def _notes(trials: list[Trial]) -> list[str]:
    printed = next((trial.outcome.printed for trial in trials if trial.outcome.printed.strip()), "")
    if not printed:
        return []
    return [f"It printed while it was checked. That does not count against it. It began with\n{_beginning(printed)}"]


def _beginning(printed: str) -> str:
    lines = [shorten(line, LONGEST_LINE) for line in printed.strip().splitlines()]
    return "\n".join(lines[:5]) + ("\n..." if len(lines) > 5 else "")
