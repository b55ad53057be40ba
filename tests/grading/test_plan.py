"""Answers are asked on what they need; what else is run, and in what order."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from grading.assignment import Assignment, Task, load_assignment
from grading.submission.names import names_of
from grading.submission.plan import make_plan
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
    return Assignment("99_test", new_notebook(cells=cells), (Task("check_answer", "answer", 1, "99", "answer"),))


HANDED_IN = "def answer():\n    return 1"


def handed_in(released, *own, answer=HANDED_IN, change=None, at=6):
    """The released notebook with this answer, and own cells before the cell at this place: the check, unless told."""
    notebook = deepcopy(released.notebook)
    for cell in notebook.cells:
        cell.source = (change or {}).get(cell.id, answer if answer and cell.id == "answer" else cell.source)
    notebook.cells[at:at] = [new_code_cell(source, id=f"own-{i}") for i, source in enumerate(own, 1)]
    return notebook


def ids(notebook, positions):
    return [notebook.cells[at].id for at in positions]


def needed(released, *own, **changes):
    """Ids of the cells that the answer needs."""
    notebook = handed_in(released, *own, **changes)
    return ids(notebook, make_plan(notebook, released).needed)


def whole(released, *own, everything=False, **changes):
    """Ids of all cells that are run."""
    notebook = handed_in(released, *own, **changes)
    return ids(notebook, make_plan(notebook, released, everything).whole)


def asked_after(released, *own, **changes):
    """Id of the cell after which the answer is asked."""
    notebook = handed_in(released, *own, **changes)
    return notebook.cells[make_plan(notebook, released).asked_after["check_answer"]].id


def imports_first(released, *own, **changes):
    return make_plan(handed_in(released, *own, **changes), released).imports


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize("folder", ["notebooks", "solutions"])
def test_of_a_lesson_only_imports_and_answers_are_run(lesson, folder):
    assignment = load_assignment(NOTEBOOKS / f"{lesson}.ipynb")
    notebook = deepcopy(assignment.notebook)
    answers = {task.answer for task in assignment.tasks}
    solved = load_assignment(COURSE / folder / f"{lesson}.ipynb").notebook
    for cell, with_answer in zip(notebook.cells, solved.cells, strict=True):
        cell.source = with_answer.source if cell.id in answers else cell.source
    plan = make_plan(notebook, assignment)
    first, *rest = ids(notebook, plan.needed)
    assert "notebook.setup()" in next(cell.source for cell in notebook.cells if cell.id == first)
    assert set(rest) == answers
    assert plan.whole == plan.needed and not plan.has_rest and plan.imports == ""


def test_everything_is_everything_but_the_checks_and_the_fetching(released):
    expected = ["imports", "base", "helper", "training", "answer", "payoff"]
    assert whole(released, everything=True, answer="") == expected
    assert needed(released) == ["imports", "answer"]


def test_what_an_answer_uses_is_needed_and_what_that_uses(released):
    assert needed(released) == ["imports", "answer"]
    assert needed(released, answer="def answer():\n    return helper()") == ["imports", "base", "helper", "answer"]


def test_own_cells_are_run_and_not_needed(released):
    assert whole(released, "import os", "os.getcwd()") == ["imports", "answer", "own-1", "own-2"]
    assert needed(released, "import os", "os.getcwd()") == ["imports", "answer"]


def test_an_own_cell_that_an_answer_uses_brings_what_it_needs(released):
    ran = needed(released, "def mine():\n    return model", answer="def answer():\n    return mine()")
    assert ran == ["imports", "training", "answer", "own-1"]


def test_an_experiment_on_a_demonstration_does_not_make_that_run(released):
    assert whole(released, "weights = model.weights", "print(weights)", "y = 2") == ["imports", "answer", "own-3"]


def test_a_changed_demonstration_is_run_and_not_needed(released):
    for change in ({"base": "base = 11"}, {"training": "model = 3"}):
        assert whole(released, change=change) == ["imports", *change, "answer"]
        assert needed(released, change=change) == ["imports", "answer"]


@pytest.mark.parametrize("layout", ["base  =  10\n", "base = 10  # ten", "\n\nbase = (10)", "base = 10\r\n"])
def test_layout_is_no_change(released, layout):
    assert whole(released, change={"base": layout}) == ["imports", "answer"]


def test_all_own_makers_of_a_name_before_the_check_are_needed_since_one_may_build_on_the_other(released):
    answer = "def answer():\n    return total"
    assert needed(released, "total = 1", "total += 1", answer=answer) == ["imports", "answer", "own-1", "own-2"]


def test_of_the_courses_makers_the_last_one_before_the_reader_is_needed_where_the_students_come_too(released):
    ran = needed(released, "def helper():\n    return 1", answer="def answer():\n    return helper()")
    assert ran == ["imports", "base", "helper", "answer", "own-1"]
    assert needed(released, "def helper():\n    return 1") == ["imports", "answer"]


def test_the_names_of_a_payoff_are_nobodys(released):
    assert needed(released, answer="def answer():\n    return shown") == ["imports", "answer"]


def test_an_answer_is_asked_where_its_check_stands(released):
    assert asked_after(released) == "check_answer"
    wrong = "def answer():\n    return 2"
    assert asked_after(released, wrong, at=7) == "check_answer"
    assert needed(released, wrong, at=7) == ["imports", "answer"]
    assert whole(released, wrong, at=7) == ["imports", "answer", "own-1"]


def test_an_own_cell_before_the_check_may_define_the_answer_again(released):
    assert needed(released, "def answer():\n    return 2") == ["imports", "answer", "own-1"]


def test_an_answer_that_needs_a_later_cell_is_asked_after_it(released):
    uses = "def answer():\n    return mine"
    assert asked_after(released, "x = 1", "mine = 1", "y = 1", answer=uses, at=8) == "own-2"
    assert needed(released, "x = 1", "mine = 1", "y = 1", answer=uses, at=8) == ["imports", "answer", "own-2"]


@pytest.mark.parametrize("at", [3, 6, 7, 8])
def test_a_stub_that_was_left_takes_no_answer_away(released, at):
    """Wherever the student wrote it: above the stub, below it, or at the end."""
    assert needed(released, HANDED_IN, answer="", at=at) == ["imports", "own-1"]
    assert whole(released, HANDED_IN, answer="", at=at) == ["imports", "own-1"]
    assert needed(released, "other = 1", answer="", at=at) == ["imports", "answer"]


def test_to_import_again_what_the_course_imports_makes_no_cell_needed(released):
    uses = "def answer():\n    return math.pi"
    assert needed(released, "import math\nslow()", answer=uses) == ["imports", "answer"]
    assert needed(released, "import cmath as math", answer=uses) == ["imports", "answer", "own-1"]


def test_the_released_imports_come_first_where_the_students_are_others_or_come_later(released):
    ours = "import math"
    assert imports_first(released) == ""
    assert imports_first(released, change={"imports": "%matplotlib widget\nimport math"}) == ours
    assert imports_first(released, change={"imports": "import seaborn\nimport math"}) == ours
    assert imports_first(released, "x = 1", at=1) == ours


def test_a_plan_knows_which_cells_should_make_a_name(released):
    notebook = handed_in(released, "mine = 1", "mine = base")
    makers = make_plan(notebook, released).makers
    assert ids(notebook, makers["mine"]) == ["own-1", "own-2"] and ids(notebook, makers["answer"]) == ["answer"]
    broken = handed_in(released, answer="def answer(:")
    assert ids(broken, make_plan(broken, released).makers["answer"]) == ["answer"]


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


@pytest.mark.parametrize(
    "source", ["(" * 5000, "-" * 50_000 + "1", "a" + ".a" * 20_000, "lambda:" * 9_000 + "1", "import " + "a." * 49_000]
)
def test_code_that_is_too_deep_for_python_has_no_names(source):
    assert not names_of(source).makes


@given(st.text(max_size=60))
def test_any_text_has_names_or_none(source):
    names_of(source)
