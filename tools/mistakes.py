"""`python -m tools.mistakes 05`: whether each mistake of a lesson's exercises is caught and named.

The quick way to what tests/test_checks.py proves: seconds, and in sentences.
"""

import argparse
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from utils.checking import Exercise, proof
from utils.checks import exercises
from utils.paths import COURSE


def report(number: str, seeds: int = 1) -> int:
    """Print the table of lesson `number`, and below it what is wrong. Returns how many problems there are."""
    table = Table("exercise", "mistakes", "caught and named", "points", title=f"Mistakes of lesson {number}")
    problems: list[str] = []
    for exercise in exercises():
        if exercise.lesson == number:
            found = proof.problems(exercise, tuple(range(seeds)))
            named = len(exercise.mistakes) - len(_not_named(exercise, found))
            table.add_row(exercise.name, str(len(exercise.mistakes)), str(named), str(exercise.points))
            problems += [f"{_place(exercise)}: {problem}" for problem in found]
    console = Console()
    console.print(table)
    for problem in problems:
        console.print(problem, markup=False, highlight=False, soft_wrap=True)
    return len(problems)


def _place(exercise: Exercise) -> str:
    """File and line of its reference. A reference that is torch's own has none."""
    try:
        file, line = inspect.getsourcefile(exercise.reference), inspect.getsourcelines(exercise.reference)[1]
    except (OSError, TypeError):
        return f"utils/checks, lesson {exercise.lesson}"
    return f"{Path(file or '').relative_to(COURSE)}:{line}"


def _not_named(exercise: Exercise, problems: Sequence[str]) -> list[str]:
    return [
        mistake.name
        for mistake in exercise.mistakes
        if any(problem.startswith(f"{exercise.name}: {mistake.name} ") for problem in problems)
    ]


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.mistakes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lesson", help="two digits, such as 05")
    parser.add_argument("--seeds", type=int, default=1, help="how many sets of random cases (default: 1)")
    asked = parser.parse_args(arguments)
    return int(report(asked.lesson, asked.seeds) > 0)


if __name__ == "__main__":
    sys.exit(main())
