"""The exercises of one lesson register themselves here, so that two of one name fail where they stand."""

import sys
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from utils.checking.exercise import Exercise
from utils.paths import LESSONS

CHECKS = "utils.checks."


class Lesson:
    """`lesson = Lesson("03", __name__)`, once in a module of `utils.checks`; then `@lesson.exercise(…)`.

    Raises ValueError where the module `utils.checks.topic` has no `lessons/NN_topic.py`. A module outside
    `utils.checks`, of an instructor's own checks, is taken as it is.
    """

    def __init__(self, number: str, module: str):
        self.number, self.module = number, module
        self.exercises: dict[str, Exercise] = {}
        if module.startswith(CHECKS):
            _belongs_to_a_lesson(number, module.removeprefix(CHECKS))
        # PEP 562: a module's __getattr__ is asked for names that it does not have.
        sys.modules[module].__getattr__ = self._misspelt

    def exercise(self, **declared: Any) -> Callable[[Callable], Exercise]:
        """Declare an exercise; the decorated function is the reference. See `Declaration` for what can be said."""

        def declare(reference: Callable) -> Exercise:
            found = Exercise(reference, lesson=self.number, **declared)
            if earlier := self.exercises.get(found.name):
                lines = " and ".join(str(one.reference.__code__.co_firstlineno) for one in (earlier, found))
                raise ValueError(f"{self.module} declares {found.name!r} twice, in lines {lines}")
            self.exercises[found.name] = found
            return found

        return declare

    def _misspelt(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.module!r} has no attribute {name!r}")
        close = get_close_matches(name, self.exercises, 1)
        there = f"Did you mean check.{close[0]}?" if close else f"There are {', '.join(self.exercises)}."
        raise AttributeError(f"Lesson {self.number} has no check {name!r}. {there}")


def _belongs_to_a_lesson(number: str, topic: str) -> None:
    if not LESSONS.is_dir() or (LESSONS / f"{number}_{topic}.py").exists():  # an installed course has none to look at
        return
    others = sorted(file.name for file in LESSONS.glob(f"??_{topic}.py")) or sorted(
        file.name for file in LESSONS.glob(f"{number}_*.py")
    )
    there = f"; there is lessons/{others[0]}" if others else ""
    raise ValueError(
        f"utils/checks/{topic}.py is for lesson {number!r}, and there is no lessons/{number}_{topic}.py{there}"
    )
