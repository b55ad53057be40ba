"""What a student wrote is found wherever it stands, and what only looks different is not taken for theirs."""

import ast
import json
from copy import deepcopy

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from grading.assignment import Assignment, load_assignment
from grading.submission.parsing import MOST_CELLS, MOST_SOURCE
from grading.submission.reading import Reading, read_content
from utils.cells import SETUP_ID, grade_id, role
from utils.paths import NOTEBOOKS, SOLUTIONS

LESSONS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
FIRST = load_assignment(NOTEBOOKS / "01_convolution.ipynb")
ANSWERS = ["output_size", "conv2d", "conv2d_unfold", "parameter_counts", "max_pool2d"]
QUIZ = "quiz_same_output_size"
LAYOUTS = {
    "line ends": lambda cell: cell.source.replace("\n", "\r\n"),
    "trailing blanks": lambda cell: cell.source.replace("\n", "  \n") + "\n\n",
    "another formatter": lambda cell: ast.unparse(ast.parse(cell.source)) if cell.cell_type == "code" else cell.source,
    "comments": lambda cell: f"# seen\n{cell.source}" if cell.cell_type == "code" else cell.source,
}


def solved(assignment: Assignment = FIRST) -> NotebookNode:
    """A learner's copy with all answers right, and the quiz answered below its question."""
    solution = load_assignment(SOLUTIONS / f"{assignment.name}.ipynb").notebook
    notebook = deepcopy(assignment.notebook)
    for cell, right in zip(notebook.cells, solution.cells, strict=True):
        if role(cell) == "answer":
            cell.source = right.source
        elif role(cell) == "quiz":
            cell.source += "\n\nIt is c, by the formula."
    return notebook


def nameless(notebook: NotebookNode) -> NotebookNode:
    for cell in notebook.cells:
        cell.metadata = NotebookNode()
        cell.pop("id", None)
    return notebook


def read(notebook: NotebookNode, assignment: Assignment = FIRST) -> Reading:
    return read_content(json.dumps(notebook).encode(), assignment)


def graded(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if grade_id(cell) == name)


def own(reading: Reading) -> list[str]:
    return [cell.source for cell in reading.notebook.cells if cell.id.startswith("own")]


def changed(reading: Reading, assignment: Assignment = FIRST) -> set[str]:
    """Ids of the released cells that come with another source."""
    ours = {cell.id: cell.source for cell in assignment.notebook.cells}
    return {cell.id for cell in reading.notebook.cells if cell.id in ours and cell.source != ours[cell.id]}


def take_out(notebook: NotebookNode, *names: str) -> list[NotebookNode]:
    taken = [graded(notebook, name) for name in names]
    notebook.cells = [cell for cell in notebook.cells if cell not in taken]
    return taken


def place(notebook: NotebookNode, name: str) -> int:
    return notebook.cells.index(graded(notebook, name))


# --- layout ---


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("has_names", [True, False], ids=["names", "no names"])
def test_layout_is_no_change_with_or_without_names(lesson, layout, has_names):
    assignment = load_assignment(NOTEBOOKS / f"{lesson}.ipynb")
    notebook = solved(assignment)
    theirs = {cell.id for cell in notebook.cells if role(cell) in ("answer", "quiz")}
    for cell in notebook.cells:
        cell.source = layout(cell)
    expected = {cell.id: cell.source.replace("\r\n", "\n") for cell in notebook.cells if cell.id in theirs}
    reading = read(notebook if has_names else nameless(notebook), assignment)
    assert own(reading) == []
    assert changed(reading, assignment) == theirs
    assert {cell.id: cell.source for cell in reading.notebook.cells if cell.id in theirs} == expected
    said = [] if has_names else ["Cells had lost their nbgrader names and were found again"]
    assert [note.partition(":")[0] for note in reading.notes] == said


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_an_untouched_quiz_in_another_layout_is_the_released_one(layout):
    notebook = deepcopy(FIRST.notebook)
    graded(notebook, QUIZ).source = layout(graded(notebook, QUIZ))
    assert graded(read(notebook).notebook, QUIZ) == graded(FIRST.notebook, QUIZ)


def test_a_real_change_is_the_students_and_said_of_checks_and_set_up():
    notebook = solved()
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and not role(cell)]
    code[0].source += "\nprint('mine')"
    code[2].source += "\nprint('mine, too')"
    graded(notebook, "check_conv2d").source = "print('passed')"
    reading = read(notebook)
    assert code[2].id in changed(reading)
    assert code[0].id == SETUP_ID and SETUP_ID not in changed(reading)
    assert [note.partition(":")[0] for note in reading.notes] == [
        "Checks were changed, copied or deleted, and the released ones count",
        "The set-up cell at the top was changed. Grading does not run it.",
    ]


def test_a_changed_cell_without_its_name_is_the_one_between_its_neighbours():
    notebook = solved()
    demonstration = next(cell for cell in notebook.cells if cell.source.startswith("image = "))
    ours = demonstration.id
    demonstration.source = "image = torch.ones(1, 3, 3)\nkernel = image"
    reading = read(nameless(notebook))
    assert own(reading) == []
    assert ours in changed(reading)


