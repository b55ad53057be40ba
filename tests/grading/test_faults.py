"""What the judge or the machine lacks is never charged to a student: such a mark says so, and is none."""

from types import SimpleNamespace

import nbformat
import pytest

from grading.assignment import load_assignment, make_assignment
from grading.judging import grade as grading
from grading.judging.budget import Budget
from grading.judging.grade import Rules, grade_notebook
from grading.judging.private_checks import declared_exercises
from grading.judging.replies import Incident, outcome_of
from grading.judging.session import Session, Times
from grading.problems import GradingError
from grading.results import Graded
from grading.sandbox import Ended, MachineAtFault, NoSandbox, SandboxLost, process
from grading.worker import wire
from grading.worker.isolation import Limits
from tests.grading.test_fairness import SIZE
from tests.grading.test_grade import PRIVATE
from utils.checking import CheckBroken, Status
from utils.checking.calling import Outcome, Problem
from utils.checking.outcome import Case
from utils.paths import NOTEBOOKS

LESSON = load_assignment(NOTEBOOKS / "01_convolution.ipynb")
RULES = Rules(seed=7, limits=Limits(memory_megabytes=1_500), times=Times(cell=20, submission=120))


def solved(*last: str, **answers: str):
    notebook = nbformat.from_dict(LESSON.notebook)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    notebook.cells += [nbformat.v4.new_code_cell(source, id=f"last-{i}") for i, source in enumerate(last)]
    return notebook


class Breaking:
    """A sandbox whose processes do what a real one's do, until one is asked something that matches `when`."""

    def __init__(self, sandbox, when, error):
        self._sandbox, self._when, self._error = sandbox, when, error
        self.started = 0

    def start_process(self, limits):
        self.started += 1
        student = self._sandbox.start_process(limits)
        ask = student.ask

        def ask_or_break(request, seconds):
            if self._when(request):
                raise self._error
            return ask(request, seconds)

        student.ask = ask_or_break
        return student


def calls(answer):
    return lambda request: _whole(request)["do"] == "call" and _whole(request)["name"] == answer


def runs(source):
    return lambda request: _whole(request)["do"] == "run" and source in _whole(request)["source"]


def _whole(request):
    """A request as it was before it was packed."""
    if isinstance(request, dict):
        return request
    if not request:
        return {"do": "wait for the next reply"}
    text = wire.LENGTHS.size + wire.LENGTHS.unpack_from(request)[0]
    return wire.unpack(request[wire.LENGTHS.size : text], request[text:])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MachineAtFault("the machine had no memory left"), "the machine had no memory left"),
        (MachineAtFault("the machine was too busy to run it"), "the machine was too busy to run it"),
        (SandboxLost(), "the sandbox was ended from outside"),
        (MemoryError(), "the machine had no memory left"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "the machine had no memory left"),
        (OSError(24, "Too many open files"), "Too many open files"),
    ],
)
def test_a_mark_says_what_the_machine_lacked_and_is_none(error, said, sandbox):
    breaking = Breaking(sandbox, calls("conv2d"), error)
    graded = grade_notebook("ada", LESSON, solved(output_size=SIZE, conv2d="conv2d = max"), RULES, breaking).graded
    marks = {mark.verdict.exercise: mark for mark in graded.marks}
    assert marks["output_size"].points == 1 and not marks["output_size"].fault
    assert said in marks["conv2d"].fault and graded.fault == marks["conv2d"].fault
    assert marks["conv2d"].points == 0 and marks["conv2d"].incident == ""
    assert marks["conv2d"].verdict.status is Status.FAILED and "graded again" in marks["conv2d"].verdict.summary


def test_once_the_machine_was_at_fault_nothing_more_is_run(sandbox):
    breaking = Breaking(sandbox, calls("output_size"), MachineAtFault("the machine had no memory left"))
    graded = grade_notebook("ada", LESSON, solved("print(1)", output_size=SIZE), RULES, breaking).graded
    assert {mark.fault for mark in graded.marks} == {"the machine had no memory left"}
    assert breaking.started == 1


def test_a_process_that_cannot_be_started_is_the_machines_fault():
    def start_process(limits):
        raise MachineAtFault("the machine could not start a process in 30 s")

    graded = grade_notebook("ada", LESSON, solved(), RULES, SimpleNamespace(start_process=start_process)).graded
    assert {mark.fault for mark in graded.marks} == {"the machine could not start a process in 30 s"}


@pytest.mark.parametrize("error", [NoSandbox("gone"), GradingError("wrong"), CheckBroken("broken")])
def test_what_is_wrong_with_the_grader_is_no_mark_at_all(error, sandbox):
    with pytest.raises(type(error)):
        grade_notebook("ada", LESSON, solved(output_size=SIZE), RULES, Breaking(sandbox, calls("output_size"), error))


def test_a_fault_while_own_cells_run_costs_nobody_who_has_passed_and_others_are_graded_again(sandbox):
    notebook = solved("'the last'", output_size=SIZE)
    breaking = Breaking(sandbox, runs("the last"), MachineAtFault("the machine was too busy to run it"))
    graded = grade_notebook("ada", LESSON, notebook, RULES, breaking).graded
    marks = {mark.verdict.exercise: mark for mark in graded.marks}
    assert marks["output_size"].points == 1 and not marks["output_size"].fault
    assert marks["conv2d"].fault == graded.fault == "the machine was too busy to run it"
    assert "Not all cells were run: the machine was too busy to run it." in graded.notes


