"""Grade one submission: run its cells in a sandbox, ask its answers, write down what the checks say."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import cached_property

from nbformat import NotebookNode

from grading.assignment import Assignment, Task
from grading.judging.budget import Budget
from grading.judging.causes import NamingCauses
from grading.judging.job import Judged, Rules
from grading.judging.lacking import notes_on_gpu, notes_on_packages, packages_not_there
from grading.judging.outputs import Outputs
from grading.judging.private_checks import capped
from grading.judging.replies import Incident
from grading.judging.session import Session
from grading.problems import GradingError
from grading.results import Graded, Mark
from grading.sandbox import MachineAtFault, Sandbox
from grading.submission.library_calls import Bindings, bindings, library_calls
from grading.submission.plan import Plan, make_plan
from utils.checking import CheckBroken, Exercise, Status, Verdict
from utils.checking.diagnosis import refused
from utils.checking.judging import Caller
from utils.checking.library_use import in_words

NO_MEMORY = "the machine had no memory left"
TORCH_HAS_NO_MEMORY = "can't allocate memory"  # torch raises no MemoryError for it, but this, in a RuntimeError


def grade_notebook(
    student: str, assignment: Assignment, notebook: NotebookNode, rules: Rules, sandbox: Sandbox
) -> Judged:
    """Judge a notebook that `grading.submission.reading` has read. The same notebook and seed give the same marks.

    Where the machine was at fault, marks say so in `fault` and are none: grade the notebook again.
    """
    notebook = deepcopy(notebook)
    judging = _Judging(assignment, notebook, rules, sandbox)
    marks = judging.marks()
    graded = Graded(
        student,
        assignment.name,
        marks,
        notes=judging.all_notes(marks),
        seed=rules.seed,
        seconds=judging.budget.processor,
        peak_megabytes=judging.peak_megabytes,
        missing=judging.missing(marks),
    )
    return Judged(graded, notebook)


class _Judging:
    """One submission, asked in two rounds that share its time.

    First the answers are asked on what they need and nothing else, so that no experiment of the student's, however slow
    or broken, costs a point. Then all that is to be run is run in a fresh process from the top, as on "run all", for
    the outputs; and what has not passed is asked once more, since own cells may do what no name tells: write a file,
    change a default, fill a table. A pass in either round is a pass.
    """

    def __init__(self, assignment: Assignment, notebook: NotebookNode, rules: Rules, sandbox: Sandbox):
        self.budget = Budget(rules.times.submission)
        self.peak_megabytes = 0.0
        self._assignment, self._notebook, self._rules, self._sandbox = assignment, notebook, rules, sandbox
        self._plan: Plan = make_plan(notebook, assignment, everything=rules.everything)
        self._outputs = Outputs(notebook)
        self._notes: list[str] = []
        self._failures: dict[int, str] = {}

    def marks(self) -> list[Mark]:
        marks = self._first_round()
        if self._plan.has_rest and not any(mark.fault for mark in marks):
            marks = self._second_round(marks)
        return [self._with_remark(task, mark) for task, mark in self._with(marks)]

    def all_notes(self, marks: Sequence[Mark]) -> list[str]:
        incidents = [mark.note_on_incident for mark in marks if mark.incident]
        gpu = notes_on_gpu(self._notebook, self._plan.whole, self._assignment)
        notes = [*gpu, *self._notes, *incidents, *notes_on_packages(self._failures), *self._outputs.notes]
        return list(dict.fromkeys(notes))

    def missing(self, marks: Sequence[Mark]) -> list[str]:
        return packages_not_there([*self._failures.values(), *(mark.verdict.problem for mark in marks)])

    def _first_round(self) -> list[Mark]:
        order = sorted(self._assignment.tasks, key=lambda task: self._plan.asked_after[task.grade_id])
        marks: dict[str, Mark] = {}
        with self._session(self._plan.needed, self._outputs) as session:
            for task in order:
                session.ask_after(self._plan.asked_after[task.grade_id])
                marks[task.grade_id] = self._asked(task, session)
        needed, after = self._plan.needed, self._plan.asked_after
        return [
            self._ask_privately(task, marks[task.grade_id], needed, after[task.grade_id])
            for task in self._assignment.tasks
        ]

    def _second_round(self, marks: list[Mark]) -> list[Mark]:
        with self._session(self._plan.whole, self._outputs) as session:
            try:
                session.run_cells()
            except Incident as incident:
                self._notes.append(
                    f"The submission {incident}. The rest of its cells was not run, which costs nothing."
                )
                return marks
            except MachineAtFault as fault:  # which whoever has not passed will hear of too
                self._notes.append(f"Not all cells were run: {fault}.")
            again = [mark if mark.verdict.passed else self._asked(task, session) for task, mark in self._with(marks)]
        again = [
            mark if earlier.verdict.passed else self._ask_privately(task, mark, self._plan.whole, self._plan.whole[-1])
            for (task, mark), earlier in zip(self._with(again), marks, strict=True)
        ]
        return [self._better(*both) for both in zip(marks, again, strict=True)]

    def _better(self, earlier: Mark, later: Mark) -> Mark:
        """Which of two marks counts: the one with more points, else the later, unless the submission got in its way."""
        if later.incident and not earlier.incident:
            self._notes.append(f"{later.verdict.exercise} {later.incident}, when it was asked again after all cells.")
        if later.fault or later.points > earlier.points:
            return later
        in_its_way = earlier.incident or later.incident
        return earlier if in_its_way or earlier.points > later.points else later

    def _asked(self, task: Task, session: Session) -> Mark:
        before = session.asked_seconds
        caller = NamingCauses(session, self._plan.makers, self._plan.imports)
        verdict, incident, fault = _judge(task.exercises[0], task.answer, caller, self._rules.seed)
        points = round(verdict.share * task.points, 2)
        seconds = session.asked_seconds - before
        return Mark(task.grade_id, points, task.points, verdict, seconds, incident=incident, fault=fault)

    def _ask_privately(self, task: Task, mark: Mark, cells: Sequence[int], after: int) -> Mark:
        """Ask what passed an instructor's own checks too. Their cases stay in processes of which nothing is shown."""
        for exercise in task.exercises[1:]:
            if mark.points:
                with self._session(cells) as session:
                    session.ask_after(after)
                    verdict, _, fault = _judge(exercise, task.answer, session, self._rules.seed)
                if not verdict.passed:
                    if fault:
                        return replace(mark, points=0, verdict=verdict, fault=fault)
                    mark = capped(mark, verdict, self._private_failure())
        return mark

    def _with_remark(self, task: Task, mark: Mark) -> Mark:
        """Named is an answer that the course's own library may give. It counts unless the exercise says otherwise."""
        exercise = task.exercises[0]
        if mark.points == 0 or not (calls := library_calls(self._bindings, task.answer, exercise.may_use)):
            return mark
        if exercise.library_counts:
            return replace(mark, remark=f"Its answer uses {in_words(calls)}, which may be the course's own answer.")
        return replace(mark, points=0, verdict=refused(exercise, calls))

    @cached_property
    def _bindings(self) -> Bindings:
        return bindings(self._notebook.cells[index].source for index in self._plan.whole or self._plan.needed)

    def _private_failure(self) -> str:
        if self.budget.left() > 0:
            return "It does not pass your instructor's own check."
        return f"The {self.budget.seconds:.0f} s of a submission were over before your instructor's own check was done."

    @contextmanager
    def _session(self, cells: Sequence[int], outputs: Outputs | None = None) -> Iterator[Session]:
        """A session within this submission's time. What is learned in one with outputs may be told."""
        rules, plan = self._rules, self._plan
        session = Session(
            self._sandbox,
            self._notebook,
            cells,
            rules.limits,
            rules.times,
            budget=self.budget,
            imports=plan.imports,
            outputs=outputs,
        )
        with session:
            yield session
        self.peak_megabytes = max(self.peak_megabytes, session.peak_megabytes)
        if outputs:
            self._notes += session.notes
            self._failures |= session.failures

    def _with(self, marks: Sequence[Mark]) -> Iterator[tuple[Task, Mark]]:
        return zip(self._assignment.tasks, marks, strict=True)


