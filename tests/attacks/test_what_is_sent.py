"""What a student's process gets of an exercise is the way of asking, and nothing that would answer it."""

import base64
import pickle
from types import FunctionType

import pytest

from grading.judging.session import by_value
from utils.checking import Exercise
from utils.checking.declaration import Mistake
from utils.checks import exercises


@pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.name)
def test_the_way_of_asking_holds_no_answer(exercise):
    assert not answers_in(exercise.ask_function, exercise)


def test_an_answer_would_be_found():
    exercise = exercises()[0]
    assert answers_in(exercise.reference, exercise)


def answers_in(function, exercise: Exercise) -> list:
    names = {exercise.reference.__name__, *(mistake.name for mistake in exercise.mistakes)}
    sent = everything_in(pickle.loads(base64.b64decode(by_value(function))))
    known = [thing for thing in sent if isinstance(thing, FunctionType) and thing.__name__ in names]
    return known + [thing for thing in sent if isinstance(thing, Exercise | Mistake)]


def everything_in(thing) -> list:
    """All that can be reached from what was sent, as far as it was sent itself, and not imported there."""
    found, waiting = {}, [thing]
    while waiting:
        one = waiting.pop()
        if id(one) not in found:
            found[id(one)] = one
            waiting += parts_of(one)
    return list(found.values())


def parts_of(thing) -> list:
    if isinstance(thing, dict):
        return [*thing.keys(), *thing.values()]
    if isinstance(thing, list | tuple | set | frozenset):
        return list(thing)
    if isinstance(thing, FunctionType) and thing.__module__.startswith("utils.checks"):
        cells = [cell.cell_contents for cell in thing.__closure__ or ()]
        return [thing.__globals__, thing.__defaults__, thing.__kwdefaults__, vars(thing), *cells]
    if isinstance(thing, type) and thing.__module__.startswith("utils.checks"):
        return [dict(vars(thing)), *thing.__bases__]
    return []
