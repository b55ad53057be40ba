"""The log of changes: who changed which score, when and why. A table beside nbgrader's, in the same database.

Importing this module is enough: whatever program changes a score through nbgrader's classes, its rows are written in
the transaction that changes the score. So the class's `nbgrader_config.py` imports it, and formgrader and
`nbgrader autograde` log too. What changed without that, by other programs, is found by comparison (`note_unlogged`):
the last row of each score says what it was.
"""

# nbgrader declares its tables in SQLAlchemy's old style, where a type checker sees columns instead of their values.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false

import getpass
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from nbgrader.api import Assignment, BaseCell, Grade, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    event,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.orm import Session, scoped_session
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.orm.base import PASSIVE_NO_INITIALIZE

LATE = "late_penalty"  # takes the place of a cell's name; its points are below zero
NOT_KNOWN = "not known"
OUTSIDE = "found in the gradebook: from before there was a log, or by a program that does not write it"
IN_FORMGRADER = "by hand, in nbgrader's formgrader"
BY_NBGRADER = "graded by nbgrader"

TABLE = Table(
    "reach_changes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("at", DateTime, nullable=False),
    Column("who", String(128), nullable=False),
    Column("assignment", String(128), nullable=False),
    Column("student", String(128), nullable=False),
    Column("cell", String(128), nullable=False),
    Column("before", Float(53)),
    Column("after", Float(53)),
    Column("why", Text, nullable=False),
    Index("reach_changes_of_a_score", "student", "assignment", "cell"),
)


@dataclass(frozen=True)
class Change:
    """One score that changed.

    Attributes:
        at: when, in UTC.
        who: the account and the machine of the program that wrote it, or the name that a grader gave.
        assignment: the lesson, as 01_convolution.
        student: the folder's name.
        cell: the `grade_id` of a check or a quiz, or `LATE`.
        before: points until then; None where there were none.
        after: points since then; None where they were taken back. The last of all cells of a submission, those below
            zero of `LATE` included, add to its points.
        why: a sentence, or a part of one.
    """

    at: datetime
    who: str
    assignment: str
    student: str
    cell: str
    before: float | None
    after: float | None
    why: str


def this_account() -> str:
    """Who runs this program: the account and the machine."""
    try:
        account = getpass.getuser()
    except (OSError, KeyError):  # a container's user need not have a name
        account = f"user {os.getuid()}"
    return f"{account} on {platform.node()}"[:128]


def because(session: Session | scoped_session, why: str, who: str = "") -> None:
    """Log what the session writes from now on with this reason, and this name; without a name, with this account."""
    session.info.update(reach_why=why, reach_who=who[:128] or this_account())


def changes_of(connection: Connection, assignment: str = "", student: str = "") -> list[Change]:
    """The log, the oldest first: all of it, or that of an assignment, of a student, of both."""
    TABLE.create(connection, checkfirst=True)
    query = select(*(column for column in TABLE.c if column.name != "id")).order_by(TABLE.c.id)
    if assignment:
        query = query.where(TABLE.c.assignment == assignment)
    if student:
        query = query.where(TABLE.c.student == student)
    return [Change(**row) for row in connection.execute(query).mappings()]


def note_unlogged(connection: Connection, assignment: str = "", student: str = "") -> None:
    """Log what was changed by programs that do not log, as far as `changes_of` shows it. Who it was is not known."""
    chosen = [Assignment.name == assignment] if assignment else []
    chosen += [SubmittedAssignment.student_id == student] if student else []
    _note_differences(connection, chosen, NOT_KNOWN, OUTSIDE)


def _note_differences(connection: Connection, chosen: Iterable[ColumnElement], who: str, why: str) -> None:
    """Write a row for each score that is not what its last row says. The table is made where there is none."""
    TABLE.create(connection, checkfirst=True)
    at = datetime.now(UTC).replace(tzinfo=None)
    for query in (_scores(), _penalties()):
        found = connection.execute(query.where(*chosen)).mappings().all()
        if found:
            rows = [dict(row) | {"at": at, "who": who, "why": why} for row in found]
            connection.execute(insert(TABLE), rows)


@cache
def _scores() -> Select:
    """The points of each graded cell, with the last that the log says of it where that is something else."""
    extra = func.coalesce(Grade.extra_credit, 0.0)
    points = func.coalesce(Grade.manual_score, Grade.auto_score) + extra
    return (
        _different(BaseCell.name, points)
        .select_from(Grade)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
    )


@cache
def _penalties() -> Select:
    """The same for what is taken off for late work."""
    return (
        _different(literal(LATE), -func.nullif(SubmittedNotebook.late_submission_penalty, 0.0))
        .select_from(SubmittedNotebook)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
    )


def _different(cell: ColumnElement, points: ColumnElement) -> Select:
    same = (
        TABLE.c.student == SubmittedAssignment.student_id,
        TABLE.c.assignment == Assignment.name,
        TABLE.c.cell == cell,
    )
    last = select(TABLE.c.after).where(*same).order_by(TABLE.c.id.desc()).limit(1)
    last = last.correlate_except(TABLE).scalar_subquery()
    columns = (
        Assignment.name.label("assignment"),
        SubmittedAssignment.student_id.label("student"),
        cell.label("cell"),
        last.label("before"),
        points.label("after"),
    )
    return select(*columns).where(points.is_distinct_from(last)).order_by(SubmittedAssignment.student_id)


@event.listens_for(Session, "before_flush")
def _before(session: Session, *_: object) -> None:
    """What others have changed since the last row is no change of this session's."""
    if touched := _touched(session):
        _note_differences(session.connection(), [SubmittedNotebook.id.in_(touched)], NOT_KNOWN, OUTSIDE)


@event.listens_for(Session, "after_flush")
def _after(session: Session, *_: object) -> None:
    if touched := _touched(session):
        who = session.info.get("reach_who") or this_account()
        why = session.info.get("reach_why") or _why_nbgrader_did(session)
        _note_differences(session.connection(), [SubmittedNotebook.id.in_(touched)], who, why)


def _touched(session: Session) -> set[str]:
    """Ids of the notebooks in which a score is changed by what the session is about to write, or has just written."""
    changed = {one.notebook_id for one in _changed(session, Grade, "auto_score", "manual_score", "extra_credit")}
    return (changed | {one.id for one in _changed(session, SubmittedNotebook, "late_submission_penalty")}) - {None}


def _why_nbgrader_did(session: Session) -> str:
    by_hand = any(_changed(session, Grade, "manual_score", "extra_credit"))
    return IN_FORMGRADER if by_hand else BY_NBGRADER


def _changed(session: Session, kind: type, *names: str) -> Iterator[Any]:
    for one in (*session.new, *session.dirty):
        if isinstance(one, kind) and any(get_history(one, name, PASSIVE_NO_INITIALIZE).has_changes() for name in names):
            yield one
