"""An answer may stand in another cell than its own, or in a file that a cell writes, as it may in Jupyter."""

import json
from copy import deepcopy

import pytest
from nbformat.v4 import new_code_cell

from grading.assignment import load_assignment
from grading.judging.grade import Rules, grade_notebook
from grading.submission.names import names_of
from grading.submission.reading import read_content
from grading.worker.isolation import Limits
from utils.cells import grade_id, role
from utils.paths import NOTEBOOKS, SOLUTIONS

FIRST = load_assignment(NOTEBOOKS / "01_convolution.ipynb")
CODE = "import torch.nn.functional as F\n\n\ndef conv2d(x, weight, bias, stride=1, padding=0, dilation=1):\n"
CODE += "    return F.conv2d(x[None], weight, bias, stride, padding, dilation)[0]\n"

NAMES = [
    ("%%writefile conv.py\nx = y", {"conv.py"}, set()),
    ("%%file 'conv.py'\nx = y", {"conv.py"}, set()),
    ("\n%%writefile -a ./conv.py\nx = y", {"conv.py"}, set()),
    ("%%writefile my/conv.py\nx = y", {"my/conv.py"}, set()),
    ("%%writefile", set(), set()),
    ("import conv", {"conv"}, {"conv.py"}),
    ("import conv as c, other", {"c", "other"}, {"conv.py", "other.py"}),
    ("from my.conv import f", {"f"}, {"my.py", "my/conv.py"}),
    ("def f():\n    from conv import g", {"f"}, {"conv.py"}),
    ("%run conv.py", set(), {"conv.py"}),
    ("%run -i conv", set(), {"conv.py"}),
    ("%%time\nx = y", {"x"}, {"y"}),
    ("%%capture out\n%%time\nx = y", {"x"}, {"y"}),
    ("%time x = y", {"x"}, {"y"}),
    ("%%timeit\nx = y", set(), set()),
    ("%%bash\nx=1", set(), set()),
    ("pip install einops\nx = y", {"x"}, {"y"}),
]


@pytest.mark.parametrize(("source", "makes", "takes"), NAMES)
def test_files_count_like_names(source, makes, takes):
    names = names_of(source)
    assert names.makes == makes
    assert names.takes == takes


USES = {
    "imported": ("%%writefile conv.py\n" + CODE, "from conv import conv2d"),
    "imported whole": ("%%writefile conv.py\n" + CODE, "import conv\nconv2d = conv.conv2d"),
    "imported with a star": ("%%writefile conv.py\n" + CODE, "from conv import *"),
    "run": ("%%writefile conv.py\n" + CODE, "%run conv.py"),
    "written by code": (f"from pathlib import Path\nPath('conv.py').write_text({CODE!r});", "from conv import conv2d"),
}


def points(notebook, sandbox) -> dict[str, float]:
    reading = read_content(json.dumps(notebook).encode(), FIRST)
    judged = grade_notebook("ada", FIRST, reading.notebook, Rules(seed=3), sandbox)
    return {mark.verdict.exercise: mark.points for mark in judged.graded.marks if mark.points}


@pytest.mark.parametrize("sources", USES.values(), ids=USES)
@pytest.mark.parametrize("has_names", [True, False], ids=["in the answer cell", "in new cells"])
def test_an_answer_may_come_from_a_file(sources, has_names, sandbox):
    notebook = deepcopy(FIRST.notebook)
    answer = next(cell for cell in notebook.cells if grade_id(cell) == "conv2d")
    at = notebook.cells.index(answer)
    if has_names:
        answer.source = sources[0]
        notebook.cells.insert(at + 1, new_code_cell(sources[1]))
    else:
        notebook.cells[at : at + 1] = [new_code_cell(source) for source in sources]
    assert points(notebook, sandbox) == {"conv2d": 3}


@pytest.mark.parametrize("where", ["in the first answer", "in a new first cell", "in a new last cell"])
def test_answers_in_one_cell_get_what_they_get_in_their_own(where, sandbox):
    solution = load_assignment(SOLUTIONS / "01_convolution.ipynb").notebook
    right = [cell.source for cell in solution.cells if role(cell) == "answer"]
    notebook = deepcopy(FIRST.notebook)
    first, *others = [cell for cell in notebook.cells if role(cell) == "answer"]
    if where == "in the first answer":
        first.source = "\n\n".join(right)
    else:
        others.append(first)
        at = len(notebook.cells) if where == "in a new last cell" else 3
        notebook.cells.insert(at, new_code_cell("\n\n".join(right)))
    notebook.cells = [cell for cell in notebook.cells if cell not in others]
    assert points(notebook, sandbox) == {task.answer: task.points for task in FIRST.tasks}


@pytest.mark.parametrize("magic", ["%matplotlib widget", "%matplotlib notebook", "%matplotlib qt", "%%time"])
def test_a_magic_in_the_cell_of_an_answer_costs_nothing(magic, sandbox):
    notebook = deepcopy(FIRST.notebook)
    answer = next(cell for cell in notebook.cells if grade_id(cell) == "conv2d")
    answer.source = f"{magic}\n{CODE}"
    assert points(notebook, sandbox) == {"conv2d": 3}


def test_no_file_of_one_process_is_seen_by_the_next(sandbox):
    first = sandbox.start_process(Limits())
    first.ask({"do": "run", "source": "%%writefile conv.py\nx = 1"}, 30)
    assert first.ask({"do": "run", "source": "import conv; print(conv.x)"}, 30)[0]["text"] == "1\n"
    first.end()
    second = sandbox.start_process(Limits())
    assert second.ask({"do": "run", "source": "import conv"}, 30)[0]["ename"] == "ModuleNotFoundError"
    second.end()


def test_a_file_written_a_moment_ago_is_found_though_the_folder_was_just_looked_at(sandbox):
    process = sandbox.start_process(Limits())
    for number in range(20):
        process.ask({"do": "run", "source": f"try:\n    import not_there_{number}\nexcept ImportError:\n    pass"}, 30)
        process.ask({"do": "run", "source": f"%%writefile mine_{number}.py\nx = {number}"}, 30)
        said = process.ask({"do": "run", "source": f"import mine_{number}; print(mine_{number}.x)"}, 30)
        assert said[0].get("text") == f"{number}\n"
    process.end()
