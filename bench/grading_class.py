"""A class for the grading benches: three exercises of lesson 01, with right answers and mistakes."""

import random
from copy import deepcopy
from pathlib import Path

import nbformat

from grading.classroom import Classroom
from utils.paths import NOTEBOOKS, SOLUTIONS

LESSON = "01_convolution"
EXERCISES = ("output_size", "conv2d", "max_pool2d")
SHARE_RIGHT = 0.6

RIGHT = {
    "output_size": """
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
""",
    "conv2d": """
def conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    return F.conv2d(x[None], weight, bias, stride, padding, dilation)[0]
""",
    "max_pool2d": """
def max_pool2d(x, kernel, stride):
    return F.max_pool2d(x[None], kernel, stride)[0]
""",
}
WRONG = {
    "output_size": """
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return (size + padding - dilation * (kernel - 1) - 1) // stride + 1
""",
    "conv2d": RIGHT["conv2d"].replace("weight, bias", "weight.flip(2, 3), bias"),
    "max_pool2d": RIGHT["max_pool2d"].replace("max_pool2d(x[None]", "avg_pool2d(x[None]"),
}


def make_class(root: Path, size: int) -> Classroom:
    """Submissions of `size` students in nbgrader's layout, the same ones for the same size."""
    classroom, rng = Classroom(root), random.Random(0)
    released = _released()
    classroom.released(LESSON).parent.mkdir(parents=True)
    nbformat.write(released, classroom.released(LESSON))
    for number in range(size):
        notebook = deepcopy(released)
        for cell in notebook.cells:
            if cell.id in EXERCISES:
                cell.source = (RIGHT if rng.random() < SHARE_RIGHT else WRONG)[cell.id]
        path = classroom.submitted(f"s{number:04}", LESSON)
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    return classroom


def make_one(root: Path) -> Classroom:
    """One submission of the whole lesson 01, as it is handed out and handed in: all of its answers are right."""
    classroom = Classroom(root)
    released, submitted = classroom.released(LESSON), classroom.submitted("s0000", LESSON)
    for path, folder in ((released, NOTEBOOKS), (submitted, SOLUTIONS)):
        path.parent.mkdir(parents=True)
        path.write_bytes((folder / f"{LESSON}.ipynb").read_bytes())
    return classroom


def _released() -> nbformat.NotebookNode:
    """The released lesson 01, cut down to the imports and three exercises."""
    notebook = nbformat.read(NOTEBOOKS / f"{LESSON}.ipynb", as_version=4)
    kept = {*EXERCISES, *(f"check_{name}" for name in EXERCISES)}
    notebook.cells = [cell for cell in notebook.cells if cell.id in kept or "from utils.checks import" in cell.source]
    return notebook
