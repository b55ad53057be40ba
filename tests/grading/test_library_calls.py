"""An answer that is a call of the course's own library is named, whatever the way to it; an honest one never is."""

from dataclasses import replace

import nbformat
import pytest

from grading.assignment import load_assignment
from grading.judging.grade import Rules, grade_notebook
from grading.submission.library_calls import bindings, library_calls
from utils.checking import Status
from utils.checks import receptive_field
from utils.paths import NOTEBOOKS, SOLUTIONS

IMPORTS = """
import torch
from utils import notebook, reach
from utils.plotting import fields
from utils.plotting.images import plot_image
"""
FIELD = "utils.reach.receptive_field"

CALLS = {
    "a call": ("def f(x):\n    return reach.receptive_field(x).size", FIELD),
    "another name": ("f = reach.receptive_field", FIELD),
    "a module inside": ("def f(x):\n    import utils.reach as r\n    return r.receptive_field(x)", FIELD),
    "a name inside": ("def f(x):\n    from utils.reach import receptive_field as g\n    return g(x)", FIELD),
    "all names": ("from utils.reach import *\ndef f(x):\n    return receptive_field(x)", FIELD),
    "the whole library": ("import utils\ndef f(x):\n    return utils.reach.receptive_field(x)", FIELD),
    "where it is tried": (
        "try:\n    from utils.reach import receptive_field as g\nexcept ImportError:\n    pass\nf = g",
        FIELD,
    ),
    "a helper": ("def h(x):\n    return reach.receptive_field(x)\ndef f(x):\n    return h(x)", FIELD),
    "helpers in a circle": (
        "def h(x):\n    return f(x)\ndef f(x):\n    return h(x) or reach.receptive_field(x)",
        FIELD,
    ),
    "a default": ("def f(x, g=reach.receptive_field):\n    return g(x)", FIELD),
    "a decorator": ("@reach.receptive_field\ndef f(x):\n    return x", FIELD),
    "a class": ("class f(reach.Layer):\n    pass", "utils.reach.Layer"),
    "another module that has it": (
        "def f(x):\n    return fields.receptive_field(x)",
        "utils.plotting.fields.receptive_field",
    ),
    "an attribute of torch": ("torch.g = reach.receptive_field\ndef f(x):\n    return torch.g(x)", FIELD),
    "setattr": ("setattr(torch, 'g', reach.receptive_field)\ndef f(x):\n    return torch.g(x)", FIELD),
    "a list": ("l = []\nl.append(reach.receptive_field)\ndef f(x):\n    return l[0](x)", FIELD),
    "the module as a value": ("def f(x):\n    return getattr(reach, 'receptive' + '_field')(x)", "utils.reach"),
    "a helper module as a value": (
        "def f(x):\n    return getattr(fields, 'receptive' + '_field')(x)",
        "utils.plotting",
    ),
    "what is behind a function": ("def f(x):\n    return plot_image.__globals__['g'](x)", "__globals__"),
    "sys.modules": ("import sys\ndef f(x):\n    return sys.modules['utils.reach'].receptive_field(x)", "utils.reach"),
    "importlib": ("import importlib\ndef f(x):\n    return importlib.import_module('ut' + 'ils.reach')", "importlib"),
    "__import__": ("def f(x):\n    return __import__('ut' + 'ils').reach.receptive_field(x)", "__import__"),
    "exec": ("def f(x):\n    exec(''.join(reversed('...')))\n    return x", "exec"),
}
HONEST = {
    "its own": "def f(x):\n    return x + 1",
    "a comparison elsewhere": "def f(x):\n    return x\nprint(torch.allclose(f(1), reach.influence(1, 2)))",
    "a local name": "expected = reach.influence(1, 2)\ndef f(x):\n    expected = x\n    return expected",
    "a parameter": "def f(reach):\n    return reach.receptive_field",
    "a picture": "def f(x):\n    plot_image(x, 'so far')\n    return torch.ones(1)",
    "evaluation mode": "def f(model):\n    model.eval()\n    return model",
    "a docstring": "def f(x):\n    '''See utils.reach for more.'''\n    return x",
    "no Python": "def f(x:\n    return reach.receptive_field",
    "lines of IPython's": "%matplotlib inline\n!ls\ndef f(x):\n    return x",
}


@pytest.mark.parametrize("way", CALLS)
def test_whatever_the_way_it_is_named(way):
    source, named = CALLS[way]
    assert named in " ".join(library_calls(bindings([IMPORTS, source]), "f"))


@pytest.mark.parametrize("way", HONEST)
def test_an_honest_answer_is_not_named(way):
    assert library_calls(bindings([IMPORTS, HONEST[way]]), "f") == []


def test_a_file_that_a_cell_writes_is_read_too():
    written = "%%writefile conv.py\nfrom utils.reach import receptive_field\ndef f(x):\n    return receptive_field(x)"
    assert library_calls(bindings([IMPORTS, written, "from conv import f"]), "f") == [FIELD]


def test_what_the_exercise_allows_is_not_named():
    source = "from utils.text import encode\ndef f(x):\n    return encode(x), reach.receptive_field(x)"
    assert library_calls(bindings([IMPORTS, source]), "f", ["utils.text"]) == [FIELD]
    assert library_calls(bindings([IMPORTS, source]), "f", ["utils.text.encode", FIELD]) == []


@pytest.mark.parametrize("path", sorted(SOLUTIONS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_solution_of_the_course_is_named(path):
    assignment = load_assignment(NOTEBOOKS / path.name)
    cells = nbformat.read(path, as_version=4).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    for task in assignment.tasks:
        assert library_calls(bindings(sources), task.answer, task.exercises[0].may_use) == []


@pytest.fixture
def borrowed(sandbox):
    """A function that gives the mark of an answer that is the library's own."""
    assignment = load_assignment(NOTEBOOKS / "03_receptive_field.ipynb")
    assignment = replace(assignment, tasks=assignment.tasks[:1])
    notebook = nbformat.from_dict(assignment.notebook)
    for cell in notebook.cells:
        if cell.id == "receptive_field":
            cell.source = "def receptive_field(layers):\n    return reach.receptive_field(layers).size"

    def mark():
        (mark,) = grade_notebook("eve", assignment, notebook, Rules(seed=3), sandbox).graded.marks
        return mark

    return mark


def test_the_mark_says_so_and_costs_no_points(borrowed):
    mark = borrowed()
    assert mark.points == mark.max_points and f"`{FIELD}`" in mark.remark


def test_where_the_exercise_says_so_it_does_not_count(borrowed, monkeypatch):
    monkeypatch.setattr(receptive_field.receptive_field, "library_counts", False)
    mark = borrowed()
    assert mark.points == 0 and mark.verdict.status is Status.FAILED
    assert f"`{FIELD}`" in mark.verdict.problem and "your own" in mark.verdict.problem
