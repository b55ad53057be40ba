"""The exercises of the course, one module for each lesson: `lessons/NN_topic.py` is checked by `topic.py` here."""

import importlib
import pkgutil

from utils.checking import Exercise


def exercises() -> list[Exercise]:
    """Every exercise of the course, lesson by lesson, in the order in which a module declares them."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    lessons = sorted((module.lesson for module in modules), key=lambda lesson: lesson.number)
    return [exercise for lesson in lessons for exercise in lesson.exercises.values()]
