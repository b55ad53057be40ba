"""The checks grade an answer that lives in another process as they grade one that lives here.

This is what grading rests on: only plain values cross the border, so a check that needs a gradient through the answer,
a change in place, or a memory of the case before would say something else here. That lies in how an exercise asks, the
same way for all of its mistakes, so every third of them is tried, and all in the nightly run.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache

import pytest
import torch

from grading.worker import wire
from tests.seeds import SEEDS
from utils.checking.calling import Outcome, call, measure
from utils.checks import exercises

EXERCISES = {exercise.name: exercise for exercise in exercises()}


def unpack(frame: bytes):
    """What `wire.pack` has packed: plain values, as the judge and a student's process send them to one another."""
    text = wire.LENGTHS.size + wire.LENGTHS.unpack_from(frame)[0]
    return wire.unpack(frame[wire.LENGTHS.size : text], frame[text:])


unpack_case = lru_cache(maxsize=64)(unpack)  # the same cases come for each mistake; nobody changes them in place


def answer_there(exercise: str, number: int, cases: list[bytes]) -> list[tuple]:
    """In the other process: ask the reference (number -1) or a mistake about each case, in plain values.

    The outcomes come back as the fields of `Outcome`, the value packed.
    """
    torch.set_num_threads(1)
    known = EXERCISES[exercise]
    answer = known.reference if number < 0 else known.mistakes[number].answer
    sent = []
    for seed, case in enumerate(cases):
        outcome = call(answer, unpack_case(case), ask=known.ask_function, seconds=known.seconds, seed=seed)
        fields = outcome.problem, outcome.detail, outcome.printed, outcome.seconds
        sent.append((wire.pack(outcome.value), *fields))
    return sent


def measure_there(exercise: str, sent: bytes, case: bytes, seconds: float, seed: int) -> bytes:
    """In a process where no answer ever ran."""
    torch.set_num_threads(1)
    outcome = measure(EXERCISES[exercise].measure_function, unpack(sent), unpack_case(case), seconds=seconds, seed=seed)
    return wire.pack(outcome.value)


@pytest.fixture(scope="module")
def elsewhere():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("name", EXERCISES)
def test_verdicts_are_the_same_across_a_process_border(name, elsewhere):
    exercise = EXERCISES[name]

    cases = [wire.pack(list(case)) for case in exercise.draw_cases(seed=0)]

    class There:
        """Asks an answer by its number; the judge's own process has nothing that could be called.

        All its outcomes come at once, the first time that it is asked: a message for each would take most of the time.
        """

        def signature_problem(self, answer, parameters, count) -> None:
            self.outcomes = elsewhere.submit(answer_there, name, answer, cases).result()

        def call_each(self, answer, cases, *, ask, seconds):
            for case in cases:
                value, *rest = self.outcomes[case.index]
                yield Outcome(unpack(value), *rest)

        def measure(self, measure, value, args, *, seconds, seed) -> Outcome:
            sent = elsewhere.submit(measure_there, name, wire.pack(value), wire.pack(list(args)), seconds, seed)
            return Outcome(unpack(sent.result()))

    assert exercise.judge(-1, caller=There()).passed
    for number in range(0, len(exercise.mistakes), 3 if len(SEEDS) == 1 else 1):
        verdict = exercise.judge(number, caller=There())
        assert verdict.mistake == exercise.mistakes[number].name, verdict.text()