def test_a_changed_cell_without_its_name_beside_an_own_one_is_known_by_its_lines():
    notebook = solved()
    demonstration = next(cell for cell in notebook.cells if cell.source.startswith("image = "))
    ours, at = demonstration.id, notebook.cells.index(demonstration)
    demonstration.source += "\nprint(image)"
    notebook.cells[at:at] = [new_code_cell("before = 1")]
    notebook.cells[at + 2 : at + 2] = [new_code_cell("after = 1")]
    reading = read(nameless(notebook))
    assert own(reading) == ["before = 1", "after = 1"]
    assert ours in changed(reading)


# --- answers in other places ---


@pytest.mark.parametrize("has_names", [True, False], ids=["names", "no names"])
@pytest.mark.parametrize("into", ANSWERS)
def test_answers_that_were_merged_into_one_cell_are_not_taken_away_again(into, has_names):
    notebook = solved()
    merged = "\n\n\n".join(graded(notebook, name).source for name in ANSWERS)
    take_out(notebook, *(name for name in ANSWERS if name != into))
    graded(notebook, into).source = merged
    reading = read(notebook if has_names else nameless(notebook))
    sources = "\n".join(cell.source for cell in reading.notebook.cells if cell.cell_type == "code")
    assert sources.count("raise NotImplementedError") == 0
    assert all(sources.count(f"def {name}(") == 1 for name in ANSWERS)
    assert not any("not attempted" in note for note in reading.notes)
    others = ", ".join(f"`{name}`" for name in ANSWERS if has_names and name != into)
    assert f"Answers were found in other cells than their own: {others}" in " ".join(reading.notes)


@pytest.mark.parametrize("at", [0, -1], ids=["on top", "at the end"])
def test_answers_in_one_new_cell_with_theirs_deleted_or_emptied(at):
    notebook = solved()
    merged = "\n\n\n".join(graded(notebook, name).source for name in ANSWERS)
    take_out(notebook, *ANSWERS[:3])
    for name in ANSWERS[3:]:
        graded(notebook, name).source = " \n"
    notebook.cells.insert(at % (len(notebook.cells) + 1), new_code_cell(merged))
    reading = read(notebook)
    sources = "\n".join(cell.source for cell in reading.notebook.cells if cell.cell_type == "code")
    assert "raise NotImplementedError" not in sources
    assert all(sources.count(f"def {name}(") == 1 for name in ANSWERS)


DEFINITIONS = {
    "imported": "from mine import conv2d",
    "imported under its name": "import mine as conv2d",
    "assigned": "conv2d = partial(F.conv2d)",
    "annotated": "conv2d: Callable = F.conv2d",
    "unpacked": "(conv2d, other) = make()",
    "decorated": "@torch.no_grad()\n@cache\ndef conv2d(x):\n    return x",
    "in a condition": "if fast:\n    def conv2d(x):\n        return x\nelse:\n    conv2d = F.conv2d",
    "in a try": "try:\n    conv2d = fast\nexcept NameError:\n    def conv2d(x):\n        return x",
    "asynchronous": "async def conv2d(x):\n    return x",
    "a class": "class conv2d:\n    pass",
    "by walrus": "print(conv2d := F.conv2d)",
    "global": "def make():\n    global conv2d\n    conv2d = 1\nmake()",
    "timed": "%%time\ndef conv2d(x):\n    return x",
    "timed on its line": "%time conv2d = make()",
    "below a magic": "%load_ext autoreload\n!ls\ndef conv2d(x):\n    return x",
    "with a mistake": "def conv2d(x)\n    return x",
}


@pytest.mark.parametrize("source", DEFINITIONS.values(), ids=DEFINITIONS)
def test_an_answer_without_its_name_is_found_by_what_it_makes(source):
    notebook = solved()
    graded(notebook, "conv2d").source = source
    reading = read(nameless(notebook))
    assert graded(reading.notebook, "conv2d").source == source
    assert own(reading) == []


NO_DEFINITIONS = {
    "another name": "conv2d_mine = 1",
    "compared": "conv2d == 1",
    "inside": "def f():\n    conv2d = 1",
    "an attribute": "mine.conv2d = 1",
    "in a string": "'''\ndef conv2d(x):\n'''",
    "in a file": "%%writefile conv.py\ndef conv2d(x):\n    return x",
    "in another language": "%%bash\nconv2d=1",
    "an argument": "f(conv2d=1)",
}


@pytest.mark.parametrize("source", NO_DEFINITIONS.values(), ids=NO_DEFINITIONS)
def test_what_does_not_make_the_name_is_no_answer(source):
    notebook = solved()
    graded(notebook, "conv2d").source = source
    reading = read(nameless(notebook))
    assert graded(reading.notebook, "conv2d") == graded(FIRST.notebook, "conv2d")
    assert own(reading) == [source]


