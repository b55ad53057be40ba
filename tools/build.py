"""Build the notebooks: `python -m tools.build [LESSON …]`, where a lesson is named by its two digits.

lessons/NN_topic.py is the only place where a lesson is written. From it come

    solutions/NN_topic.ipynb   complete, executed, with outputs; a source notebook for nbgrader
    notebooks/NN_topic.ipynb   the learner's copy: no answers, no outputs
    docs/figures/NN_name.png   the figures of cells marked figure="name", for the README

and, from the first cells of all lessons, README's table and the links from one lesson to the next; from the cells that
say what they cover, docs/coverage.md.

A lesson is executed where its code differs from the code of the stored solution, or where that solution holds
something that a build would refuse. A change of text, points or badges keeps the outputs. A change in utils/ is
not seen (`python -m tools.stale` lists it): `--force` executes whatever is asked for.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from tools import (
    compose,
    doctests,
    documents,
    execution,
    files,
    lesson,
    nbgrader_cells,
    outline,
    outputs,
    repository,
    rules,
    stale,
    up_to_date,
)
from tools.declarations import told_in_one_line
from tools.lesson import BuildError, Lesson
from tools.outline import Outline
from tools.repository import Repository
from utils.cells import SETUP_ID
from utils.checking import Exercise
from utils.checks import exercises
from utils.paths import COURSE

WITH_BOOKS = {**execution.ENVIRONMENT, "REACH_BOOKS": "on"}  # widgets are stored as pages that need no kernel


@dataclass(frozen=True)
class Composed:
    """A lesson and its two notebooks, not yet executed."""

    lesson: Lesson
    solution: NotebookNode
    learners: NotebookNode


def main(arguments: list[str] | None = None, root: Path = COURSE) -> int:
    """The command. Returns its exit status; problems go to standard error."""
    asked = parse_arguments(arguments)
    try:
        with told_in_one_line():
            address, course = repository.find(root, asked.repository), outline.read(root)
            composed = collect(compose_lesson, lesson_files(root, asked.lessons), address, course)
            texts = documents.documents(root, address, course)
            if asked.check:
                check(root, composed, course, texts)
                print("Up to date: " + ", ".join(one.lesson.stem for one in composed))
            else:
                files.write(texts)
                collect(build, composed, root, asked.force)
                for file in orphans(root, composed, course):
                    file.unlink()
    except BuildError as error:
        print(*error.problems, sep="\n", file=sys.stderr)
        return 1
    return 0


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.build", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="two digits, such as 03 (default: all)")
    parser.add_argument("--force", action="store_true", help="execute lessons even where their code is unchanged")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a build would change something")
    parser.add_argument(
        "--repository",
        default=os.environ.get("REPOSITORY"),
        metavar="ADDRESS",
        help="a fork's address, for badges and set-up cells (default: $REPOSITORY, else pyproject.toml's)",
    )
    return parser.parse_args(arguments)


def collect(step: Callable, items: list, *arguments: object) -> list:
    """`step(item, *arguments)` for each item. Problems are gathered, so that one item's do not hide another's."""
    done, problems = [], []
    for item in items:
        try:
            done.append(step(item, *arguments))
        except BuildError as error:
            problems += error.problems
    if problems:
        raise BuildError(problems)
    return done


def lesson_files(root: Path, numbers: list[str]) -> list[Path]:
    """The lessons' files, those of `numbers` or all."""
    found = sorted((root / "lessons").glob("*.py"))
    twice = [number for number, count in Counter(file.name.split("_")[0] for file in found).items() if count > 1]
    if twice:
        raise BuildError([f"two files of lessons/ have the number {number}" for number in twice])
    unknown = [number for number in numbers if not any(file.name.startswith(f"{number}_") for file in found)]
    if unknown:
        raise BuildError([f"there is no lessons/{number}_….py" for number in unknown])
    return [file for file in found if not numbers or file.name.split("_")[0] in numbers]


