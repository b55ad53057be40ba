"""The invented class: every kind is in it, and each answer is what it is said to be."""

import math
from collections import Counter

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from grading.assignment import Assignment, Task, load_assignment
from grading.classroom import Classroom
from grading.demo.answers import mistaken_answers, right_answer
from grading.demo.faults import ATTACKS, BREAKAGES
from grading.demo.making import NAME, make_class
from utils.checking import Exercise, Status


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    return Classroom(folder), make_class(folder)


def files(classroom: Classroom) -> dict:
    return {path.relative_to(classroom.root): path.read_bytes() for path in classroom.root.rglob("*") if path.is_file()}


def test_every_student_has_handed_in_and_stands_in_the_roster(made):
    classroom, students = made
    assert len(students) == 60
    assert classroom.students(NAME) == [student.id for student in students]
    roster = (classroom.root / "roster.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in roster] == ["id", *(student.id for student in students)]


def test_every_kind_of_fault_and_every_mistake_that_can_be_written_is_in_a_class_of_sixty(made):
    classroom, students = made
    kinds = {student.kind for student in students}
    assert {f"broken: {name}" for name in BREAKAGES} | {f"hostile: {name}" for name in ATTACKS} <= kinds
    assert {"right", "half right", "copied", "untouched", "mistaken"} <= kinds
    assignment = load_assignment(classroom.released(NAME))
    written = {(task.answer, name) for task in assignment.tasks for name in mistaken_answers(assignment, task)}
    assert written <= {answer for student in students for answer in student.answers.items()}
    assert len(written) >= 30


def test_a_small_class_begins_with_one_of_each_kind(tmp_path):
    kinds = Counter(student.kind for student in make_class(tmp_path, size=15))
    assert max(kinds.values()) == 1


def test_the_same_seed_makes_the_same_files(made, tmp_path):
    make_class(tmp_path / "again")
    make_class(tmp_path / "other", seed=1)
    assert files(Classroom(tmp_path / "again")) == files(made[0])
    assert files(Classroom(tmp_path / "other")) != files(made[0])


def test_each_answer_is_what_it_is_said_to_be(made):
    """For a part of the class: the answers are run as a notebook would run them, and judged."""
    classroom, students = made
    tasks = load_assignment(classroom.released(NAME)).tasks
    for student in [student for student in students if student.answers][::4]:
        notebook = nbformat.read(classroom.submitted(student.id, NAME), as_version=4)
        cells = {cell.id: cell.source for cell in notebook.cells}
        namespace = {"torch": torch, "F": F, "np": np}
        for task in tasks:
            exec(cells[task.answer], namespace)
            verdict = task.exercises[0].judge(namespace[task.answer], seed=1)
            came_out = {Status.PASSED: "right", Status.NOT_ATTEMPTED: "untouched", Status.FAILED: verdict.mistake}
            assert came_out[verdict.status] == student.answers[task.answer], verdict.text()


def test_broken_files_are_broken_and_hostile_ones_are_notebooks(made):
    classroom, students = made
    for student in students:
        path = classroom.submitted(student.id, NAME)
        if student.kind in ("broken: empty file", "broken: upload cut short"):
            with pytest.raises(nbformat.reader.NotJSONError):
                nbformat.read(path, as_version=4)
        elif student.kind.startswith("hostile"):
            nbformat.validate(nbformat.read(path, as_version=4))


def test_a_slip_is_written_as_the_recipe_with_its_switches():
    """An exercise as `utils.checking` describes it, whose mistakes are a slip, a lambda and a function."""
    exercise = Exercise(double, lesson="99", points=1, hint="Twice.")
    exercise.cases(lambda rng: [(3,), (4,)])
    exercise.recipe(recipe)
    exercise.slip("thrice", factor=3).says("Three times.")
    exercise.slip("half", turn=lambda x: x / 4).says("Half.")
    exercise.wrong("nothing", lambda x: 0 * x).says("Nothing.")
    exercise.wrong("cannot_be_written", math.sqrt).says("No source.")
    stub = 'def double(x):\n    """Twice x."""\n    raise NotImplementedError  # your code here'
    cells = [
        nbformat.v4.new_code_cell(stub, id="double", metadata={"nbgrader": {"grade_id": "double", "solution": True}})
    ]
    cells += [nbformat.v4.new_code_cell("1", id="check", metadata={"nbgrader": {"grade_id": "check", "grade": True}})]
    task = Task("check", "double", 1, exercise.lesson, exercise.name, (exercise,))
    assignment = Assignment("99_test", nbformat.v4.new_notebook(cells=cells), (task,))

    written = mistaken_answers(assignment, task)

    assert list(written) == ["thrice", "half", "nothing"]
    for name, source in [*written.items(), ("", right_answer(assignment, task, in_another_style=True))]:
        namespace = {}
        exec(source, namespace)
        assert exercise.judge(namespace["double"]).mistake == name


def double(x):
    """Twice a number."""
    return x + x


def recipe(x, factor=2, turn=lambda x: x):
    return factor * turn(x)
