"""Scores in nbgrader's gradebook: everybody's for an assignment, and those of a submission, written."""

# nbgrader declares its tables in SQLAlchemy's old style, where a type checker sees columns instead of their values.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# pyright: reportOperatorIssue=false

from collections.abc import Sequence
from dataclasses import dataclass

from nbformat import NotebookNode
from nbgrader.api import BaseCell, Comment, Grade, Gradebook, Student, SubmittedAssignment, SubmittedNotebook
from nbgrader.utils import compute_checksum, determine_grade, is_solution
from sqlalchemy import Select, select
from sqlalchemy.orm import undefer

from grading.exchange.folding import fold
from grading.results import Mark
from utils.cells import grade_id, role


@dataclass(frozen=True)
class Score:
    """One student and one assignment: `points` with the late penalty taken off, None if nothing was handed in.

    `by_hand` are the points among `max_points` that a person gives, for quizzes. `timestamp` is when it was handed in
    (UTC, ISO 8601), as far as that is known.
    """

    student: str
    first_name: str
    last_name: str
    email: str
    lms_user_id: str
    points: float | None
    max_points: float
    by_hand: float
    late_penalty: float
    needs_manual_grade: bool
    timestamp: str


def read_scores(gradebook: Gradebook, assignment: str) -> list[Score]:
    """What everybody in the gradebook has for this assignment, by name. Scores of a person come before ours."""
    of = gradebook.find_assignment(assignment)
    submitted = (SubmittedAssignment.student_id == Student.id) & (SubmittedAssignment.assignment_id == of.id)
    computed = ("score", "needs_manual_grade", "late_submission_penalty")
    loaded = [undefer(getattr(SubmittedAssignment, name)) for name in computed]
    query = select(Student, SubmittedAssignment).outerjoin(SubmittedAssignment, submitted).options(*loaded)
    rows = gradebook.db.execute(query)
    scores = [_score(student, submission, of.max_score, of.max_written_score) for student, submission in rows]
    return sorted(scores, key=_by_name)  # not by the database, each of which has an order of letters of its own


def _by_name(score: Score) -> tuple[str, str, str]:
    return fold(score.last_name), fold(score.first_name), score.student


def write_scores(
    gradebook: Gradebook,
    submitted: SubmittedNotebook,
    notebook: NotebookNode,
    marks: Sequence[Mark],
    same_file: bool = False,
    could_be_read: bool = True,
) -> None:
    """Scores and comments as `nbgrader.preprocessors.SaveAutoGrades` writes them.

    There, all that a person has graded waits for a person again. Here it does not where the file is the one that the
    person has seen (`same_file`) and the check says what it said; nor a quiz of a file that could not be read, since
    there is nothing to look at.
    """
    points = {mark.grade_id: mark.points for mark in marks}
    cells = {grade_id(cell): cell for cell in notebook.cells if role(cell)}
    for grade, name in gradebook.db.execute(_of_notebook(Grade, submitted)):
        before = grade.auto_score
        is_quiz = is_solution(cells[name])
        grade.auto_score = determine_grade(cells[name])[0] if is_quiz else points.get(name)
        if not same_file or grade.auto_score != before:
            is_open = grade.manual_score is not None or grade.auto_score is None
            grade.needs_manual_grade = is_open and (could_be_read or not is_quiz)
    for comment, name in gradebook.db.execute(_of_notebook(Comment, submitted)):
        untouched = cells[name].metadata.nbgrader.get("checksum") == compute_checksum(cells[name])
        comment.auto_comment = "No response." if untouched else None
    gradebook.db.flush()


def _of_notebook(kind: type[Grade] | type[Comment], submitted: SubmittedNotebook) -> Select:
    """Query for the (entry, name of its cell) pairs of one submission."""
    return (
        select(kind, BaseCell.name).join(BaseCell, kind.cell_id == BaseCell.id).where(kind.notebook_id == submitted.id)
    )


def _score(student: Student, submission: SubmittedAssignment | None, max_points: float, by_hand: float) -> Score:
    penalty = submission.late_submission_penalty or 0.0 if submission else 0.0
    return Score(
        student=student.id,
        first_name=student.first_name or "",
        last_name=student.last_name or "",
        email=student.email or "",
        lms_user_id=student.lms_user_id or "",
        points=max(0.0, submission.score - penalty) if submission else None,
        max_points=max_points,
        by_hand=by_hand,
        late_penalty=penalty,
        needs_manual_grade=bool(submission and submission.needs_manual_grade),
        timestamp=submission.timestamp.isoformat() if submission and submission.timestamp else "",
    )
