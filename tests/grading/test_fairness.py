"""Nothing that an answer does not need costs a point, and what it lacks is said by its true cause."""

import re
from types import SimpleNamespace

import nbformat
import pytest

from grading.assignment import load_assignment, make_assignment
from grading.judging.grade import Rules, grade_notebook
from grading.judging.private_checks import declared_exercises
from grading.judging.session import Times
from grading.results import Mark
from grading.worker.isolation import Limits
from tests.grading.test_grade import PRIVATE
from utils.checking import Status
from utils.paths import NOTEBOOKS

IMPORTS = 2  # the place of the import cell of lesson 01
RULES = Rules(seed=7, limits=Limits(memory_megabytes=1_500), times=Times(cell=20, submission=120))
RIGHT = "    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1"
SIZE = f"def output_size(size, kernel, stride=1, padding=0, dilation=1):\n{RIGHT}"
POOL = "def max_pool2d(x, size, stride):\n    return torch.nn.functional.max_pool2d(x, size, stride)"


@pytest.fixture(scope="module")
def lesson():
    return load_assignment(NOTEBOOKS / "01_convolution.ipynb")


@pytest.fixture
def grade(lesson, sandbox):
    """Grade the lesson with these answers, this text before or instead of the import cell, and own cells after it."""

    def grade(*own, before="", imports="", last=(), rules=RULES, assignment=lesson, **answers):
        notebook = nbformat.from_dict(lesson.notebook)
        for cell in notebook.cells:
            cell.source = answers.get(cell.id, cell.source)
        cell = notebook.cells[IMPORTS]
        cell.source = imports or f"{before}\n{cell.source}".strip()
        notebook.cells[IMPORTS + 1 : IMPORTS + 1] = [own_cell(source, f"own-{i}") for i, source in enumerate(own, 1)]
        notebook.cells += [own_cell(source, f"last-{i}") for i, source in enumerate(last, 1)]
        return grade_notebook("ada", assignment, notebook, rules, sandbox)

    return grade


def own_cell(source, name):
    return nbformat.v4.new_code_cell(source, id=name)


def mark(judged, exercise) -> Mark:
    return next(mark for mark in judged.graded.marks if mark.grade_id == f"check_{exercise}")


def printed(judged, cell_id) -> str:
    return "".join(
        output.get("text", "") for cell in judged.notebook.cells if cell.id == cell_id for output in cell.outputs
    )


# --- the import cell ---

BROKEN = [
    "import a_package_that_is_missing",
    "from google.colab import drive\ndrive.mount('/content/drive')",
    "%matplotlib widget",
    "%load_ext a_package_that_is_missing",
    "!exit 1",
    "1 / 0",
    "import os; os._exit(0)",
    "raise SystemExit",
]


@pytest.mark.parametrize("line", BROKEN)
def test_a_line_of_the_import_cell_that_fails_costs_nothing(line, grade):
    judged = grade(before=line, output_size=SIZE, max_pool2d=POOL)
    assert mark(judged, "output_size").points == mark(judged, "max_pool2d").points == 1


@pytest.mark.parametrize("imports", ["def broken(:", "pass", "import os; os._exit(0)", "x = 1"])
def test_an_import_cell_that_was_destroyed_costs_nothing(imports, grade):
    judged = grade(imports=imports, max_pool2d=POOL)
    assert mark(judged, "max_pool2d").points == 1


def test_a_missing_package_is_noted_with_its_cells_and_costs_nothing(grade):
    judged = grade(
        "import einops_of_mine", "import einops_of_mine.layers", before="import seaborn_of_mine", output_size=SIZE
    )
    notes = judged.graded.notes
    assert "`seaborn_of_mine` is not installed where grading runs: cell 3." in notes
    assert "`einops_of_mine` is not installed where grading runs: cell 4, 5." in notes
    assert mark(judged, "output_size").points == 1


# --- the true cause ---


def test_a_name_that_is_missing_when_an_answer_is_asked_is_said_with_the_cell_that_should_have_made_it(grade):
    uses = "def max_pool2d(x, kernel, stride):\n    return product(x)"
    judged = grade(before="import a_package_that_is_missing\nfrom itertools import product", max_pool2d=uses)
    problem = mark(judged, "max_pool2d").verdict.problem
    assert "NameError: name 'product' is not defined" in problem
    cause = "cell 3 stopped with ModuleNotFoundError: No module named 'a_package_that_is_missing'"
    assert f"`product` is missing because {cause}" in problem


