"""What notebooks share: the set-up, payoffs that wait, headlines, alternative texts."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import nbformat
import pytest
from nbclient import NotebookClient

from utils import notebook
from utils.plotting.alt_text import alt_text


def run(*cells: str) -> list:
    """The outputs of the last of these cells, run in a kernel."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(made, timeout=120, kernel_name="python3").execute()
    return made.cells[-1].outputs


def test_a_payoff_waits_for_a_stub(capsys):
    def stub():
        raise NotImplementedError

    plt.figure()
    with notebook.payoff("conv2d"):
        stub()
    assert "waits for your `conv2d`" in capsys.readouterr().out
    assert plt.get_fignums() == []


def test_a_payoff_that_uses_several_answers_names_the_one_that_raised(capsys):
    cell = """
class build_cnn:
    def __init__(self):
        raise NotImplementedError

def training_step():
    return build_cnn()

def overfit():
    return len(None)
"""
    names = {"check": SimpleNamespace(build_cnn=1, training_step=1, overfit=1)}
    exec(cell, names)
    with notebook.payoff("training_step"):
        names["training_step"]()
    assert "waits for your `build_cnn`" in capsys.readouterr().out
    with notebook.payoff("training_step"):
        names["overfit"]()
    assert "Your `overfit` broke" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [lambda: 1 / 0, lambda: float(None), lambda: [1, 2] @ [3]])
def test_a_payoff_of_a_wrong_answer_points_to_its_check_and_goes_on(answer, capsys):
    with notebook.payoff("conv2d"):
        answer()
    said = capsys.readouterr().out
    assert "Your `conv2d` broke in this cell" in said and "check" in said and said.count("\n") == 1


@pytest.mark.parametrize("error", [ZeroDivisionError, NotImplementedError])
def test_in_strict_mode_a_payoff_that_breaks_is_an_error(error, monkeypatch):
    monkeypatch.setenv("REACH_STRICT", "checks")
    with pytest.raises(error), notebook.payoff("conv2d"):
        raise error


def test_alternative_text_says_what_the_figure_says():
    figure, axes = plt.subplots(1, 2)
    axes[0].set(xlabel="steps", ylabel="loss, in bits")
    axes[0].set_title("It falls", loc="left")
    axes[1].set_title("It\nrises", loc="left")
    assert alt_text(figure) == "Figure. It falls. x axis: steps. y axis: loss, in bits. It rises."
    assert alt_text(plt.figure()) == "Figure without a title."
    plt.close("all")


def test_figures_in_a_notebook_carry_alternative_text_even_if_set_up_twice():
    outputs = run(
        "from utils import notebook\nnotebook.setup();",
        "notebook.setup();",
        "import matplotlib.pyplot as plt\nplt.plot([0, 1])\nplt.title('A line', loc='left');",
    )
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert [picture.metadata["image/png"]["alt"] for picture in pictures] == ["Figure. A line."]


def test_a_headline_is_text_for_people_and_data_for_programs():
    (output,) = run("from utils import notebook", "notebook.headline('mnist', test_accuracy=[0.99123, 0.99])")
    assert output.data["text/plain"] == "test accuracy: 0.99123, 0.99 (mean 0.99062)"
    assert output.data[notebook.HEADLINE] == {"data": "mnist", "headline": {"test_accuracy": [0.99123, 0.99]}}


def test_a_run_that_must_use_cuda_says_so_where_there_is_none(monkeypatch):
    import torch

    monkeypatch.setenv("REACH_REQUIRE_CUDA", "1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="asks for CUDA"):
        notebook.setup()


def test_a_payoff_whose_cell_lacks_a_name_does_not_blame_the_answer(capsys):
    cell = "from utils.notebook import payoff\nwith payoff('conv2d'):\n    print(shares)"
    exec(compile(cell, "<cell>", "exec"), {})
    assert "This cell needs `shares`. Run the cells above it first" in capsys.readouterr().out
