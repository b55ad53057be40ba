"""Whether what is generated is what lessons/ give, and whether a lesson has all that it needs beside it.

Nothing is executed.
"""

import re
from pathlib import Path

from nbformat import NotebookNode

from tools import compose, files, outputs
from tools.lesson import Lesson

FOLDERS = ("notebooks", "solutions")
REMEDY = "run make build"


def stale(root: Path, lesson: Lesson, solution: NotebookNode, learners: NotebookNode) -> list[str]:
    """What is wrong with the two notebooks of a lesson, given what they should be."""
    problems = []
    for folder, wanted in zip(FOLDERS, (learners, solution), strict=True):
        name = f"{folder}/{lesson.stem}.ipynb"
        stored = files.read(root / name)
        if stored is None:
            problems.append(f"{name}: missing, or no notebook: {REMEDY}")
            continue
        bare = files.without_run(stored) if folder == "solutions" else stored
        if files.text_of(bare) != files.text_of(wanted):
            problems.append(
                lesson.problem(first_difference(lesson, bare, wanted), f"{name} differs from here on: {REMEDY}")
            )
        if (root / name).stat().st_size > files.MOST_BYTES:
            problems.append(f"{name}: larger than 1 MB")
        if folder == "solutions":
            problems += [f"{name}: cell {index + 1}: {text}" for index, text in outputs.defects(stored)]
            problems += _stored_against_the_marker(lesson, stored)
        if folder == "solutions" and not problems:
            problems += [f"{problem}: {REMEDY}" for problem in outputs.stale_figures(root, lesson, stored)]
    return problems


def first_difference(lesson: Lesson, stored: NotebookNode, wanted: NotebookNode) -> int:
    """The line of the lesson from which on a stored notebook is another one; 1 if only its metadata are."""
    lines = compose.source_lines(lesson)
    for line, a, b in zip(lines, stored.cells, wanted.cells, strict=False):
        if a != b:
            return line
    return 1 if len(stored.cells) == len(wanted.cells) else lines[min(len(stored.cells), len(lines) - 1)]


def _stored_against_the_marker(lesson: Lesson, stored: NotebookNode) -> list[str]:
    unstored = compose.unstored(lesson)
    return [
        f"solutions/{lesson.stem}.ipynb: cell {index + 1}: it stores outputs, against stored=false: {REMEDY}"
        for index, cell in enumerate(stored.cells)
        if cell.get("id") in unstored and cell.get("outputs")
    ]


def without_lesson(root: Path) -> list[str]:
    """Notebooks that no lesson gives; a lesson that was renamed leaves them. They are for a person to delete."""
    return [
        f"{folder}/{file.name}: there is no lessons/{file.stem}.py for it: delete it, or write the lesson"
        for folder in FOLDERS
        for file in sorted((root / folder).glob("*.ipynb"))
        if not (root / "lessons" / f"{file.stem}.py").exists()
    ]


def without_tests(root: Path, lessons: list[Lesson]) -> list[str]:
    """The lessons that have no test file of their own, and the widgets that no test tries in a browser."""
    problems = [
        f"tests/test_lesson_{lesson.number}.py is missing: right answers in other styles, figures, the widget"
        for lesson in lessons
        if not (root / "tests" / f"test_lesson_{lesson.number}.py").exists()
    ]
    tests = "\n".join(file.read_text(encoding="utf-8") for file in sorted((root / "tests").glob("test_*.py")))
    for file in sorted((root / "utils" / "widgets").glob("*.py")):
        shows = f"def {file.stem}(" in file.read_text(encoding="utf-8")  # a helper has no function of its own name
        if shows and not re.search(rf"^def test_{file.stem}\w*\(lab\b", tests, re.MULTILINE):
            what = f"no test tries it in a browser: def test_{file.stem}(lab)"
            problems.append(f"utils/widgets/{file.name}: {what}, or delete a widget that no lesson shows")
    return problems