def test_a_name_that_is_missing_when_an_answer_is_defined_is_followed_to_the_first_cell_that_failed(grade):
    judged = grade(
        "width = height * 2",
        before="import a_package_that_is_missing\nheight = 1",
        output_size=f"{SIZE}\nlimit = width",
        max_pool2d="limit = width\n" + POOL,
    )
    assert mark(judged, "output_size").points == 1  # it was defined before its cell stopped
    said = mark(judged, "max_pool2d").verdict.problem.splitlines()
    assert [re.match(r"`(\w+)` is missing because cell \d+ stopped with (\w+)", line).groups() for line in said] == [
        ("max_pool2d", "NameError"),
        ("width", "NameError"),
        ("height", "ModuleNotFoundError"),
    ]


@pytest.mark.parametrize(
    ("cell", "cause"),
    [
        ("def helper(:\n    return 1", "stopped with SyntaxError"),
        ("import os; os._exit(0)\nhelper = 1", "ended its own process"),
        ("x = [][1]\ndef helper(): return 1", "stopped with IndexError"),
    ],
)
def test_the_cause_is_said_whatever_kept_the_cell_from_making_the_name(cell, cause, grade):
    judged = grade(cell, output_size="def output_size(*case):\n    return helper()")
    assert f"`helper` is missing because cell 4 {cause}" in mark(judged, "output_size").verdict.problem


@pytest.mark.parametrize("broken", ["def output_size(:", "1 / 0\n" + SIZE, "import os; os._exit(0)\n" + SIZE])
def test_an_answer_whose_own_cell_failed_says_so(broken, grade):
    problem = mark(grade(output_size=broken), "output_size").verdict.problem
    assert re.match(r"`output_size` is missing because cell \d+ (stopped with \w+Error|ended its own process)", problem)


def test_a_name_that_nobody_makes_accuses_no_cell(grade):
    judged = grade("1 / 0", "x = [][1]", output_size="def output_size(*case):\n    return nowhere")
    assert "nowhere" in mark(judged, "output_size").verdict.problem
    assert "is missing because" not in mark(judged, "output_size").verdict.problem


def test_a_mistake_of_the_answers_own_is_not_put_down_to_a_cell_that_failed(grade):
    judged = grade("1 / 0\nsize = 1", output_size=SIZE.replace("- 1) // ", "- 1) // 2 // "))
    assert mark(judged, "output_size").verdict.status is Status.FAILED
    assert "is missing because" not in mark(judged, "output_size").verdict.text()


# --- the student's own cells ---

TROUBLE = [
    "while True: pass",
    "import time; time.sleep(10_000)",
    "import os; os._exit(1)",
    "hoard = bytearray(10**10)",
    "torch.nn.functional.max_pool2d = None",
    "import builtins; builtins.len = builtins.int = None",
    "def max_pool2d(*case): return 0",
]


@pytest.mark.parametrize("cell", TROUBLE)
@pytest.mark.parametrize("everything", [False, True])
def test_trouble_in_cells_that_no_answer_needs_costs_nothing(cell, everything, grade):
    """Some stand before the answers, some behind. With --all-cells the lesson's own demonstrations run too."""
    rules = Rules(7, RULES.limits, Times(cell=1, submission=60), everything)
    behind = "def" in cell
    judged = grade(
        *([] if behind else [cell]), last=[cell] if behind else [], rules=rules, output_size=SIZE, max_pool2d=POOL
    )
    assert mark(judged, "output_size").points == mark(judged, "max_pool2d").points == 1
    assert not judged.graded.fault


def test_own_cells_that_use_up_all_the_time_cost_nothing(grade):
    rules = Rules(7, RULES.limits, Times(cell=2, submission=6))
    judged = grade(*["while True: pass"] * 8, rules=rules, output_size=SIZE, max_pool2d=POOL)
    assert judged.graded.points == 2
    assert "used up the 6 s" in " ".join(judged.graded.notes) and "costs nothing" in " ".join(judged.graded.notes)
    assert mark(judged, "conv2d").verdict.status is Status.NOT_ATTEMPTED  # and nothing worse


@pytest.mark.parametrize(
    ("own", "answer"),
    [
        (["import os\nos.environ['SHIFT'] = '1'"], "    import os\n    shift = int(os.environ['SHIFT'])"),
        (["open('shift.txt', 'w').write('1')"], "    shift = int(open('shift.txt').read())"),
        (["table = {}", "table['shift'] = 1"], "    shift = table['shift']"),
        (["class Net: pass", "def one(self): return 1", "Net.shift = one"], "    shift = Net().shift()"),
        (["shift = 0", "shift += 1"], "    global shift"),
    ],
)
def test_what_own_cells_did_before_an_answer_holds_for_it(own, answer, grade):
    source = (
        f"def output_size(size, kernel, stride=1, padding=0, dilation=1):\n{answer}\n{RIGHT.replace('+ 1', '+ shift')}"
    )
    assert mark(grade(*own, output_size=source), "output_size").points == 1


