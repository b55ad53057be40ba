"""Every check, from four sides: its solution, the untouched stub, each named mistake, and other seeds."""

import pytest

from utils.checking import Status
from utils.checks import exercises

EXERCISES = exercises()
MISTAKES = [(exercise, mistake) for exercise in EXERCISES for mistake in exercise.mistakes]
SEEDS = (0, 1, 2)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_the_solution_passes(exercise):
    for seed in SEEDS:
        verdict = exercise.judge(exercise.reference, seed)
        assert verdict.passed, verdict.text()


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_the_untouched_stub_is_not_attempted(exercise):
    namespace = {}
    exec(f"def {exercise.name}({', '.join(exercise.parameters)}):\n    raise NotImplementedError", namespace)
    assert exercise.judge(namespace[exercise.name]).status is Status.NOT_ATTEMPTED


@pytest.mark.parametrize(
    ("exercise", "mistake"), MISTAKES, ids=[f"{exercise.name}-{mistake.name}" for exercise, mistake in MISTAKES]
)
def test_each_mistake_is_caught_and_named(exercise, mistake):
    for seed in SEEDS:
        verdict = exercise.judge(mistake.answer, seed)
        assert verdict.status is Status.FAILED
        assert verdict.mistake == mistake.name, verdict.text()
        assert "second mistake" not in verdict.explanation


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_an_exercise_says_what_it_needs_to_say(exercise):
    assert len(exercise.mistakes) >= 4
    assert exercise.points > 0
    assert exercise.hint.endswith(".")
    assert len({mistake.name for mistake in exercise.mistakes}) == len(exercise.mistakes)
    for mistake in exercise.mistakes:
        assert mistake.explanation.endswith(".")


def test_names_are_used_once():
    names = [(exercise.lesson, exercise.name) for exercise in EXERCISES]
    assert len(set(names)) == len(names)