def test_a_new_cell_beside_the_stub_leaves_both():
    notebook = deepcopy(FIRST.notebook)
    notebook.cells.insert(place(notebook, "conv2d") + 1, new_code_cell("conv2d = F.conv2d"))
    reading = read(notebook)
    assert graded(reading.notebook, "conv2d") == graded(FIRST.notebook, "conv2d")
    assert own(reading) == ["conv2d = F.conv2d"]
    assert reading.notes == []


@pytest.mark.parametrize("names", ["both", "first", "none"])
def test_an_answer_that_was_split_is_run_in_its_order(names):
    notebook = solved()
    at = place(notebook, "conv2d")
    whole = notebook.cells[at]
    helper = NotebookNode(deepcopy(whole), source="def window(x, i, j):\n    return x[:, i, j]")
    notebook.cells.insert(at, helper)
    if names == "first":
        whole.metadata, whole.id = NotebookNode(), "other"
    reading = read(nameless(notebook) if names == "none" else notebook)
    code = [cell.source for cell in reading.notebook.cells if cell.cell_type == "code"]
    assert code.index(helper.source) + 1 == code.index(whole.source)


def test_of_copies_with_one_name_the_one_that_makes_the_answer_counts():
    notebook = solved()
    at = place(notebook, "conv2d")
    trial = NotebookNode(deepcopy(notebook.cells[at]), source="print(conv2d(scene, hand_written, torch.zeros(3)))")
    notebook.cells.insert(at + 1, trial)
    reading = read(notebook)
    assert graded(reading.notebook, "conv2d").source == graded(notebook, "conv2d").source
    assert own(reading) == [trial.source]


def test_an_answer_that_builds_on_a_later_cell_stays_behind_it():
    notebook = solved()
    take_out(notebook, "conv2d")
    notebook.cells += [new_code_cell("def mine(x): return x"), new_code_cell("conv2d = partial(mine)")]
    reading = read(notebook)
    assert own(reading) == ["def mine(x): return x", "conv2d = partial(mine)"]
    assert "NotImplementedError" not in graded(reading.notebook, "conv2d").source
    assert reading.notes == ["Answers were found in other cells than their own: `conv2d`."]


def test_an_answer_that_was_deleted_and_made_nowhere_is_the_stub():
    notebook = solved()
    take_out(notebook, "conv2d")
    notebook.cells.append(new_code_cell("print(conv2d)"))
    reading = read(notebook)
    assert graded(reading.notebook, "conv2d") == graded(FIRST.notebook, "conv2d")
    assert reading.notes == ["Cells were deleted and count as not attempted: `conv2d`."]


# --- quizzes ---

QUIZZES = {
    "below the question": lambda question: f"{question}\n\nc, as the reach is 5.",
    "above the question": lambda question: f"**c**, as the reach is 5.\n\n{question}",
    "instead of the last line": lambda question: question.replace("*Your answer here.*", "c, as the reach is 5."),
    "the question is gone": lambda question: "c, as the reach is 5.",
    "the question is edited": lambda question: question.replace("What changes?", "What changes? (c)"),
    "Windows": lambda question: f"{question}\n\nc".replace("\n", " \r\n"),
}


@pytest.mark.parametrize("answer", QUIZZES.values(), ids=QUIZZES)
@pytest.mark.parametrize("beside", [0, 1, 2])
def test_a_quiz_without_its_name_is_found(answer, beside):
    notebook = solved()
    question = graded(FIRST.notebook, QUIZ).source
    quiz = graded(notebook, QUIZ)
    quiz.source = answer(question)
    notes = [new_markdown_cell(f"# my own note {number}") for number in range(beside)]
    at = place(notebook, QUIZ) + 1
    notebook.cells[at:at] = notes
    reading = read(nameless(notebook))
    assert graded(reading.notebook, QUIZ).source == quiz.source.replace("\r\n", "\n")
    assert own(reading) == [note.source for note in notes]
    assert not any("not attempted" in note for note in reading.notes)


def test_a_quiz_that_was_deleted_counts_as_not_attempted():
    notebook = solved()
    take_out(notebook, QUIZ)
    reading = read(notebook)
    assert graded(reading.notebook, QUIZ) == graded(FIRST.notebook, QUIZ)
    assert reading.notes == [f"Cells were deleted and count as not attempted: `{QUIZ}`."]


# --- much ---


@pytest.mark.parametrize("line", ["conv2d = 1\n", "%%time\n(", "print(x)  # \n"])
def test_a_notebook_of_the_largest_size_is_read(line):
    notebook = nameless(deepcopy(FIRST.notebook))
    cells = MOST_CELLS - len(notebook.cells)
    room = MOST_SOURCE - sum(len(cell.source) for cell in notebook.cells)
    notebook.cells = [cell for cell in notebook.cells if not cell.source.startswith("def ")]
    notebook.cells[40:40] = [new_code_cell(line * (room // cells // len(line))) for _ in range(cells)]
    assert len(read(notebook).notebook.cells) >= cells
