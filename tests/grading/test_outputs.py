"""The outputs of a submission are kept up to a total, and what is left out is said."""

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from grading.judging.outputs import MOST_CHARACTERS, Outputs
from grading.untrusted.outputs import clean_outputs


def printed(text):
    return clean_outputs([{"output_type": "stream", "name": "stdout", "text": text}])


def notebook_of(count):
    return new_notebook(cells=[new_code_cell("1") for _ in range(count)])


def test_outputs_are_kept_until_there_are_too_many_and_the_rest_is_named():
    notebook = notebook_of(4)
    outputs = Outputs(notebook, most=200)
    for at, size in enumerate((80, 120, 80, 150)):
        outputs.put(at, printed("x" * size))
    shown = [cell.outputs[0].text for cell in notebook.cells]
    assert [len(text) for text in shown[::2]] == [80, 80]
    assert all("were not kept" in text for text in shown[1::2])
    (note,) = outputs.notes
    assert "2 cells" in note and "200 characters" in note
    nbformat.validate(notebook)


def test_a_cell_that_is_run_again_replaces_its_outputs_and_their_size():
    notebook = notebook_of(2)
    outputs = Outputs(notebook, most=200)
    for _ in range(3):
        outputs.put(0, printed("x" * 150))
    outputs.put(1, printed("y" * 30))
    outputs.put(0, printed("x" * 120))
    outputs.put(1, printed("y" * 30))
    assert [len(cell.outputs[0].text) for cell in notebook.cells] == [120, 30] and outputs.notes == []


def test_pictures_tracebacks_and_errors_count():
    notebook = notebook_of(3)
    outputs = Outputs(notebook, most=1_000)
    outputs.put(0, [nbformat.v4.new_output("display_data", {"image/png": "A" * 900})])
    error = nbformat.v4.new_output("error", ename="E", evalue="", traceback=["z" * 60] * 2)
    outputs.put(1, [error])
    outputs.put_error(2, "This cell ended its own process.")
    assert "were not kept" in notebook.cells[1].outputs[0].text
    assert notebook.cells[2].outputs[0].evalue == "This cell ended its own process."


def test_forty_cells_of_four_megabytes_come_to_no_more_than_the_total():
    notebook = notebook_of(40)
    outputs = Outputs(notebook)
    for at in range(40):
        outputs.put(at, printed("x" * 100_000) * 39)
    kept = sum(len(output.text) for cell in notebook.cells for output in cell.outputs)
    assert 0.7 * MOST_CHARACTERS < kept < MOST_CHARACTERS + 40 * 200
    assert len(outputs.notes) == 1
