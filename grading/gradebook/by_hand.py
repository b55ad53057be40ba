"""Points and comments that a person gives: several may write at once, and none overwrites what they have not seen."""

# nbgrader declares its tables in SQLAlchemy's old style, where a type checker sees columns instead of their values.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    SolutionCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import Integer, Result, Select, cast, func, select, update
from sqlalchemy.orm import Session, aliased, scoped_session

from grading.gradebook.book import Book
from grading.gradebook.changes import Change, changes_of
from grading.problems import GradingError


@dataclass(frozen=True)
class Standing:
    """What the gradebook has for one answer of one student.

    Attributes:
        key: the gradebook's own name for it, which is random and tells nothing of the student.
        student: the folder's name.
        cell: the `grade_id`.
        score: what a person gave; None if nobody did.
        auto: what the grader gave, such as 0 for an answer that was left empty; None where it leaves it to a person.
        comment: a person's.
        waits: for a person to look at it.
    """

    key: str
    student: str
    cell: str
    first_name: str = ""
    last_name: str = ""
    score: float | None = None
    auto: float | None = None
    comment: str = ""
    waits: bool = True

    @property
    def points(self) -> float | None:
        return self.auto if self.score is None else self.score


@dataclass(frozen=True)
class Given:
    """Points and a comment for the answer `key`. A score of None takes back what a person gave.

    With points, an answer waits no longer, unless whoever writes has not looked at it (`seen` is false).
    """

    key: str
    score: float | None
    comment: str
    seen: bool = True


class Outdated(Exception):
    """Somebody changed some of the answers that were to be graded, or they were handed in anew. Nothing is written."""

    def __init__(self, standings: Sequence[Standing]):
        super().__init__(f"{len(standings)} answers have changed.")
        self.standings = standings


def standings(book: Book, assignment: str, cell: str) -> list[Standing]:
    """What everybody who handed in has for this cell, by name."""
    of_cell = (Assignment.name == assignment, BaseCell.name == cell)
    by_name = (func.lower(Student.last_name), func.lower(Student.first_name), Student.id)
    with book.writing() as gradebook:
        return _found(gradebook.db.execute(_query().where(*of_cell).order_by(*by_name)))


def waiting(book: Book, assignment: str, without: Collection[str] = ()) -> dict[str, tuple[int, int]]:
    """{grade_id: (how many answers wait for a person, how many there are)}, `without` those of these students."""
    waits = func.sum(cast(Grade.needs_manual_grade, Integer))
    query = (
        select(BaseCell.name, waits, func.count())
        .select_from(Grade)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .where(Assignment.name == assignment, SubmittedAssignment.student_id.not_in(without))
        .group_by(BaseCell.name)
    )
    with book.writing() as gradebook:
        return {name: (waits, all_of_them) for name, waits, all_of_them in gradebook.db.execute(query)}


def give(
    book: Book, given: Iterable[Given], is_as_seen: Callable[[Standing], bool], why: str, who: str = ""
) -> list[Standing]:
    """Write points and comments, all of them or none, and return what the answers have now.

    Late penalties follow, since they may depend on the score.

    Args:
        book: the gradebook.
        given: what to write.
        is_as_seen: whether an answer still stands as whoever grades has seen it. It is asked when nobody else can
            write any more.
        why: a sentence for the log of changes.
        who: the grader's name for that log; this account, if empty.

    Raises Outdated if some do not stand as they were seen, and GradingError if one is gone or the gradebook cannot be
    written.
    """
    wanted = {one.key: one for one in given}
    with book.writing(why, who) as gradebook:
        _hold(gradebook.db, wanted)
        before = _found(gradebook.db.execute(_query().where(Grade.id.in_(wanted))))
        if len(before) < len(wanted):
            raise GradingError("One of these answers is no longer in the gradebook. Load the page again.")
        if outdated := [one for one in before if not is_as_seen(one)]:
            raise Outdated(outdated)
        grades = gradebook.db.scalars(select(Grade).where(Grade.id.in_(wanted))).all()
        for grade in grades:
            one = wanted[grade.id]
            grade.manual_score = one.score
            if one.seen:
                grade.needs_manual_grade = one.score is None and grade.auto_score is None
            _comment(gradebook.db, grade).manual_comment = one.comment or None
        gradebook.db.flush()
        for grade in grades:
            book.renew_penalty(grade.notebook)
        return _found(gradebook.db.execute(_query().where(Grade.id.in_(wanted))))


def last_changes(book: Book, assignment: str, standings: Iterable[Standing]) -> dict[str, Change]:
    """{key: the last change of that score which the log knows}."""
    found = {}
    with book.writing() as gradebook:
        for one in standings:
            for change in changes_of(gradebook.db.connection(), assignment, one.student):
                if change.cell == one.cell:
                    found[one.key] = change
    return found


def _query() -> Select:
    written = aliased(BaseCell)  # nbgrader has two cells for a quiz: one to be graded, one to be commented on
    is_solution = written.type == SolutionCell.__name__
    return (
        select(
            *(Grade.id, Student.id, BaseCell.name, Student.first_name, Student.last_name),
            *(Grade.manual_score, Grade.auto_score, Comment.manual_comment, Grade.needs_manual_grade),
        )
        .select_from(Grade)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .join(Student, SubmittedAssignment.student_id == Student.id)
        .outerjoin(
            written, (written.notebook_id == BaseCell.notebook_id) & (written.name == BaseCell.name) & is_solution
        )
        .outerjoin(Comment, (Comment.cell_id == written.id) & (Comment.notebook_id == Grade.notebook_id))
    )


def _found(rows: Result) -> list[Standing]:
    found = []
    for key, student, cell, first_name, last_name, score, auto, comment, waits in rows:
        names = first_name or "", last_name or ""
        found.append(Standing(key, student, cell, *names, score, auto, comment or "", bool(waits)))
    return found


def _hold(session: scoped_session[Session], keys: Collection[str]) -> None:
    """Keep everybody else from writing these until the transaction ends: SQLite its file, PostgreSQL the rows.

    A SELECT would hold nothing in SQLite, so this writes what is there already.
    """
    same = {Grade.needs_manual_grade: Grade.needs_manual_grade}
    session.execute(
        update(Grade).where(Grade.id.in_(keys)).values(same), execution_options={"synchronize_session": False}
    )


def _comment(session: scoped_session[Session], grade: Grade) -> Comment:
    """The entry of the same answer that holds a comment; each quiz has one from its first grading on."""
    of_cell = select(Comment).join(BaseCell, Comment.cell_id == BaseCell.id).where(BaseCell.name == grade.name)
    return session.scalars(of_cell.where(Comment.notebook_id == grade.notebook_id)).one()
