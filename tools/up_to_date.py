"""Whether notebooks/ and solutions/ are what lessons/ gives, told without executing anything."""

from pathlib import Path

from nbformat import NotebookNode

from tools import figures, files, outputs
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
        compared = stored if folder == "notebooks" else files.without_run(stored)
        if files.text_of(compared) != files.text_of(wanted):
            where = difference(compared, wanted)
            problems.append(f"{name}: not what lessons/{lesson.file.name} gives ({where}): {REMEDY}")
        if (root / name).stat().st_size > files.MOST_BYTES:
            problems.append(f"{name}: larger than 1 MB")
        if folder == "solutions":
            problems += [f"{name}: cell {index + 1}: {text}" for index, text in outputs.defects(stored)]
        if folder == "solutions" and not problems:
            problems += [f"{problem}: {REMEDY}" for problem in figures.stale(root, lesson, stored)]
    return problems


def difference(stored: NotebookNode, wanted: NotebookNode) -> str:
    """Where two notebooks begin to differ."""
    for number, (a, b) in enumerate(zip(stored.cells, wanted.cells, strict=False), start=1):
        if a != b:
            return f"cell {number} differs"
    if len(stored.cells) != len(wanted.cells):
        return f"{len(stored.cells)} cells, not {len(wanted.cells)}"
    return "metadata"


def without_lesson(root: Path) -> list[str]:
    """Notebooks that no lesson gives; a lesson that was renamed leaves them. They are for a person to delete."""
    return [
        f"{folder}/{file.name}: there is no lessons/{file.stem}.py for it: delete it, or write the lesson"
        for folder in FOLDERS
        for file in sorted((root / folder).glob("*.ipynb"))
        if not (root / "lessons" / f"{file.stem}.py").exists()
    ]
