"""What the gradebook holds for single cells of submissions: the points that count, and what a person wrote."""

# nbgrader declares its tables in SQLAlchemy's old style, where a type checker sees columns instead of their values.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # pages know entries, and none of them waits for nbgrader
    from nbgrader.api import Comment, Grade
    from sqlalchemy import Select
    from sqlalchemy.orm import Session, scoped_session


@dataclass(frozen=True)
class Entry:
    """One cell of a submission.

    Attributes:
        points: what counts, a person's before ours; None for an answer, whose points are those of its check, and for a
            quiz that nobody has graded yet.
        by_hand: a person gave the points, or added to them.
        comment: what a person wrote of it; "" for nothing.
    """

    points: float | None = None
    by_hand: bool = False
    comment: str = ""


def read_entries(session: Session | scoped_session, assignment_id: str) -> dict[str, dict[str, Entry]]:
    """{student: {grade_id: entry}} of an assignment, for all checks and quizzes, and for answers with a comment."""
    from nbgrader.api import Comment, Grade

    found: dict[str, dict[str, Entry]] = {}
    grades = _of(Grade, assignment_id).add_columns(Grade.auto_score, Grade.manual_score, Grade.extra_credit)
    for student, name, auto, manual, extra in session.execute(grades):
        points = manual if manual is not None else auto
        points = None if points is None and extra is None else (points or 0.0) + (extra or 0.0)
        by_hand = manual is not None or bool(extra)
        found.setdefault(student, {})[name] = Entry(points, by_hand)
    comments = _of(Comment, assignment_id).add_columns(Comment.manual_comment)
    for student, name, comment in session.execute(comments.where(Comment.manual_comment.is_not(None))):
        cells = found.setdefault(student, {})
        cells[name] = replace(cells.get(name, Entry()), comment=comment.strip())
    return found


def _of(kind: type[Grade] | type[Comment], assignment_id: str) -> Select:
    """Query for the (student, name of the cell) of each grade or comment."""
    from nbgrader.api import BaseCell, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy import select

    return (
        select(SubmittedAssignment.student_id, BaseCell.name)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(kind, kind.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, kind.cell_id == BaseCell.id)
        .where(SubmittedAssignment.assignment_id == assignment_id)
    )
