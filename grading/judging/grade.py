"""Grade one submission: run its cells in a sandbox, ask its answers, write down what the checks say."""

from copy import deepcopy
from dataclasses import dataclass

from nbformat import NotebookNode

from grading.assignment import Assignment, Task
from grading.judging.lacking import missing_packages, notes_on_gpu
from grading.judging.private_checks import capped
from grading.judging.session import Incident, Session, Times
from grading.results import Graded, Mark
from grading.sandbox import Sandbox
from grading.submission.plan import cells_to_run
from grading.worker.isolation import Limits
from utils.checking import CheckBroken, Exercise, Status, Verdict


@dataclass(frozen=True)
class Rules:
    """How a batch is graded. `everything`: run all of a student's cells, not just those that the answers need."""

    seed: int = 0
    limits: Limits = Limits()
    times: Times = Times()
    everything: bool = False


@dataclass(frozen=True)
class Judged:
    """What a submission came to, and its notebook with the outputs of our run.

    The outputs of the check cells are not in it: they come with the gradebook, see `grading.gradebook.autograded`.
    """

    graded: Graded
    notebook: NotebookNode


def grade_notebook(
    student: str, assignment: Assignment, notebook: NotebookNode, rules: Rules, sandbox: Sandbox
) -> Judged:
    """Judge a notebook that `grading.submission.reading` has read. The same notebook and seed give the same marks."""
    notebook = deepcopy(notebook)
    cells = cells_to_run(notebook, assignment, everything=rules.everything)
    with Session(sandbox, notebook, cells, rules.limits, rules.times) as session:
        session.run_cells()
        marks = [_asked(task, session, rules.seed) for task in assignment.tasks]
    marks = _ask_privately(assignment, marks, notebook, cells, rules, sandbox)
    incidents = [f"{mark.verdict.exercise} {mark.incident}." for mark in marks if mark.incident]
    released = {cell.id: cell.source for cell in assignment.notebook.cells}
    graded = Graded(
        student,
        assignment.name,
        marks,
        notes=notes_on_gpu(notebook, cells, released) + session.notes + incidents,
        seed=rules.seed,
        peak_megabytes=session.peak_megabytes,
        missing=missing_packages(notebook, marks),
    )
    return Judged(graded, notebook)


def _ask_privately(
    assignment: Assignment,
    marks: list[Mark],
    notebook: NotebookNode,
    cells: list[int],
    rules: Rules,
    sandbox: Sandbox,
) -> list[Mark]:
    """Ask what passed an instructor's own checks too. Their cases stay in processes of which nothing is shown."""
    asked = []
    for task, mark in zip(assignment.tasks, marks, strict=True):
        for exercise in task.exercises[1:]:
            if mark.points:
                with Session(sandbox, deepcopy(notebook), cells, rules.limits, rules.times) as session:
                    verdict, _ = _judge(exercise, task.answer, session, rules.seed)
                if not verdict.passed:
                    mark = capped(mark, verdict)
        asked.append(mark)
    return asked


def _asked(task: Task, session: Session, seed: int) -> Mark:
    before = session.seconds
    verdict, incident = _judge(task.exercises[0], task.answer, session, seed)
    points = round(verdict.share * task.points, 2)
    return Mark(task.grade_id, points, task.points, verdict, session.seconds - before, incident)


def _judge(exercise: Exercise, answer: str, session: Session, seed: int) -> tuple[Verdict, str]:
    try:
        return exercise.judge(answer, seed, caller=session), ""
    except CheckBroken:  # no fault of the student: no result, and whoever grades is told
        raise
    except Incident as incident:
        said = str(incident)
    except Exception as error:  # a value that our own code chokes on is no pass, and no reason to stop a batch
        said = f"gave a value that could not be judged ({type(error).__name__})"
    return Verdict(exercise.name, Status.FAILED, f"It {said}.", hint=exercise.hint), said
