"""`make lesson LESSON=05`: all that concerns one lesson, the quickest first, and stop at the first that fails.

Its rules and the examples of its docstrings, its mistakes, its notebooks (run if the code has changed), its tests.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tools import build, mistakes, outline, repository
from tools.declarations import told_in_one_line
from tools.lesson import BuildError
from utils.checks import exercises
from utils.paths import COURSE


def main(arguments: list[str] | None = None, root: Path = COURSE) -> int:
    """The command. Returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.check_lesson", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lesson", help="two digits, such as 05")
    number = parser.parse_args(arguments).lesson
    try:
        with told_in_one_line():
            [file] = build.lesson_files(root, [number])
            address = repository.find(root, os.environ.get("REPOSITORY"))
            composed = build.compose_lesson(file, address, outline.read(root))
            if mistakes.report(number):
                return 1
            build.build(composed, root, force=False)
    except BuildError as error:
        print(*error.problems, sep="\n", file=sys.stderr)
        return 1
    failed = subprocess.run(tests(number), cwd=root).returncode
    if not failed:
        print("Next: `make build`, which brings README's table and the links of other lessons up to date.")
    return failed


def tests(number: str) -> list[str]:
    """The command that runs a lesson's tests: its own file, and what other files test for each exercise."""
    own = f"test_lesson_{number}"
    names = [exercise.name for exercise in exercises() if exercise.lesson == number]
    files = [f"tests/{own}.py", "tests/test_checks.py", "tests/test_answers_of_lessons.py"]
    return [sys.executable, "-m", "pytest", "-q", *files, "-k", " or ".join([own, *names])]


if __name__ == "__main__":
    sys.exit(main())
