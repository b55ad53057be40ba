"""A submission is read as the released notebook with the student's answers in it, whatever has happened to the file."""

import json
import os
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grading.assignment import Assignment, load_assignment
from grading.submission import parsing
from grading.submission.reading import Unreadable, read_submission
from utils.paths import NOTEBOOKS, SOLUTIONS

ANSWER = "def output_size(size, kernel, stride=1, padding=0, dilation=1):\n    return 42"
QUIZ = "quiz_same_output_size"

many = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return load_assignment(NOTEBOOKS / "01_convolution.ipynb")


@pytest.fixture
def copy(assignment):
    """A learner's copy with one exercise done."""
    notebook = deepcopy(assignment.notebook)
    cell(notebook, "output_size").source = ANSWER
    return notebook


@pytest.fixture
def read(tmp_path, assignment):
    """What the grader reads of a notebook (as a node, a dict, or bytes); its properties hold for every submission."""

    def read(content):
        path = tmp_path / "01_convolution.ipynb"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        reading = read_submission(path, assignment)
        the_release_is_the_authority(reading.notebook, assignment.notebook)
        return reading

    return read


def the_release_is_the_authority(notebook, released):
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    ours = {cell.id: cell for cell in released.cells}
    assert [cell_id for cell_id in ids if cell_id in ours] == list(ours)
    for found in notebook.cells:
        assert not found.get("outputs") and "attachments" not in found
        if found.id in ours:
            assert found.metadata == ours[found.id].metadata
            assert found.cell_type == ours[found.id].cell_type
            if found.metadata.get("nbgrader", {}).get("locked"):
                assert found.source == ours[found.id].source
        else:
            assert not found.metadata


def cell(notebook, grade_id):
    return next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def at(notebook, grade_id):
    return notebook.cells.index(cell(notebook, grade_id))


def stripped(notebook, *, ids=True):
    """All names lost: nbgrader's metadata and, as an old format has none, the ids."""
    for one in notebook.cells:
        one.metadata = {}
        if ids:
            one.pop("id", None)
    return notebook


# --- what an honest copy comes to ---


def test_an_untouched_copy_is_the_released_notebook(read, assignment):
    reading = read(assignment.notebook)
    assert reading.notebook == assignment.notebook
    assert reading.notes == []


def test_answers_quizzes_and_changed_demonstrations_are_the_students(read, copy):
    copy.cells[4].source = "x = 1"
    cell(copy, QUIZ).source = "**Quiz.** It is B."
    reading = read(copy)
    assert cell(reading.notebook, "output_size").source == ANSWER
    assert cell(reading.notebook, QUIZ).source == "**Quiz.** It is B."
    assert reading.notebook.cells[4].source == "x = 1"
    assert reading.notes == []


def test_own_cells_stand_after_the_released_cell_that_they_follow(read, copy):
    place = at(copy, "output_size")
    copy.cells.insert(place + 1, new_code_cell("import math", metadata={"nbgrader": {"points": 100}, "tags": ["x"]}))
    copy.cells.insert(place + 2, new_markdown_cell("# my notes"))
    copy.cells.insert(0, new_code_cell("first = 1"))
    notebook = read(copy).notebook
    assert notebook.cells[0].source == "first = 1"
    place = at(notebook, "output_size")
    assert [one.source for one in notebook.cells[place + 1 : place + 3]] == ["import math", "# my notes"]
    assert [one.id for one in notebook.cells if one.id.startswith("own")] == ["own-1", "own-2", "own-3"]


def test_outputs_attachments_and_widgets_are_dropped(read, copy):
    code, text = cell(copy, "output_size"), cell(copy, QUIZ)
    code.outputs = [{"output_type": "display_data", "data": {"text/html": "<script>"}, "metadata": {}}]
    text.attachments = {"a.png": {"image/png": "AAAA"}}
    copy.metadata["widgets"] = {"state": "<script>"}
    notebook = read(copy).notebook
    assert "script" not in json.dumps(notebook)


@pytest.mark.parametrize("minor", range(6))
def test_every_version_of_format_4_is_read(read, copy, minor):
    copy.nbformat_minor = minor
    if minor < 5:
        for one in copy.cells:
            del one["id"]
    reading = read(copy)
    assert cell(reading.notebook, "output_size").source == ANSWER
    assert reading.notes == []


def test_format_3_is_read(read, copy):
    old = json.loads(nbformat.writes(nbformat.convert(deepcopy(copy), 3)))
    reading = read(old)
    assert cell(reading.notebook, "output_size").source == ANSWER
    assert len(reading.notebook.cells) == len(copy.cells)


