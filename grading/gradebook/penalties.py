"""Late penalties in the gradebook: the class's due dates, when things came in, and nbgrader's policy as configured."""

# nbgrader declares its tables in SQLAlchemy's old style, where a type checker sees columns instead of their values.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# pyright: reportOperatorIssue=false

from datetime import datetime

from nbgrader.api import Gradebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import select
from sqlalchemy.orm import undefer
from traitlets.config import Config

from grading.classroom import Classroom
from grading.gradebook.changes import because
from grading.gradebook.due_dates import DueDates, kept_due_dates
from grading.gradebook.lateness import handed_in, seconds_late
from grading.problems import GradingError
from grading.receipt import Receipt


class Penalties:
    """What late work costs in a class. Whoever calls it has a transaction open, in which it is logged why."""

    def __init__(self, classroom: Classroom, config: Config):
        self._classroom, self._config = classroom, config
        self._due: dict[str, DueDates] = {}

    def read_due_dates(self) -> None:
        """Go by what `due.csv` says now. Raises GradingError if it has a fault."""
        self._due = kept_due_dates(self._classroom)

    def renew(self, gradebook: Gradebook, name: str) -> None:
        """Due dates, times and late penalties of what is recorded already, by what the class's folder says now."""
        of, dates = gradebook.find_assignment(name), self._due.get(name, DueDates())
        before = of.duedate
        if dates.everybody:
            of.duedate = dates.everybody.replace(tzinfo=None)
        if dates.students and of.duedate is None:
            raise GradingError(
                f"{self._classroom.due} has due dates of single students for {name}, and none for everybody. "
                "Add a line in which the student is empty."
            )
        penalty = undefer(SubmittedAssignment.late_submission_penalty)
        recorded = select(SubmittedAssignment).where(SubmittedAssignment.assignment_id == of.id).options(penalty)
        for submission in gradebook.db.scalars(recorded):
            was_due = before + submission.extension if before and submission.extension else before
            self._extend(submission)
            if self._classroom.submitted(submission.student_id, name).is_file():
                submission.timestamp = handed_in(self._classroom, submission.student_id, name)
            elif submission.timestamp is None:
                continue  # it lies on another machine, with the receipt that may have a platform's late mark
            if submission.late_submission_penalty or self._seconds_late(submission):
                for submitted in submission.notebooks:
                    self._take(gradebook, submitted, was_due)

    def take(self, gradebook: Gradebook, submitted: SubmittedNotebook) -> None:
        """Take off what one submission loses, by its scores as they are now."""
        gradebook.db.flush()
        gradebook.db.expire(submitted, ["score"])
        self._extend(submitted.assignment)
        self._take(gradebook, submitted, _due(submitted.assignment))

    def _extend(self, submission: SubmittedAssignment) -> None:
        """Give the student the time that `due.csv` says; an assignment that is not in it stays as it is."""
        if dates := self._due.get(submission.assignment.name):
            own = dates.students.get(submission.student_id)
            submission.extension = own.replace(tzinfo=None) - submission.assignment.duedate if own else None

    def _take(self, gradebook: Gradebook, submitted: SubmittedNotebook, was_due: datetime | None) -> None:
        submission = submitted.assignment
        penalty = self._penalty(submitted, self._seconds_late(submission))
        if penalty == submitted.late_submission_penalty:
            return
        gradebook.db.flush()  # what was changed before has a reason of its own, and so has what follows
        before = dict(gradebook.db.info)
        because(gradebook.db, _reason(submission, penalty, was_due), before["reach_who"])
        submitted.late_submission_penalty = penalty
        gradebook.db.flush()
        gradebook.db.info.update(before)

    def _seconds_late(self, submission: SubmittedAssignment) -> float:
        receipt = Receipt.read(self._classroom.receipt(submission.student_id, submission.assignment.name))
        extended = submission.extension is not None
        return seconds_late(submission.timestamp, _due(submission), receipt, extended=extended)

    def _penalty(self, submitted: SubmittedNotebook, seconds: float) -> float | None:
        """Points to take off, within what was scored, as `nbgrader.preprocessors.AssignLatePenalties` has it."""
        if seconds <= 0:
            return None
        assigner = AssignLatePenalties(config=self._config)
        assigner.init_plugin()
        penalty = assigner.plugin_inst.late_submission_penalty(submitted.student.id, submitted.score, seconds)
        return None if penalty is None else min(max(penalty, 0), submitted.score)


def _due(submission: SubmittedAssignment) -> datetime | None:
    return submission.duedate if submission.assignment.duedate else None


def _reason(submission: SubmittedAssignment, penalty: float | None, was_due: datetime | None) -> str:
    due = _due(submission)
    came = f"handed in {_utc(submission.timestamp)}" if submission.timestamp else "late, says the platform"
    facts = [came, f"due {_utc(due)}" if due else "without a due date"]
    if was_due and was_due != due:
        facts.append(f"which moved from {_utc(was_due)}")
    return f"{'no late penalty' if penalty is None else 'late penalty'}: {', '.join(facts)}"


def _utc(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
