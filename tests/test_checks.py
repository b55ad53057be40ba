"""Every check, from four sides: its solution, the untouched stub, each named mistake, and what it leaves behind.

One seed of random cases here; `REACH_SEEDS=3` (the nightly workflow) takes three. Right answers in other styles and
wrong ones without a name stand in tests/test_lesson_NN.py, lesson by lesson.
"""

import numpy as np
import pytest
import torch

from tests.seeds import SEEDS
from utils.checking import proof
from utils.checks import exercises

EXERCISES = exercises()
MISTAKES = [(exercise, mistake.name) for exercise in EXERCISES for mistake in exercise.mistakes]


def name_of(exercise) -> str:
    return f"{exercise.lesson}-{exercise.name}"


@pytest.mark.parametrize("exercise", EXERCISES, ids=name_of)
def test_the_exercise_is_right_and_says_what_it_needs_to_say(exercise):
    right = [problem for seed in SEEDS for problem in proof.right_answer_problems(exercise, seed)]
    idle = [problem for seed in SEEDS for problem in proof.idle_problems(exercise, seed)]
    assert not [*proof.unsaid(exercise), *right, *idle]


@pytest.mark.parametrize(("exercise", "name"), MISTAKES, ids=[f"{name_of(one)}-{name}" for one, name in MISTAKES])
def test_each_mistake_is_caught_and_named_and_leaves_nothing_behind(exercise, name):
    torch.manual_seed(7)
    np.random.seed(7)
    found = []
    assert proof.changes_nothing(lambda: found.extend(proof.mistake_problem(exercise, name, seed) for seed in SEEDS))
    assert not any(found), "\n".join(found)


@pytest.mark.parametrize("exercise", EXERCISES, ids=name_of)
def test_a_check_leaves_settings_of_the_notebook_alone_and_is_not_misled_by_them(exercise):
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    try:
        with torch.no_grad():
            verdicts = []
            assert proof.changes_nothing(lambda: verdicts.append(exercise.judge(exercise.reference)))
            assert verdicts[0].passed, verdicts[0].text()
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)


def test_names_are_used_once_in_a_lesson():
    names = [(exercise.lesson, exercise.name) for exercise in EXERCISES]
    assert len(set(names)) == len(names)