# --- what can happen to the graded cells ---


def test_a_deleted_answer_is_the_released_stub(read, copy, assignment):
    del copy.cells[at(copy, "output_size")]
    reading = read(copy)
    assert cell(reading.notebook, "output_size") == cell(assignment.notebook, "output_size")
    assert reading.notes == ["Cells were deleted and count as not attempted: `output_size`."]


def test_an_emptied_answer_is_the_released_stub(read, copy, assignment):
    cell(copy, "output_size").source = " \n"
    reading = read(copy)
    assert cell(reading.notebook, "output_size") == cell(assignment.notebook, "output_size")
    assert reading.notes == ["Cells are empty and count as not attempted: `output_size`."]


@pytest.mark.parametrize("change", ["source", "deleted", "copied", "retyped", "disguised"])
def test_a_check_is_always_the_released_one(read, copy, change):
    check, place = cell(copy, "check_output_size"), at(copy, "check_output_size")
    if change == "deleted":
        del copy.cells[place]
    elif change == "copied":
        copy.cells.insert(place, deepcopy(check))
    elif change == "retyped":
        check.cell_type = "markdown"
    else:
        check.source = "print('passed')"
    if change == "disguised":
        check.metadata.nbgrader.update(locked=False, grade=False, solution=True)
    reading = read(copy)
    assert sum("check.output_size" in one.source for one in reading.notebook.cells) == 1
    assert "passed" not in json.dumps(reading.notebook.cells[place])
    assert len(reading.notes) == 1 and "`check_output_size`" in reading.notes[0]


def test_an_answer_that_became_text_is_code_again(read, copy):
    place = at(copy, "output_size")
    copy.cells[place] = new_markdown_cell(ANSWER, metadata=copy.cells[place].metadata)
    reading = read(copy)
    assert cell(reading.notebook, "output_size").source == ANSWER
    assert len(reading.notes) == 1 and "turned into another type" in reading.notes[0]


@pytest.mark.parametrize("ids", [False, True])
def test_answers_without_metadata_are_found_again(read, copy, ids):
    cell(copy, QUIZ).source += "\n\nIt is B."
    reading = read(stripped(copy, ids=ids))
    assert cell(reading.notebook, "output_size").source == ANSWER
    assert cell(reading.notebook, QUIZ).source.endswith("It is B.")
    assert not [one for one in reading.notebook.cells if one.id.startswith("own")]
    (note,) = reading.notes
    assert "found again" in note and "`output_size`" in note and f"`{QUIZ}`" in note


def test_a_renamed_answer_is_found_by_what_it_defines(read, copy):
    mine = cell(copy, "output_size")
    mine.metadata.nbgrader.grade_id, mine.id = "renamed", "renamed"
    mine.source = "import math\n\n\n" + ANSWER
    reading = read(copy)
    assert cell(reading.notebook, "output_size").source == mine.source


def test_of_several_copies_the_last_that_was_filled_in_counts(read, copy, assignment):
    place, stub = at(copy, "output_size"), deepcopy(cell(assignment.notebook, "output_size"))
    older = deepcopy(copy.cells[place])
    older.source = ANSWER.replace("42", "41")
    copy.cells[place:place] = [older]
    copy.cells.insert(place + 2, stub)
    reading = read(copy)
    assert [one.source for one in reading.notebook.cells[place : place + 2]] == [older.source, ANSWER]
    assert cell(reading.notebook, "output_size").source == ANSWER
    assert not any(one.source == stub.source for one in reading.notebook.cells)
    assert len(reading.notes) == 1 and "more than once" in reading.notes[0]


def test_a_notebook_with_every_cell_twice_is_read_like_one(read, copy):
    twice = deepcopy(copy)
    twice.cells = [deepcopy(one) for one in copy.cells for _ in range(2)]
    double = read(twice).notebook
    assert cell(double, "output_size").source == ANSWER
    assert [one.source for one in double.cells if one.id.startswith("own")] == [ANSWER]


def test_another_notebook_says_so(read):
    reading = read(new_notebook(cells=[new_code_cell("print('hello')")]))
    assert "another notebook" in reading.notes[0]


def test_reordered_cells_come_back_in_order(read, copy, assignment):
    copy.cells.reverse()
    reading = read(copy)
    assert cell(reading.notebook, "output_size").source == ANSWER
    assert len(reading.notebook.cells) == len(assignment.notebook.cells)


# --- files that are no notebooks ---

