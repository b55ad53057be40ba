"""The proof of an exercise: what must hold of its reference, its recipe and its mistakes before a learner meets it."""

import inspect
import random
from collections.abc import Callable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

import numpy as np
import torch

from utils.checking.credit import most_without_computing
from utils.checking.diagnosis import CAUTION
from utils.checking.exercise import Exercise
from utils.checking.judging import CheckBroken, drawn_cases
from utils.checking.state import default_device, fixed_state
from utils.checking.verdict import Status

FEWEST_MISTAKES = 4


def problems(exercise: Exercise, seeds: tuple[int, ...] = (0,)) -> list[str]:
    """All that is wrong with an exercise, one sentence each: what it says, its right answers, each of its mistakes.

    A reference that breaks is the last of them: nothing can be judged by it.
    """
    found = [*unsaid(exercise)]
    try:
        return _judged(exercise, seeds, found)
    except CheckBroken as error:
        return [*found, f"{exercise.name}: {error.cause}"]


def _judged(exercise: Exercise, seeds: tuple[int, ...], found: list[str]) -> list[str]:
    for seed in seeds:
        of_points = idle_problems(exercise, seed)
        found += [problem for problem in (*right_answer_problems(exercise, seed), *of_points) if problem not in found]
        for mistake in exercise.mistakes:
            problem = mistake_problem(exercise, mistake.name, seed)
            if problem and problem not in found:
                found.append(problem)
    return found


def idle_problems(exercise: Exercise, seed: int = 0) -> Iterator[str]:
    """Which parts of the points an answer earns that computes nothing: one value for all cases, zeros, an argument."""
    if not exercise.compare or (len(exercise.points_of) == 1 and not exercise.by_share):
        return
    with fixed_state():
        for part, drawn in groupby(drawn_cases(exercise, seed), attrgetter("part")):
            cases = list(drawn)
            if most_without_computing(exercise, cases) == len(cases):
                what = f"its part {part!r}" if part else "it"
                yield (
                    f"{exercise.name}: an answer that computes nothing (one value for all cases, zeros, or one of the "
                    f"arguments) passes all cases of {what}: add a case with another value (seed {seed})"
                )


def mistake_problem(exercise: Exercise, name: str, seed: int = 0) -> str:
    """Why this mistake is not caught and named without a caution; empty where it is."""
    mistake = next(one for one in exercise.mistakes if one.name == name)
    who = f"{exercise.name}: {name}"
    verdict = exercise.judge(mistake.answer, seed)
    if verdict.status is not Status.FAILED:
        return f"{who} is {verdict.status}, so it is no mistake, or the cases do not show it (seed {seed})"
    if verdict.mistake and verdict.mistake != name:
        first, second = sorted((name, verdict.mistake), key=[one.name for one in exercise.mistakes].index)
        count = len(exercise.draw_cases(seed))
        same = f"{exercise.name}: {first} and {second} give the same values on all {count} cases"
        return f"{same}: add a case that tells them apart"
    if not verdict.mistake and "raised an error" in verdict.text():
        return f"{who} raises an error of its own, before any check (seed {seed}):\n{verdict.text()}"
    if not verdict.mistake:
        return f"{who} is caught and not named (seed {seed}):\n{verdict.text()}"
    if verdict.explanation.endswith(CAUTION):
        return f"{who} does not explain all cases that fail (seed {seed}):\n{verdict.text()}"
    return ""


def changes_nothing(check: Callable[[], object]) -> bool:
    """Whether random states, grad mode, default dtype and device are bit-equal before and after `check()`."""
    before = _state()
    check()
    return before == _state()


def unsaid(exercise: Exercise) -> Iterator[str]:
    """What an exercise has to say and does not."""
    texts = [("hint", exercise.hint), *((mistake.name, mistake.explanation) for mistake in exercise.mistakes)]
    for name, text in texts:
        if not text:
            yield f'{exercise.name}: {name} has no sentence: add .says("…"), what a learner is told'
        elif not text.endswith((".", "?", "!")):
            yield f"{exercise.name}: {name}: the sentence must end with a full stop, ? or !: {text!r}"
    if exercise.points <= 0:
        yield f"{exercise.name} is worth {exercise.points} points"
    if not inspect.getdoc(exercise.reference):
        yield f"{exercise.name}: the reference has no docstring that gives the shapes of what goes in and comes out"
    if len(exercise.mistakes) < FEWEST_MISTAKES:
        yield f"{exercise.name} names {len(exercise.mistakes)} mistakes; it needs {FEWEST_MISTAKES}, those of learners"


def right_answer_problems(exercise: Exercise, seed: int) -> Iterator[str]:
    """Whether reference and recipe pass, and an untouched stub is no attempt."""
    rights = {"the reference": exercise.reference}
    if exercise.recipe_function:
        rights["the recipe without a slip"] = exercise.recipe_function
    for name, answer in rights.items():
        verdict = exercise.judge(answer, seed)
        if not verdict.passed:
            yield f"{exercise.name}: {name} does not pass (seed {seed}):\n{verdict.text()}"
    stub = _stub(exercise)
    if exercise.judge(stub, seed).status is not Status.NOT_ATTEMPTED:
        yield f"{exercise.name}: an untouched stub is not reported as not attempted"


def _stub(exercise: Exercise) -> Callable:
    names: dict[str, Callable] = {}
    exec(f"def {exercise.name}({', '.join(exercise.parameters)}):\n    raise NotImplementedError", names)
    return names[exercise.name]


def _state() -> tuple:
    """All that a check may have changed, as something that can be compared."""
    numpy_state: Any = np.random.get_state()  # a tuple; the stub allows for a dict as well
    kind, keys, *rest = numpy_state
    torch_state = torch.get_rng_state().numpy().tobytes()
    modes = torch.is_grad_enabled(), torch.get_default_dtype(), str(default_device())
    return torch_state, (kind, keys.tobytes(), *rest), random.getstate(), modes
