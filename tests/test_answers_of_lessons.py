"""Answers that learners may well give, lesson by lesson: right ones of another style pass, wrong ones are caught.

The answers stand in `tests/test_lesson_NN.py`, in two tables that are collected here:

    RIGHT = {"exercise": {"how it differs from the reference": answer}}
    WRONG = {"exercise": {"what is wrong with it": answer}}

A wrong answer that stands alone is caught, and no mistake is named, since it makes none that the exercise lists. It
may also be written as one of
    (answer, "mistake")           caught, and this mistake is named
    (answer, None)                caught, whatever is named
    (answer, "mistake", "words")  as the two above, and the message has these words; "" says that no mistake is named
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.seeds import SEEDS
from utils.checking import Exercise, Status
from utils.checks import exercises

MODULES = [
    importlib.import_module(f"tests.{path.stem}") for path in sorted(Path(__file__).parent.glob("test_lesson_*"))
]
EXERCISES = {(exercise.lesson, exercise.name): exercise for exercise in exercises()}


class Wrong(NamedTuple):
    """A wrong answer with what its verdict must say."""

    answer: Callable
    mistake: str | None = ""
    words: str = ""


def collected(table: str) -> list:
    """Each answer of the modules' tables of this name, as a case (exercise, answer) for pytest."""
    return [
        pytest.param(exercise_of(module.__name__, name), answer, id=f"{name}: {what}")
        for module in MODULES
        for name, answers in getattr(module, table, {}).items()
        for what, answer in answers.items()
    ]


def exercise_of(module: str, name: str) -> Exercise:
    lesson = module.rpartition("_")[2]
    try:
        return EXERCISES[lesson, name]
    except KeyError:
        raise ValueError(f"{module} has answers to {name!r}, which is no exercise of lesson {lesson}") from None


@pytest.mark.parametrize(("exercise", "answer"), collected("RIGHT"))
def test_a_right_answer_of_another_style_passes(exercise, answer):
    for seed in SEEDS:
        verdict = exercise.judge(answer, seed)
        assert verdict.passed, verdict.text()


@pytest.mark.parametrize(("exercise", "wrong"), collected("WRONG"))
def test_a_wrong_answer_is_caught_and_no_name_is_guessed(exercise, wrong):
    wrong = Wrong(*wrong) if isinstance(wrong, tuple) else Wrong(wrong)
    verdict = exercise.judge(wrong.answer)
    assert verdict.status is Status.FAILED, "It passes. Is it right? Then it stands in RIGHT; else a case is missing."
    if wrong.mistake is not None:
        named = f"WRONG expects the mistake {wrong.mistake!r}, named was {verdict.mistake!r}"
        assert verdict.mistake == wrong.mistake, f"{named}:\n{verdict.text()}"
    assert wrong.words in verdict.text(), verdict.text()
