"""A submission in the sandbox gets what the same answers get in a notebook, and cannot get more."""

import base64
import pickletools
import sys
from types import SimpleNamespace

import cloudpickle
import nbformat
import psutil
import pytest

from grading.assignment import load_assignment, make_assignment
from grading.judging.grade import Rules, grade_notebook
from grading.judging.private_checks import declared_exercises
from grading.judging.session import Session, Times, by_value
from grading.sandbox import Ended, Sandbox
from grading.sandbox.usage import below, processor_seconds
from grading.submission.reading import read_submission
from grading.worker.isolation import Limits
from utils.checking import Status
from utils.checks import exercises
from utils.paths import NOTEBOOKS, SOLUTIONS

LESSONS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
QUICK = Rules(seed=7, limits=Limits(memory_megabytes=1_500), times=Times(cell=5, submission=60))


def answered(notebook, **answers: str):
    """A copy of a released notebook with these sources in its answer cells; "own" is a cell of the student's own."""
    notebook = nbformat.from_dict(notebook)
    for index, cell in enumerate(list(notebook.cells)):
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if name in answers:
            cell.source = answers[name]
        if index == 2 and "own" in answers:
            notebook.cells.insert(3, nbformat.v4.new_code_cell(answers["own"], id="own"))
    return notebook


@pytest.fixture
def lesson():
    return load_assignment(NOTEBOOKS / "01_convolution.ipynb")


@pytest.mark.parametrize("name", LESSONS)
def test_solutions_get_all_points_and_untouched_notebooks_none(name, sandbox):
    assignment = load_assignment(NOTEBOOKS / f"{name}.ipynb")
    solved = read_submission(SOLUTIONS / f"{name}.ipynb", assignment)
    judged = grade_notebook("ada", assignment, solved.notebook, Rules(seed=11), sandbox)
    assert [mark.verdict.text() for mark in judged.graded.marks if mark.points < mark.max_points] == []
    assert judged.graded.notes == []
    untouched = grade_notebook("ada", assignment, assignment.notebook, Rules(seed=11), sandbox).graded
    assert {mark.verdict.status for mark in untouched.marks} == {Status.NOT_ATTEMPTED}
    assert sum(mark.points for mark in untouched.marks) == 0


@pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.name)
def test_mistakes_are_named_as_in_a_notebook(exercise, sandbox):
    """A few of each exercise: the answers live in the sandbox, where a mistake of ours is sent by value."""
    module = sys.modules[exercise.reference.__module__]
    for mistake in exercise.mistakes[:: 1 + len(exercise.mistakes) // 3]:
        cloudpickle.register_pickle_by_value(module)
        code = base64.b64encode(cloudpickle.dumps(mistake.answer)).decode()
        cloudpickle.unregister_pickle_by_value(module)
        source = f"import base64, pickle; {exercise.name} = pickle.loads(base64.b64decode({code!r}))"
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        with Session(sandbox, notebook, [0], Limits(), Times()) as session:
            assert exercise.judge(exercise.name, seed=0, caller=session).mistake == mistake.name


def test_the_same_submission_and_seed_give_the_same_marks(lesson, sandbox):
    wrong = answered(
        lesson.notebook, max_pool2d="import random\ndef max_pool2d(x, kernel, stride):\n    return x * random.random()"
    )
    first, second = (grade_notebook("ada", lesson, wrong, QUICK, sandbox).graded.marks for _ in range(2))
    assert [(mark.points, mark.verdict) for mark in first] == [(mark.points, mark.verdict) for mark in second]


def test_the_start_of_a_sandbox_is_nobodys_time(lesson, sandbox):
    """The first submission of a sandbox is charged no more than the next."""
    solved = read_submission(SOLUTIONS / "01_convolution.ipynb", lesson).notebook
    with Sandbox(brief=True) as fresh:
        fresh.wait_until_ready()
        start = processor_seconds([psutil.Process(fresh._warm.pid), *below(fresh._warm.pid)])
        first, second = (grade_notebook("ada", lesson, solved, QUICK, fresh).graded for _ in range(2))
    for one in (first, second):
        assert one.points == one.max_points and one.seconds < start / 2
        assert sum(mark.seconds for mark in one.marks) <= one.seconds


@pytest.mark.parametrize(
    "source, said",
    [
        ("import os\nos._exit(1)", "ended its own process"),
        ("while True:\n    try:\n        while True: pass\n    except BaseException: pass", "still running"),
        ("def output_size(*args):\n    import os\n    os._exit(0)", "ended its own process"),
        ("raise SystemExit", ""),
        ("exit()", ""),
        ("def broken(:", ""),
    ],
)
def test_what_one_cell_does_costs_the_other_answers_nothing(source, said, lesson, sandbox):
    pool = "def max_pool2d(x, kernel, stride):\n    return torch.nn.functional.max_pool2d(x, kernel, stride)"
    notebook = answered(lesson.notebook, output_size=source, max_pool2d=pool)
    judged = grade_notebook("ada", lesson, notebook, QUICK, sandbox)
    points = {mark.grade_id: mark.points for mark in judged.graded.marks}
    assert points["check_max_pool2d"] == 1 and sum(points.values()) == 1
    assert said in " ".join(judged.graded.notes)


def test_a_batch_goes_on_after_the_time_of_a_submission_is_up(lesson, sandbox):
    endless = "def {}(*args, **options):\n    while True: pass"
    names = [task.answer for task in lesson.tasks]
    slow = answered(lesson.notebook, **{name: endless.format(name) for name in names})
    rules = Rules(seed=1, times=Times(cell=5, submission=4))
    judged = grade_notebook("ada", lesson, slow, rules, sandbox)
    assert sum(mark.points for mark in judged.graded.marks) == 0
    assert "used up the 4 s" in " ".join(judged.graded.notes)


def test_outputs_are_ours_and_hold_nothing_that_runs(lesson, sandbox):
    shows = "from IPython.display import HTML, display\ndisplay(HTML('<script>1</script>'))\nprint('seen')\n'the value'"
    draws = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"
    judged = grade_notebook("ada", lesson, answered(lesson.notebook, own=shows, output_size=draws), QUICK, sandbox)
    cells = {cell.id: cell for cell in judged.notebook.cells}
    kinds = [output.get("data", {}).keys() or output.output_type for output in cells["own"].outputs]
    assert (
        "text/html" not in str(kinds)
        and "seen" in str(cells["own"].outputs)
        and "the value" in str(cells["own"].outputs)
    )
    assert "image/png" in str(cells["output_size"].outputs)
    nbformat.validate(judged.notebook)


PRIVATE = """
from utils.checking import Lesson

lesson = Lesson("01", __name__)

@lesson.exercise(points=1, hint="")
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1

@output_size.cases
def _(rng):
    yield 1000003, 7, 3, 2, 5
"""


def test_private_checks_must_pass_too_and_show_nothing(lesson, sandbox):
    assignment = make_assignment(lesson.name, lesson.notebook, declared_exercises({"mine.py": PRIVATE}))
    right = "def output_size(size, kernel, stride=1, padding=0, dilation=1):\n"
    right += "    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1"
    small = right.replace("    return", "    if size > 10_000: return print('saw', size)\n    return")
    passed, failed = (
        grade_notebook("ada", assignment, answered(lesson.notebook, output_size=source), QUICK, sandbox).graded
        for source in (right, small)
    )
    assert passed.marks[0].points == 1 and failed.marks[0].points == 0
    assert "1000003" not in str(failed) and "your instructor's own check" in failed.marks[0].verdict.summary


def test_what_a_sandbox_gets_of_an_exercise_has_no_answer_in_it():
    """A way of asking is sent without its module: nothing in it names a reference or a mistake."""
    for exercise in exercises():
        sent = base64.b64decode(by_value(exercise.ask_function))
        words = {str(argument) for _, argument, _ in pickletools.genops(sent) if argument is not None}
        assert not words & ({"reference"} | {mistake.name for mistake in exercise.mistakes}), exercise.name


def test_a_forged_reply_is_an_incident_or_no_pass(lesson):
    """The judge asked by somebody who sends anything at all: no exception comes out, and no point."""
    replies = [
        None,
        [],
        "x",
        3,
        {},
        {"value": 1},
        {"problem": "passed"},
        {"problem": "changed its arguments", "detail": "9"},
    ]
    replies += [{"problem": "was not attempted", "detail": 7}, {"value": {"dict": 1}, "problem": None, "printed": None}]
    for reply in replies:
        process = SimpleNamespace(
            ask=lambda request, seconds, reply=reply: reply,
            seconds=lambda: 0.0,
            end=lambda: Ended(0.0, 0.0),
            starved=0.0,
        )
        fake = SimpleNamespace(start_process=lambda limits, process=process: process)
        judged = grade_notebook("ada", lesson, lesson.notebook, QUICK, fake)
        assert sum(mark.points for mark in judged.graded.marks) == 0
        assert "Error" not in " ".join(judged.graded.notes)
