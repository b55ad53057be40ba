"""Of several files of one student the right one counts: own work, the newest, and never the course's solution."""

import json
import re

import pytest

from grading.receipt import Receipt
from tests.grading.exports import FILE, NAME, ROSTER, Class, placed, why, zipped
from utils.paths import NOTEBOOKS, SOLUTIONS

UNTOUCHED, SOLUTION = ((folder / FILE).read_bytes() for folder in (NOTEBOOKS, SOLUTIONS))


@pytest.fixture
def a_class(tmp_path) -> Class:
    return Class(tmp_path, UNTOUCHED)


def own(text: str, base: bytes = UNTOUCHED) -> bytes:
    """A notebook in which somebody wrote something."""
    notebook = json.loads(base)
    cell = {"cell_type": "code", "source": text, "metadata": {}, "outputs": [], "execution_count": None, "id": "own"}
    notebook["cells"].append(cell)
    return json.dumps(notebook).encode()


def course(root: str, **more: bytes) -> dict[str, bytes]:
    """A copy of the course, as a download of its repository or a clone has it."""
    files = {f"notebooks/{FILE}": UNTOUCHED, f"solutions/{FILE}": SOLUTION, "notebooks/02_cnn_on_mnist.ipynb": b"{}"}
    files |= {"README.md": b"Reach", "utils/reach/model.py": b"", "lessons/01_convolution.py": b""}
    return {f"{root}{name}": content for name, content in (files | more).items()}


COURSES = {
    "a zip from Canvas": ({"nowakmei_1000_5_reach-main.zip": zipped(course("reach-main/"))}, "reach-main/"),
    "a clone": (course("s0001/"), ""),
    "a clone in a folder": (course("s0001/reach/"), "reach/"),
    "a repository of GitHub Classroom": (course("01-convolution-s0001/"), ""),
    "a zip in a zip": ({"s0001.zip": zipped({"reach.zip": zipped(course("reach-main/"))})}, "reach.zip/reach-main/"),
}


@pytest.mark.parametrize(("contents", "inside"), COURSES.values(), ids=COURSES)
@pytest.mark.parametrize("roster", [ROSTER, ""])
def test_of_a_whole_course_the_notebook_in_notebooks_counts(a_class, contents, inside, roster):
    collected = a_class.collect(contents=contents, roster=roster)
    (one,) = collected.placed
    assert one.file.endswith(f"{inside}notebooks/{FILE}")
    assert a_class.content(one.student).encode() == UNTOUCHED
    assert "solutions/ was left out" in one.note and "equals" not in one.note
    assert collected.not_placed == [] and collected.beside == 4


def test_own_work_elsewhere_in_a_copy_of_the_course_counts(a_class):
    collected = a_class.collect(contents=course("s0001/", **{f"mine/{FILE}": own("mine")}))
    assert placed(collected) == {"s0001": f"s0001/mine/{FILE}"}


def test_a_file_that_equals_the_solution_is_placed_and_named(a_class):
    again = json.dumps(json.loads(SOLUTION) | {"metadata": {}}).encode()  # saved by another program
    bare = re.sub(rb"### (BEGIN|END) SOLUTION", b"", SOLUTION)
    files = {"s0001": SOLUTION, "s0002": again, "s0003": own("mine", SOLUTION), "s0004": bare}
    contents = {f"{student}_{FILE}": content for student, content in files.items()}
    notes = {one.student: one.note for one in a_class.collect(contents=contents).placed}
    expected = "It equals the solution that the course ships."
    assert notes == {"s0001": expected, "s0002": expected, "s0003": "", "s0004": expected}
    assert Receipt.read(a_class.classroom.receipt("s0002", NAME)).notes == (expected,)


def test_of_a_course_without_a_notebook_of_the_students_the_solution_is_nobodys(a_class):
    rest = {name: content for name, content in course("s0001/").items() if name != f"s0001/notebooks/{FILE}"}
    mine = {f"s0002/solutions/{FILE}": own("mine", SOLUTION)}  # whoever works in that folder has handed in
    collected = a_class.collect(contents=rest | {"s0001/notebooks/01_convolution.pdf": b"%PDF"} | mine)
    assert placed(collected) == {"s0002": f"s0002/solutions/{FILE}"}
    assert "the course's own solution" in why(collected)