def test_a_fault_in_a_private_check_is_no_failure(sandbox):
    assignment = make_assignment(LESSON.name, LESSON.notebook, declared_exercises({"mine.py": PRIVATE}))
    error = MachineAtFault("the machine had no memory left")
    breaking = Breaking(
        sandbox, lambda request: any(1000003 in args for _, args in _whole(request).get("cases", ())), error
    )
    graded = grade_notebook("ada", assignment, solved(output_size=SIZE), RULES, breaking).graded
    assert graded.marks[0].points == 0 and graded.marks[0].fault == "the machine had no memory left"
    assert "own check" not in graded.marks[0].verdict.summary and "1000003" not in str(graded)


def test_marks_without_a_fault_say_so(sandbox):
    graded = grade_notebook("ada", LESSON, solved(output_size=SIZE), RULES, sandbox).graded
    assert graded.fault == "" and Graded("ada", LESSON.name, []).fault == ""


# --- an answer that ran too long, in the words of its own process ---


class Slow:
    """A process that says of every call that it ran too long, having used and waited so much."""

    def __init__(self, used, starved):
        self.used, self.starved, self._each = 0.0, 0.0, (used, starved)

    def ask(self, request, seconds):
        if isinstance(request, dict):  # to run the imports
            return []
        self.used, self.starved = self.used + self._each[0], self.starved + self._each[1]
        return [{"problem": str(Problem.RAN_TOO_LONG)}]

    def seconds(self):
        return self.used

    def end(self):
        return Ended(self.used, 0.0)


@pytest.mark.parametrize(
    ("used", "starved", "is_fault"),
    [(5.1, 100.0, False), (1.0, 100.0, True), (1.0, 0.0, False), (0.0, 0.0, False)],
    ids=["worked all its time", "got no processor", "slept", "was stopped"],
)
def test_an_answer_that_ran_too_long_had_the_processor_or_not(used, starved, is_fault):
    slow = SimpleNamespace(start_process=lambda _: Slow(used, starved))
    with Session(slow, solved(), [], Limits(), Times()) as session:
        if is_fault:
            with pytest.raises(MachineAtFault, match="too busy"):
                next(session.call_each("output_size", [Case((1,), 0, 0)], ask=max, seconds=5.0))
        else:
            outcome = next(session.call_each("output_size", [Case((1,), 0, 0)], ask=max, seconds=5.0))
            assert outcome.problem is Problem.RAN_TOO_LONG


def test_a_busy_machine_is_seen_from_outside_whatever_the_process_says(sandbox, monkeypatch):
    """An answer that would loop for ever, on a machine that hardly lets it: as the kernel would tell."""
    monkeypatch.setattr(grading.Session, "call_each", _starving(grading.Session.call_each, monkeypatch))
    endless = "def output_size(*case):\n    import time\n    time.sleep(1000)"
    monkeypatch.setattr(LESSON.tasks[0].exercises[0], "seconds", 0.5)
    graded = grade_notebook("ada", LESSON, solved(output_size=endless), RULES, sandbox).graded
    assert graded.marks[0].fault == "the machine was too busy to run it"


def _starving(call, monkeypatch):
    def wrapped(self, *args, **options):
        clock = process.time.monotonic
        monkeypatch.setattr(process, "queue_seconds", lambda processes: {(1, "1"): clock()})
        return call(self, *args, **options)

    return wrapped


# --- the time of a submission ---


def test_a_budget_counts_the_processor_or_a_quarter_of_the_clock():
    budget = Budget(10)
    assert budget.left() == 10
    budget.spend(processor=3)
    assert budget.left() == 7 and budget.left(running=2) == 5
    budget.spend(clock=16)
    assert budget.left() == 6 and budget.processor == 3
    budget.spend(clock=24)
    assert budget.left() == 0


def test_time_without_a_processor_does_not_count():
    """Each call waits in the queue for as long as it lasts by the clock, and longer than all the time that there is."""
    budget = Budget(1.0)
    busy = SimpleNamespace(start_process=lambda _: Slow(0.01, 100.0))
    with Session(busy, solved(), [], Limits(), Times(), budget=budget) as session, pytest.raises(MachineAtFault):
        next(session.call_each("output_size", [Case((1,), 0, 0)], ask=max, seconds=5.0))
    assert budget.left() > 0.9


def total(values):
    return sum(values)


def test_measuring_is_within_the_time_of_the_submission(sandbox):
    budget = Budget(60)
    with Session(sandbox, solved(), [], Limits(), Times(), budget=budget) as session:
        assert session.measure(total, [1, 2], (), seconds=5.0, seed=0) == Outcome(value=3)
        assert 0 < budget.processor < 60
        budget.spend(processor=60)
        with pytest.raises(Incident, match="used up the 60 s"):
            session.measure(total, [1, 2], (), seconds=5.0, seed=0)


# --- what is no reply ---


@pytest.mark.parametrize(
    "reply",
    [
        {"detail": 7},
        {"detail": ["x"] * 3},
        {"detail": None},
        {"printed": 1.5},
        {"printed": {}},
        {"problem": "came back in a form that no check sends"},
        {"problem": ["raised an error"]},
        "text",
        None,
    ],
)
def test_a_reply_of_another_form_is_named(reply):
    with pytest.raises(Incident, match="sent what is no reply"):
        outcome_of(reply, 0.0, 1)


def test_what_an_answer_says_is_cut_off():
    outcome = outcome_of({"detail": "x" * 10**6, "printed": "y" * 10**6, "problem": "raised an error"}, 0.0, 1)
    assert len(outcome.detail) == len(outcome.printed) == 5_000
