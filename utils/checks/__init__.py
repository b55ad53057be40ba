"""The exercises of the course, one module for each lesson: `lessons/NN_topic.py` is checked by `topic.py` here."""

import importlib
import pkgutil

from utils.checking import Exercise


def exercises() -> list[Exercise]:
    """Every exercise of the course, lesson by lesson, in the order in which a module declares them."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Exercise)]
    return sorted(found, key=lambda exercise: exercise.lesson)