def compose_lesson(file: Path, address: Repository, course: Outline) -> Composed:
    """Read a lesson and put its notebooks together. Raises BuildError with all that is wrong with it."""
    parsed = lesson.read(file)
    known: dict[str, Exercise] = {one.name: one for one in exercises() if one.lesson == parsed.number}
    if problems := rules.problems(parsed, known) or doctests.problems(parsed):
        raise BuildError(problems)
    solution = compose.solution(parsed, known, address, course)
    return Composed(parsed, solution, nbgrader_cells.learners_copy(solution))


def build(composed: Composed, root: Path, force: bool) -> None:
    """Bring the notebooks of a lesson up to date and say so in one line. Raises BuildError, and then writes nothing."""
    stem, solution = composed.lesson.stem, composed.solution
    target = root / "solutions" / f"{stem}.ipynb"
    stored = files.read(target)
    done = "unchanged"
    if force or stored is None or not is_current(stored, solution):
        started = time.perf_counter()
        stored = execute(composed, target.parent)
        stale.record(stored, stale.modules(root, composed.lesson.file))
        done = f"executed in {time.perf_counter() - started:.0f} s"
    outputs.copy_run(stored, solution, compose.unstored(composed.lesson))
    stale.record(solution, stale.recorded(stored))
    if problems := located(composed, outputs.defects(solution)):
        raise BuildError(problems)

    text = files.text_of(solution)
    if len(text.encode()) > files.MOST_BYTES:
        raise BuildError([f"{target.parent.name}/{target.name}: {kilobytes(text)}, and 1 MB is the most: store less"])
    pictures = {root / file: picture for file, picture in outputs.figures(composed.lesson, solution).items()}
    learners = root / "notebooks" / target.name
    contents = {target: text, learners: files.text_of(composed.learners), **pictures}
    if files.write(contents) and done == "unchanged":
        done = "built, outputs kept"
    print(f"{stem}: {done}, {kilobytes(text)}", flush=True)


def is_current(stored: NotebookNode, solution: NotebookNode) -> bool:
    """Whether the outputs of the stored solution can be kept."""
    return outputs.same_run(stored, solution, SETUP_ID) and not any(outputs.defects(stored))


def execute(composed: Composed, folder: Path) -> NotebookNode:
    """The solution with the outputs of a run in `folder`. Raises BuildError for a cell that fails."""
    folder.mkdir(exist_ok=True)
    try:
        return execution.execute(composed.solution, folder, environment=WITH_BOOKS)
    except execution.CellFailed as error:
        raise BuildError(located(composed, [(error.index, error.text)])) from error


def located(composed: Composed, problems: Iterable[tuple[int, str]]) -> list[str]:
    """Problems of cells, given as (index of the cell in the solution, text), with their lines in the lesson."""
    lines = compose.source_lines(composed.lesson)
    return [composed.lesson.problem(lines[index], text) for index, text in problems]


def orphans(root: Path, composed: list[Composed], course: Outline) -> list[Path]:
    """The figures on disk that no lesson makes any more."""
    lessons = [one.lesson for one in composed]
    others = {entry.number for entry in course.entries} - {lesson.number for lesson in lessons}
    return outputs.orphaned_figures(root, lessons, others)


def check(root: Path, composed: list[Composed], course: Outline, texts: dict[Path, str]) -> None:
    """Raise BuildError if anything on disk is not what a build would leave, or a lesson has no tests."""
    problems = up_to_date.without_lesson(root)
    for one in composed:
        problems += up_to_date.stale(root, one.lesson, one.solution, one.learners)
    for file in orphans(root, composed, course):
        problems.append(f"{file.relative_to(root).as_posix()}: no lesson makes this figure: {up_to_date.REMEDY}")
    for file, text in texts.items():
        if file.read_text(encoding="utf-8") != text:
            problems.append(f"{file.name}: what is generated in it is out of date: {up_to_date.REMEDY}")
    problems += up_to_date.without_tests(root, [one.lesson for one in composed])
    if problems:
        raise BuildError(problems)


def kilobytes(text: str) -> str:
    return f"{len(text.encode()) / 1000:.0f} kB"


if __name__ == "__main__":
    sys.exit(main())
