"""What a released notebook does not import is not in its sandbox; what it imports is, with all behind it."""

import pytest

from grading.assignment import load_assignment
from grading.sandbox import NoSandbox, Sandbox
from grading.sandbox.library import UTILS, library_of
from grading.worker.isolation import Limits
from utils.paths import NOTEBOOKS

LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))


def library(lesson: str, *private: str) -> frozenset[str]:
    return library_of(load_assignment(NOTEBOOKS / f"{lesson}.ipynb"), private)


def test_a_lesson_without_models_has_none():
    held = library("01_convolution")
    assert not [file for file in held if file.startswith(("models/", "text", "data", "checks/"))]
    assert "reach/windows.py" in held  # the notebook imports utils.reach, and that this
    assert "plotting/style.py" in held  # imported inside of a function
    assert not [file for file in library("02_cnn_on_mnist") if file.startswith("reach/")]


def test_every_file_of_it_is_there():
    for path in LESSONS:
        assert all((UTILS / file).is_file() for file in library(path.stem))


def test_private_checks_bring_what_they_ask_with():
    assert "models/text.py" in library("01_convolution", "from utils.models import text") - library("01_convolution")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_imports_of_a_lesson_run_and_the_rest_is_missing(path):
    assignment = load_assignment(path)
    held = library_of(assignment)
    imports = next(cell.source for cell in assignment.notebook.cells if "\nfrom utils" in cell.source)
    others = sorted({file.relative_to(UTILS).as_posix() for file in UTILS.rglob("*.py")} - held)
    others = [file for file in others if not file.startswith("checks/")]  # stubs stand there
    look = f"import os; print([file for file in {others!r} if os.path.exists('/reach/utils/' + file)])"
    try:
        with Sandbox(library=held) as sandbox:
            student = sandbox.start_process(Limits())
            assert not [out for out in student.ask({"do": "run", "source": imports}, 60) if "ename" in out]
            assert student.ask({"do": "run", "source": look}, 60)[0]["text"] == "[]\n"
    except NoSandbox as error:
        pytest.skip(f"no sandbox: {error}")


def test_a_trained_model_can_be_loaded_where_the_models_are():
    try:
        with Sandbox(library=library("02_cnn_on_mnist")) as sandbox:
            student = sandbox.start_process(Limits())
            source = "from utils import models\nprint(models.pretrained('mnist_cnn').training)"
            assert student.ask({"do": "run", "source": source}, 60)[0]["text"] == "False\n"
    except NoSandbox as error:
        pytest.skip(f"no sandbox: {error}")