@pytest.mark.parametrize("place", ["above", "at the end"])
def test_an_answer_in_a_cell_of_its_own_beside_the_stub_counts(place, grade):
    judged = grade(*([SIZE] if place == "above" else []), last=[SIZE] if place == "at the end" else [])
    assert mark(judged, "output_size").points == 1


def test_a_later_cell_that_defines_an_answer_again_wrongly_costs_nothing_and_rightly_helps(grade):
    wrong = SIZE.replace("+ 1", "+ 2")
    assert mark(grade(last=[wrong], output_size=SIZE), "output_size").points == 1
    assert mark(grade(last=[SIZE], output_size=wrong), "output_size").points == 1
    assert mark(grade(last=[wrong], output_size=wrong), "output_size").points == 0


def test_each_answer_is_asked_with_the_helpers_that_it_had_on_run_all(lesson, sandbox):
    """Two answers share a helper's name, and the second one's stands behind the first one's check."""
    notebook = nbformat.from_dict(lesson.notebook)
    places = {cell.id: at for at, cell in enumerate(notebook.cells)}
    notebook.cells[places["output_size"]].source = f"def shift():\n    return 1\n{SIZE.replace('+ 1', '+ shift()')}"
    pool = POOL.replace("functional.max_pool2d(x, size, stride)", "functional.max_pool2d(x + shift(), size, stride)")
    notebook.cells[places["max_pool2d"]].source = f"def shift():\n    return 0\n{pool}"
    judged = grade_notebook("ada", lesson, notebook, RULES, sandbox)
    assert mark(judged, "output_size").points == mark(judged, "max_pool2d").points == 1


@pytest.mark.parametrize("everything", [False, True])
def test_outputs_are_those_of_running_all_from_the_top(everything, grade):
    rules = Rules(7, RULES.limits, Times(cell=20, submission=200), everything)
    judged = grade("n = 1", "n += 1\nprint(n)", rules=rules, output_size=f"n += 1\nprint(n)\n{SIZE}", last=["print(n)"])
    assert [printed(judged, name) for name in ("own-2", "output_size", "last-1")] == ["2\n", "3\n", "3\n"]
    assert mark(judged, "output_size").points == 1


def test_what_a_second_round_brings_to_light_is_named(grade):
    """The own cell makes no name: the answer is asked without it first, and does no harm."""
    kills = "def output_size(*case):\n    import os\n    return os._exit(0) if 'KILL' in os.environ else 0"
    judged = grade("import os\nos.environ['KILL'] = '1'", output_size=kills)
    assert "output_size ended its own process" in " ".join(judged.graded.notes)
    assert mark(judged, "output_size").points == 0


# --- one time for all of a submission ---

BURN = "import time\nuntil = time.process_time() + 1.5\nwhile time.process_time() < until: pass\nshift = 1"


@pytest.fixture(scope="module")
def private(lesson):
    sources = {f"{number}.py": PRIVATE.replace("1000003", f"100000{number}") for number in range(3)}
    return make_assignment(lesson.name, lesson.notebook, declared_exercises(sources))


def test_private_checks_share_the_time_of_the_submission(grade, private):
    """Each of three runs a cell of 1.5 s again, which the answer needs: 6 s in all, where there are 4."""
    uses = SIZE.replace("+ 1", "+ shift")
    ample = grade(BURN, assignment=private, output_size=uses)
    assert mark(ample, "output_size").points == 1 and ample.graded.seconds > 6
    short = grade(
        BURN, assignment=private, output_size=uses, rules=Rules(7, RULES.limits, Times(cell=20, submission=4))
    )
    assert (
        mark(short, "output_size").points == 0
        and "The 4 s of a submission" in mark(short, "output_size").verdict.summary
    )
    assert "1000001" not in str(short.graded)


def test_own_cells_take_no_time_from_private_checks(grade, private):
    judged = grade(*[BURN] * 3, assignment=private, output_size=SIZE, rules=Rules(7, RULES.limits, Times(5, 3)))
    assert mark(judged, "output_size").points == 1


# --- whose seconds ---


class Counted:
    """A process whose cells take 100 s, a start 10 s and a question 1 s."""

    starved = 0.0

    def __init__(self):
        self.used = 10.0

    def ask(self, request, seconds):
        self.used += 100 if request["do"] == "run" else 1
        return [] if request["do"] == "run" else {"value": 0}

    def seconds(self):
        return self.used

    def end(self):
        return SimpleNamespace(seconds=self.used, peak_megabytes=1.0)


def test_the_seconds_of_a_mark_are_those_of_its_answer_alone(lesson):
    rules = Rules(7, times=Times(cell=1_000, submission=100_000))
    graded = grade_notebook(
        "ada", lesson, lesson.notebook, rules, SimpleNamespace(start_process=lambda _: Counted())
    ).graded
    assert all(0 < mark.seconds < 100 for mark in graded.marks)
    assert graded.seconds > 500
