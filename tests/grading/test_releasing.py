"""What is handed out is what was built, and holds no answers."""

import json
import zipfile

import pytest

from grading.assignment import load_assignment
from grading.classroom import Classroom
from grading.exchange.releasing import release
from grading.problems import GradingError
from utils.paths import NOTEBOOKS, SOLUTIONS

NAME = "01_convolution"


@pytest.fixture
def classroom(tmp_path):
    return Classroom(tmp_path / "class")


@pytest.fixture
def changed(tmp_path):
    """Makes a folder with the learner's notebook, after a change to it."""

    def make(change, notebook=NOTEBOOKS / f"{NAME}.ipynb"):
        content = json.loads(notebook.read_text(encoding="utf-8"))
        change({cell["id"]: cell for cell in content["cells"]})
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        (tmp_path / "notebooks" / f"{NAME}.ipynb").write_text(json.dumps(content), encoding="utf-8")
        return tmp_path / "notebooks"

    return make


def nothing(cells):
    pass


def test_notebooks_are_copied_and_can_be_graded(classroom):
    (path,) = release([NAME], classroom)
    assert path == classroom.released(NAME)
    assert path.read_bytes() == (NOTEBOOKS / f"{NAME}.ipynb").read_bytes()
    assert load_assignment(path).tasks


def test_the_archive_holds_the_same_and_is_always_the_same(classroom):
    names = [NAME, "03_receptive_field"]
    *notebooks, archive = release(names, classroom, archive=True)
    first = archive.read_bytes()
    with zipfile.ZipFile(archive) as zipped:
        assert zipped.namelist() == [f"{name}/{name}.ipynb" for name in names]
        assert [zipped.read(name) for name in zipped.namelist()] == [path.read_bytes() for path in notebooks]
    release(names, classroom, archive=True)
    assert archive.read_bytes() == first


def example(cells):
    """The first cell of code that is no part of an exercise."""
    return next(cell for name, cell in cells.items() if cell["cell_type"] == "code" and len(name) == 12)


ANSWERED = {
    "an answer filled in": lambda cells: cells["conv2d"].update(source="def conv2d(x): return x"),
    "a quiz filled in": lambda cells: cells["quiz_same_output_size"].update(source="It is B."),
    "a check changed": lambda cells: cells["check_conv2d"].update(source="check.conv2d( conv2d )"),
    "marks of a solution": lambda cells: example(cells).update(source="### BEGIN SOLUTION\n1\n### END SOLUTION"),
    "outputs": lambda cells: example(cells).update(outputs=[{"output_type": "stream", "name": "stdout", "text": "42"}]),
}


@pytest.mark.parametrize("change", ANSWERED.values(), ids=ANSWERED)
def test_a_notebook_with_answers_is_refused(classroom, changed, change):
    with pytest.raises(GradingError, match="not a learner's copy"):
        release([NAME], classroom, notebooks=changed(change))
    assert not classroom.released(NAME).exists()


def test_the_solution_is_refused(classroom):
    with pytest.raises(GradingError, match="not a learner's copy"):
        release([NAME], classroom, notebooks=SOLUTIONS)


def test_all_or_none_are_handed_out(classroom):
    with pytest.raises(GradingError, match="98_nothing"):
        release([NAME, "98_nothing"], classroom, archive=True)
    assert not classroom.root.exists()


def test_what_is_being_answered_stays_as_it_was_handed_out(classroom, changed):
    release([NAME], classroom)
    other = changed(lambda cells: example(cells).update(source="x = 1"))
    release([NAME], classroom, notebooks=other)  # nobody has answered yet
    submitted = classroom.submitted("anna", NAME)
    submitted.parent.mkdir(parents=True)
    submitted.write_text("{}")
    with pytest.raises(GradingError, match="another version"):
        release([NAME], classroom)
    release([NAME], classroom, notebooks=other)  # the same again