NO_NOTEBOOKS = {
    "empty": (b"", "empty"),
    "a page": (b"<!DOCTYPE html><title>Log in</title>", "not JSON"),
    "cut off": (b'{"cells": [{"cell_type": "code", "sour', "not JSON"),
    "binary": (b"\x93\xff\x00\x12" * 100, "not UTF-8"),
    "another JSON": (b'{"a": 1}', "no notebook"),
    "a number": (b"1e400", "no notebook"),
    "cells that are no list": (b'{"cells": {"a": 1}}', "no notebook"),
    "deep": (b"[" * 500_000, "too deep"),
    "deep and well formed": (b'{"cells":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too deep"),
    "many parts": (b"[" + b"[]," * 1_000_001 + b"[]]", "lists and objects"),
    "many cells": (b'{"cells": [' + b"{}," * 2_000 + b"{}]}", "cells"),
    "a long number": (b'{"cells": ' + b"9" * 10_000 + b"}", "number"),
    "much text": (json.dumps({"cells": [{"cell_type": "raw", "source": 90_000 * "a"}] * 6}).encode(), "characters"),
}


@pytest.mark.parametrize(("content", "reason"), NO_NOTEBOOKS.values(), ids=NO_NOTEBOOKS)
def test_what_is_no_notebook_is_refused_with_the_reason(read, content, reason):
    with pytest.raises(Unreadable, match=reason):
        read(content)


def test_too_large_a_file_is_refused_before_it_is_parsed(tmp_path, assignment):
    path = tmp_path / "01_convolution.ipynb"
    with path.open("wb") as file:
        file.truncate(parsing.MOST_BYTES + 1)
    with pytest.raises(Unreadable, match="larger than 20 MB"):
        read_submission(path, assignment)


@pytest.mark.parametrize("kind", ["missing", "folder", "link", "linked folder", "pipe", "device"])
def test_what_is_no_ordinary_file_is_refused(tmp_path, assignment, kind):
    path = tmp_path / "work" / "01_convolution.ipynb"
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(SOLUTIONS / "01_convolution.ipynb")
    elif kind == "linked folder":
        (tmp_path / "link").symlink_to(SOLUTIONS)
        path = tmp_path / "link" / path.name
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    with pytest.raises(Unreadable):
        read_submission(path, assignment)


def test_damaged_cells_are_left_out_and_noted(read, copy):
    damaged = json.loads(json.dumps(copy))
    damaged["cells"][3:3] = [None, 7, {"cell_type": "code"}, {"cell_type": "x", "source": ""}, {"cell_type": []}]
    damaged["cells"].insert(3, {"cell_type": "code", "source": "x" * (parsing.LONGEST_SOURCE + 1)})
    reading = read(damaged)
    assert reading.notes[0].startswith("5 cells were damaged")
    assert "left out" in reading.notes[1]
    assert cell(reading.notebook, "output_size").source == ANSWER


def test_half_a_surrogate_pair_can_be_written_afterwards(read, copy):
    cell(copy, "output_size").source = ANSWER + " # \ud800"
    assert nbformat.writes(read(copy).notebook).encode()


# --- anything else ---

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
fields = st.sampled_from(["cell_type", "source", "metadata", "id", "outputs", "attachments", "execution_count"])


@many
@given(st.lists(st.tuples(st.integers(0, 74), fields, json_values), max_size=30))
def test_any_value_in_any_field_is_survived(read, assignment, changes):
    notebook = json.loads(json.dumps(assignment.notebook))
    for number, name, value in changes:
        notebook["cells"][number][name] = value
    read(notebook)


@many
@given(st.lists(st.tuples(st.sampled_from(["delete", "copy", "move", "swap names"]), *2 * [st.integers(0, 60)])))
def test_cells_deleted_copied_moved_and_renamed_are_survived(read, assignment, changes):
    notebook = json.loads(json.dumps(assignment.notebook))
    cells = notebook["cells"]
    for what, one, other in changes:
        one, other = one % len(cells), other % len(cells)
        if what == "swap names":
            for name in ("id", "metadata"):
                cells[one][name], cells[other][name] = cells[other][name], cells[one][name]
        else:
            taken = cells[one] if what == "copy" or len(cells) == 1 else cells.pop(one)
            if what != "delete":
                cells.insert(other, deepcopy(taken))
    read(notebook)


@many
@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_notebook_or_unreadable(tmp_path, assignment, content):
    path = tmp_path / "any.ipynb"
    path.write_bytes(content)
    with pytest.raises(Unreadable):
        read_submission(path, assignment)


def test_the_same_file_reads_the_same(read, copy):
    copy.cells.insert(5, new_code_cell("x = 1"))
    assert read(copy) == read(copy)
