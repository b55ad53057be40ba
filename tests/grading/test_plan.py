"""Only what the answers need is run."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from grading.assignment import Assignment, load_assignment
from grading.submission.names import names_of
from grading.submission.plan import cells_to_run
from utils.paths import COURSE, NOTEBOOKS

LESSONS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


def marked(source, name, **marks):
    return new_code_cell(source, id=name, metadata={"nbgrader": {"grade_id": name, **marks}})


@pytest.fixture
def released():
    cells = [
        new_code_cell("fetch_the_course()", id="set-up"),
        new_code_cell("import math", id="imports"),
        new_code_cell("base = 10", id="base"),
        new_code_cell("def helper():\n    return base", id="helper"),
        new_code_cell("model = train_for_an_hour()", id="training"),
        marked("def answer():\n    raise NotImplementedError", "answer", solution=True),
        marked("check.answer(answer)", "check_answer", grade=True),
        new_code_cell("with payoff('answer'):\n    shown = answer()", id="payoff"),
    ]
    return Assignment("99_test", new_notebook(cells=cells), ())


def names_run(notebook, assignment, **options):
    return [notebook.cells[at].id for at in cells_to_run(notebook, assignment, **options)]


def plan(released, *own, answer=None, change=None):
    """Ids of what is run when the answer says this and these own cells follow it."""
    notebook = deepcopy(released.notebook)
    for cell in notebook.cells:
        cell.source = (change or {}).get(cell.id, answer if answer and cell.id == "answer" else cell.source)
    notebook.cells[6:6] = [new_code_cell(source, id=f"own-{i}") for i, source in enumerate(own, 1)]
    return names_run(notebook, released)


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize("folder", ["notebooks", "solutions"])
def test_of_a_lesson_only_imports_and_answers_are_run(lesson, folder):
    assignment = load_assignment(NOTEBOOKS / f"{lesson}.ipynb")
    notebook = deepcopy(assignment.notebook)
    answers = {task.answer for task in assignment.tasks}
    solved = load_assignment(COURSE / folder / f"{lesson}.ipynb").notebook
    for cell, with_answer in zip(notebook.cells, solved.cells, strict=True):
        cell.source = with_answer.source if cell.id in answers else cell.source
    first, *rest = names_run(notebook, assignment)
    assert "notebook.setup()" in next(cell.source for cell in notebook.cells if cell.id == first)
    assert set(rest) == answers


def test_everything_is_everything_but_the_checks_and_the_fetching(released):
    expected = ["imports", "base", "helper", "training", "answer", "payoff"]
    assert names_run(released.notebook, released, everything=True) == expected


def test_what_an_answer_uses_is_run_and_what_that_uses(released):
    assert plan(released) == ["imports", "answer"]
    assert plan(released, answer="def answer():\n    return helper()") == ["imports", "base", "helper", "answer"]


def test_own_cells_are_run(released):
    assert plan(released, "import os", "os.getcwd()") == ["imports", "answer", "own-1", "own-2"]


def test_an_own_cell_that_an_answer_uses_brings_what_it_needs(released):
    ran = plan(released, "def mine():\n    return model", answer="def answer():\n    return mine()")
    assert ran == ["imports", "training", "answer", "own-1"]


def test_an_experiment_on_a_demonstration_does_not_make_that_run(released):
    assert plan(released, "weights = model.weights", "print(weights)", "y = 2") == ["imports", "answer", "own-3"]


def test_a_changed_demonstration_is_run(released):
    assert plan(released, change={"base": "base = 11"}) == ["imports", "base", "answer"]
    changed = {"training": "model = 3"}
    assert plan(released, change=changed) == ["imports", "training", "answer"]


def test_of_two_makers_the_last_one_before_the_reader_is_taken(released):
    ran = plan(released, "def helper():\n    return 1", answer="def answer():\n    return helper()")
    assert ran == ["imports", "base", "helper", "answer", "own-1"]
    assert plan(released, "def helper():\n    return 1", "helper()") == ["imports", "answer", "own-1", "own-2"]


def test_the_names_of_a_payoff_are_nobodys(released):
    assert plan(released, answer="def answer():\n    return shown") == ["imports", "answer"]


# --- the names of a cell ---

CELLS = [
    ("x = y", {"x"}, {"y"}),
    ("import a.b, c as d\nfrom e import f", {"a", "d", "f"}, {"a.py", "a/b.py", "c.py", "e.py"}),
    ("def f(x, y=z):\n    w = x\n    return w + v", {"f"}, {"z", "v"}),
    ("class A(B):\n    c = 1\n    def m(self):\n        return A, d", {"A"}, {"B", "d"}),
    ("[i * k for i in range(3)]", set(), {"k"}),
    ("def f():\n    global g\n    g = 1", {"f", "g"}, set()),
    ("%matplotlib inline\nfiles = !ls\nhelp?\nx = y", {"files", "x"}, {"y"}),
    ('text = f"{x=!r}"', {"text"}, {"x"}),
    ("this is no Python", set(), set()),
    ("x = 1\0", set(), set()),
]


@pytest.mark.parametrize(("source", "makes", "takes"), CELLS)
def test_names_of_a_cell(source, makes, takes):
    names = names_of(source)
    assert names.makes == makes
    assert names.takes == takes


@pytest.mark.parametrize("source", ["(" * 5000, "-" * 50_000 + "1", "a" + ".a" * 20_000, "lambda:" * 9_000 + "1"])
def test_code_that_is_too_deep_for_python_has_no_names(source):
    assert not names_of(source).makes


@given(st.text(max_size=60))
def test_any_text_has_names_or_none(source):
    names_of(source)