def _judge(exercise: Exercise, answer: str, caller: Caller, seed: int) -> tuple[Verdict, str, str]:
    """The verdict, what the submission did to keep it from being one, and what the machine lacked; "" for neither."""
    try:
        return exercise.judge(answer, seed, caller=caller), "", ""
    except (CheckBroken, GradingError):  # no fault of the student: no result, and whoever grades is told
        raise
    except Incident as incident:
        said = str(incident)
    except MachineAtFault as fault:
        return _at_fault(exercise, str(fault))
    except MemoryError:
        return _at_fault(exercise, NO_MEMORY)
    except OSError as error:  # of the judge itself: no descriptor, no process, no room
        return _at_fault(exercise, f"the machine refused what the judge needed ({error.strerror or error})")
    except Exception as error:  # a value that our own code chokes on is no pass, and no reason to stop a batch
        if TORCH_HAS_NO_MEMORY in str(error):
            return _at_fault(exercise, NO_MEMORY)
        said = f"gave a value that could not be judged ({type(error).__name__})"
    return Verdict(exercise.name, Status.FAILED, f"It {said}.", hint=exercise.hint), said, ""


def _at_fault(exercise: Exercise, lack: str) -> tuple[Verdict, str, str]:
    said = f"{lack[0].upper()}{lack[1:]}; it is graded again."
    return Verdict(exercise.name, Status.FAILED, said), "", lack
