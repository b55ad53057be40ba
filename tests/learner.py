"""`python -m tests.learner`: the tests of all that learners run, for systems on which make may be missing.

Those are the files of tests/ that reach, by what they import, neither the grader nor what authors install beside the
course; then the first lessons, by nbval. Widgets in a browser are tested on Linux.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.imports import imports

COURSE = Path(__file__).parents[1]
OURS = ("bench", "grading", "reach_course", "tests", "tools", "utils")
NOT_FOR_LEARNERS = {"build", "nbgitpuller", "grading", "jinja2", "jupytext", "nbgrader", "psutil", "sphinx"}
NOTEBOOKS = ("00", "01", "02", "03")

PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.progress", "-n", "2"]
NBVAL = ["-p", "tests.notebooks", "--nbval-lax", "--nbval-cell-timeout=900", "--dist", "loadscope"]
ENVIRONMENT = {"REACH_PROGRESS": "off", "OMP_NUM_THREADS": "1"}


def files() -> list[Path]:
    """The learner's test files."""
    return [file for file in sorted((COURSE / "tests").glob("test_*.py")) if not reached(file) & NOT_FOR_LEARNERS]


def notebooks() -> list[Path]:
    return [file for number in NOTEBOOKS for file in sorted((COURSE / "notebooks").glob(f"{number}_*.ipynb"))]


def reached(file: Path) -> set[str]:
    """The packages that a test file imports, by itself or by what it imports of ours."""
    seen, waiting, packages = set(), [file], set()
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        for module in imported(one):
            packages.add(module.partition(".")[0])
            waiting += sources(module)
    return packages


@cache  # most test files reach the same ones
def imported(file: Path) -> list[str]:
    return list(imports(file.read_text(encoding="utf-8"), ".".join(file.relative_to(COURSE).parent.parts)))


def sources(module: str) -> Iterator[Path]:
    """The files of ours that Python runs to import this: the packages on the way, and the module itself.

    A last part that is no module is a name in the one before.
    """
    parts = module.split(".")
    if parts[0] not in OURS:
        return
    for count in range(1, len(parts) + 1):
        path = COURSE.joinpath(*parts[:count])
        yield from (one for one in (path / "__init__.py", path.with_suffix(".py")) if one.is_file())


def main() -> int:
    environment = os.environ | ENVIRONMENT
    units = [*PYTEST, "--dist", "worksteal", "-m", "not browser", *map(str, files())]
    lessons = [*PYTEST, *NBVAL, *map(str, notebooks())]
    results = [subprocess.run(command, cwd=COURSE, env=environment).returncode for command in (units, lessons)]
    return max(results)


if __name__ == "__main__":
    sys.exit(main())