TWINS = {
    "dates of which one may be two": {
        f"1-2 - Mei Nowak - {date}/{FILE}": own(date) for date in ("24-9-2024 926 AM", "5-6-2024 926 AM")
    },
    "in a zip": {"s0001.zip": zipped({f"a/{FILE}": own("1"), f"b/{FILE}": own("2")})},
    "in a repository": {f"01-convolution-s0001/a/{FILE}": own("1"), f"01-convolution-s0001/{FILE}": own("2")},
    "final": {"s0001.zip": zipped({FILE: own("1"), f"{NAME}_final.ipynb": own("2")})},
    "in Moodle": {f"Mei Nowak_5_assignsubmission_file_/{folder}/{FILE}": own(folder) for folder in "ab"},
}


@pytest.mark.parametrize("contents", TWINS.values(), ids=TWINS)
def test_two_notebooks_of_which_nothing_says_the_newer_are_not_placed(a_class, contents):
    collected = a_class.collect(contents=contents)
    assert placed(collected) == {} and len(collected.not_placed) == 2 and "two notebooks" in why(collected)


ONE_COUNTS = {  # {what: (members of the student's zip, which counts)}
    "two that are equal": ({f"a/{FILE}": own("1"), f"b/{FILE}": own("1")}, own("1")),
    "an untouched one beside": ({FILE: UNTOUCHED, f"mine/{FILE}": own("1")}, own("1")),
    "an untouched one and Colab's copy": ({FILE: UNTOUCHED, f"Copy of {FILE}": own("1")}, own("1")),
    "Jupyter's copy beside": ({FILE: own("1"), f"{NAME}-Copy1.ipynb": own("2")}, own("1")),
    "a browser's second": ({FILE: own("1"), f"{NAME} (1).ipynb": own("2")}, own("2")),
    "a number": ({f"{NAME}_v2.ipynb": own("1"), f"{NAME}_v10.ipynb": own("2")}, own("2")),
    "another lesson beside": ({FILE: own("1"), "02_cnn_on_mnist.ipynb": own("2")}, own("1")),
    "a scratch file beside": ({FILE: UNTOUCHED, "scratch.ipynb": own("2")}, UNTOUCHED),
    "a scratch file alone": ({"scratch.ipynb": own("2")}, own("2")),
    "files of tools": (
        {
            FILE: own("1"),
            f".virtual_documents/{FILE}": b"# %%",
            f"._{FILE}": b"\0\5\x16\7",
            f".Trash-1000/files/{FILE}": own("2"),
            f".ipynb_checkpoints/{NAME}-checkpoint.ipynb": own("3"),
            f"{NAME}-checkpoint.ipynb": own("3"),
            f"venv/lib/site-packages/{FILE}": own("4"),
            f"__MACOSX/{FILE}": b"",
        },
        own("1"),
    ),
}


@pytest.mark.parametrize(("members", "counts"), ONE_COUNTS.values(), ids=ONE_COUNTS)
def test_one_of_several_counts(a_class, members, counts):
    collected = a_class.collect(contents={"s0001.zip": zipped(members)})
    assert collected.not_placed == []
    assert a_class.content("s0001").encode() == counts


def test_files_of_tools_are_no_submission_of_anybody(a_class):
    collected = a_class.collect(f"s0001/.virtual_documents/{FILE}", f"._s0002_{FILE}", f"s0003/.venv/{FILE}")
    assert (collected.placed, collected.not_placed, collected.beside) == ([], [], 0)


def test_an_untouched_copy_replaces_nobodys_work(a_class):
    a_class.collect(contents={f"nowakmei_1000_5_{FILE}": own("1")})
    collected = a_class.collect(contents={f"nowakmei_1000_6_{FILE}": UNTOUCHED})
    assert placed(collected) == {} and "as it was handed out" in why(collected)
    assert a_class.content("s0001").encode() == own("1")


def test_a_lesson_that_was_not_released_is_not_taken_for_another(a_class):
    collected = a_class.collect("s0001_02_cnn_on_mnist.ipynb")
    assert placed(collected) == {} and "called like 02_cnn_on_mnist" in why(collected)
