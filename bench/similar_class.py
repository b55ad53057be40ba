"""A class for the bench of similarity: right answers in the styles of the course's own tests."""

import copy
import random
from functools import cache

from nbformat import NotebookNode

from bench.disguises import in_own_way, renamed
from grading.assignment import Assignment, Task
from grading.demo.answers import NotWritten, filled, solutions
from tests import test_lesson_01

POPULAR = 0.35  # share of the class that writes an exercise as the course does


@cache
def styles(name: str, task: Task, stub: str) -> list[str]:
    """The ways in which the tests of the course answer an exercise, as answer cells; the course's own is the first."""
    written = [solutions(name)[task.answer]]
    for answer in test_lesson_01.RIGHT[task.exercise].values():
        try:
            written.append(filled(stub, answer, task.exercises[0]))
        except NotWritten:
            continue
    return written


def independent(assignment: Assignment, rng: random.Random) -> dict[str, str]:
    """One student's answers, {id of the cell: source}, each in a style of their own and with their own names."""
    stubs = {cell.id: cell.source for cell in assignment.notebook.cells}
    answers = {}
    for task in assignment.tasks:
        first, *others = styles(assignment.name, task, stubs[assignment.answer_cells[task.grade_id]])
        source = first if rng.random() < POPULAR else rng.choice(others)
        answers[task.answer] = renamed(in_own_way(source, rng), rng)
    return answers


def handed_in(assignment: Assignment, answers: dict[str, str]) -> NotebookNode:
    """The released notebook with these answers."""
    notebook = copy.deepcopy(assignment.notebook)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    return notebook
