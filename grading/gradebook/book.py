"""nbgrader's gradebook, written as `nbgrader autograde` would write it, one transaction a submission."""

# nbgrader declares its tables in SQLAlchemy's old style, where a type checker sees columns instead of their values.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# pyright: reportOperatorIssue=false

import contextlib
import datetime
import os
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    InvalidEntry,
    MissingEntry,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.preprocessors import AssignLatePenalties, SaveCells
from nbgrader.utils import compute_checksum, determine_grade, is_solution
from sqlalchemy import NullPool, Select, create_engine, func, make_url, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import scoped_session, sessionmaker, undefer

from grading.assignment import Assignment
from grading.classroom import STUDENT, Classroom
from grading.exchange.people import Roster
from grading.gradebook.autograded import as_file, autograded_notebook
from grading.gradebook.config import course_directory, nbgrader_configuration
from grading.gradebook.due_dates import DueDates, kept_due_dates
from grading.gradebook.lateness import handed_in, seconds_late
from grading.gradebook.turns import POSTGRESQL, Turn, making, wait_to_write
from grading.problems import GradingError
from grading.receipt import Receipt
from grading.results import Graded, Mark
from utils.cells import grade_id, role
from utils.files import write_whole

PLAIN = str.maketrans("<>", "‹›", "\0")


class GradebookAway(GradingError):
    """The database's server does not answer, or ended the connection: it may be back in a moment."""


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


class Book:
    """The one writer of a class's gradebook, open until it is closed. Use it in a `with`.

    The database is the one that the class's `nbgrader_config.py` names; without a name in it, `gradebook.db` in the
    class's folder. Late penalties are those of nbgrader's plugin, as configured there.

    Raises GradingError, from here and from every method, if the database cannot be opened or written.
    """

    def __init__(self, classroom: Classroom):
        self._classroom = classroom
        self._config = nbgrader_configuration(classroom.root)
        course = course_directory(classroom.root, self._config)
        with _explained(course.db_url):
            self.url = _from_root(course.db_url, classroom.root)
        self._gradebook = _open(self.url, course.course_id or "default_course")
        self._released: dict[str, NotebookNode] = {}
        self._due: dict[str, DueDates] = {}
        self._turn: Turn | None = None

    def __enter__(self) -> "Book":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        if self._turn:
            self._turn.give_back()
        self._gradebook.close()

    def take_turn(self, assignment: str) -> None:
        """Be the one who grades this assignment, until the book is closed. Raises GradingError if another run is."""
        with _explained(self.url):
            self._turn = Turn(self.url, assignment)

    def enrol(self, student: str, **names: str) -> None:
        """Add a student or change what is known of one.

        Args:
            student: the id, as in the folder's name.
            names: any of first_name, last_name, email, lms_user_id. formgrader would take tags in them for HTML, so
                angle brackets are replaced; nbgrader keeps 128 characters.
        """
        with self._one_transaction() as gradebook:
            gradebook.update_or_create_student(_checked(student), **_plain(names))

    def enrol_class(self, roster: Roster) -> None:
        """Enrol everybody on a roster. What it does not know of a person stays as it is."""
        with self._one_transaction() as gradebook:
            there = {student.id: student for student in gradebook.db.scalars(select(Student))}
            for one in roster.students:
                known = {"first_name": one.first_name, "last_name": one.last_name, "email": one.email}
                known = _plain(known | {"lms_user_id": one.known_as.get("canvas_id", "")})
                if one.id not in there:
                    gradebook.add_student(_checked(one.id), **known)
                for name, value in known.items():
                    if value and one.id in there and getattr(there[one.id], name) != value:
                        setattr(there[one.id], name, value)

    def register(self, assignment: Assignment) -> None:
        """Put the assignment with its cells and points in the gradebook, as `nbgrader generate_assignment` does.

        Due dates are taken from the class's `due.csv`, and the late penalties of what is recorded already follow them.

        Raises GradingError if submissions are recorded already and the released notebook has other graded cells now, or
        `due.csv` has a fault.
        """
        self._due = kept_due_dates(self._classroom)
        place = {"notebook": assignment.name, "assignment": assignment.name, "db_url": self.url}
        with _explained(self.url), making(self.url):
            self._gradebook.update_or_create_assignment(assignment.name)
            self._gradebook.db.remove()
            try:
                SaveCells().preprocess(assignment.notebook, {"nbgrader": place})
            except RuntimeError as error:
                raise GradingError(
                    f"{assignment.name} has submissions in the gradebook, and the released notebook now has other "
                    "graded cells than they were graded with. Put back the notebook that you handed out, or remove "
                    f"the assignment with `nbgrader db assignment remove {assignment.name} --force`."
                ) from error
        self._released[assignment.name] = assignment.notebook
        self._renew_penalties(assignment.name)

    def record(self, graded: Graded, notebook: NotebookNode) -> None:
        """Write `autograded/` and the gradebook for one submission of a registered assignment.

        Manual scores and comments of an earlier grading stay. The same call again changes nothing, so a kill between
        the file and the gradebook is put right by doing it again.

        Args:
            graded: what the submission came to.
            notebook: the repaired notebook with the outputs of our run.
        """
        _checked(graded.student)
        if graded.assignment not in self._released:
            raise GradingError(f"{graded.assignment} is not registered in the gradebook. Call `register` first.")
        notebook = autograded_notebook(notebook, self._released[graded.assignment], graded.marks)
        submitted_at = self._keep_timestamp(graded.student, graded.assignment)
        write_whole(self._classroom.autograded(graded.student, graded.assignment), as_file(notebook))
        with self._one_transaction() as gradebook:
            gradebook.update_or_create_student(graded.student)
            submission = gradebook.update_or_create_submission(
                graded.assignment, graded.student, timestamp=submitted_at
            )
            submitted = gradebook.find_submission_notebook(graded.assignment, graded.assignment, graded.student)
            _write_scores(gradebook, submitted, notebook, graded.marks)
            self._extend(submission)
            submitted.late_submission_penalty = self._late_penalty(submitted, self._seconds_late(submission))

    def scores(self, assignment: str) -> list[Score]:
        """What everybody in the gradebook has for this assignment, by name. Scores of a person come before ours."""
        with _explained(self.url):
            of = self._gradebook.find_assignment(assignment)
            submitted = (SubmittedAssignment.student_id == Student.id) & (SubmittedAssignment.assignment_id == of.id)
            computed = ("score", "needs_manual_grade", "late_submission_penalty")
            loaded = [undefer(getattr(SubmittedAssignment, name)) for name in computed]
            query = select(Student, SubmittedAssignment).outerjoin(SubmittedAssignment, submitted).options(*loaded)
            by_name = (func.lower(Student.last_name), func.lower(Student.first_name), Student.id)
            rows = self._gradebook.db.execute(query.order_by(*by_name))
            found = [_score(student, submission, of.max_score, of.max_written_score) for student, submission in rows]
            self._gradebook.db.remove()
        return found

    def points_by_cell(self, assignment: str) -> dict[str, dict[str, float]]:
        """{student: {grade_id: points}}, in the order of the released notebook. Scores of a person come before ours."""
        released = nbformat.read(self._classroom.released(assignment), as_version=4)
        names = [grade_id(cell) for cell in released.cells if role(cell) in ("check", "quiz")]
        with _explained(self.url):
            of = self._gradebook.find_assignment(assignment)
            query = (
                select(SubmittedAssignment.student_id, BaseCell.name, Grade.score)
                .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
                .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
                .join(BaseCell, Grade.cell_id == BaseCell.id)
                .where(SubmittedAssignment.assignment_id == of.id)
            )
            found: dict[str, dict[str, float]] = {}
            for student, name, points in self._gradebook.db.execute(query):
                found.setdefault(student, {})[name] = points
            self._gradebook.db.remove()
        return {student: {name: points[name] for name in names if name in points} for student, points in found.items()}

    def _keep_timestamp(self, student: str, assignment: str) -> datetime.datetime | None:
        """When the submission came in, which nbgrader wants to find in `autograded/` too."""
        submitted_at = handed_in(self._classroom, student, assignment)
        path = self._classroom.autograded(student, assignment).with_name("timestamp.txt")
        if submitted_at:
            write_whole(path, f"{submitted_at:%Y-%m-%d %H:%M:%S} UTC")
        else:
            path.unlink(missing_ok=True)
        return submitted_at

    def _renew_penalties(self, name: str) -> None:
        """Due dates, times and late penalties of what is recorded already, by what the class's folder says now."""
        dates = self._due.get(name, DueDates())
        with self._one_transaction() as gradebook:
            of = gradebook.find_assignment(name)
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
                self._extend(submission)
                if self._classroom.submitted(submission.student_id, name).is_file():
                    submission.timestamp = handed_in(self._classroom, submission.student_id, name)
                elif submission.timestamp is None:
                    continue  # it lies on another machine, with the receipt that may have a platform's late mark
                seconds = self._seconds_late(submission)
                if seconds or submission.late_submission_penalty:
                    for submitted in submission.notebooks:
                        submitted.late_submission_penalty = self._late_penalty(submitted, seconds)

    def _extend(self, submission: SubmittedAssignment) -> None:
        """Give the student the time that `due.csv` says; an assignment that is not in it stays as it is."""
        if dates := self._due.get(submission.assignment.name):
            own = dates.students.get(submission.student_id)
            submission.extension = own.replace(tzinfo=None) - submission.assignment.duedate if own else None

    def _seconds_late(self, submission: SubmittedAssignment) -> float:
        due = submission.duedate if submission.assignment.duedate else None
        receipt = Receipt.read(self._classroom.receipt(submission.student_id, submission.assignment.name))
        return seconds_late(submission.timestamp, due, receipt, extended=submission.extension is not None)

    def _late_penalty(self, submitted: SubmittedNotebook, seconds: float) -> float | None:
        """Points to take off, within what was scored, as `nbgrader.preprocessors.AssignLatePenalties` has it."""
        if seconds <= 0:
            return None
        assigner = AssignLatePenalties(config=self._config)
        assigner.init_plugin()
        penalty = assigner.plugin_inst.late_submission_penalty(submitted.student.id, submitted.score, seconds)
        return None if penalty is None else min(max(penalty, 0), submitted.score)

    @contextlib.contextmanager
    def _one_transaction(self) -> Iterator[Gradebook]:
        """nbgrader's gradebook commits in each of its methods; in here they all hold together, or none does."""
        gradebook = self._gradebook
        usual = gradebook.db
        with _explained(self.url):
            if self._turn:
                self._turn.hold()
            with gradebook.engine.begin() as connection:
                wait_to_write(connection)
                inner = sessionmaker(
                    connection, join_transaction_mode="rollback_only", expire_on_commit=False, autoflush=False
                )
                gradebook.db = scoped_session(inner)
                try:
                    yield gradebook
                    gradebook.db.commit()
                finally:
                    gradebook.db.remove()
                    gradebook.db = usual


def _checked(student: str) -> str:
    """Raises GradingError if this is no student's id: it becomes the name of a folder."""
    if not STUDENT.fullmatch(student):
        raise GradingError(f"{student!r} is no student's id. Letters, digits and . _ @ - can stand in one.")
    return student


def _plain(names: dict[str, str]) -> dict[str, str]:
    return {name: value.translate(PLAIN)[:128] for name, value in names.items()}


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


def _write_scores(
    gradebook: Gradebook, submitted: SubmittedNotebook, notebook: NotebookNode, marks: list[Mark]
) -> None:
    """Scores and comments as `nbgrader.preprocessors.SaveAutoGrades` writes them."""
    points = {mark.grade_id: mark.points for mark in marks}
    cells = {grade_id(cell): cell for cell in notebook.cells if role(cell)}
    for grade, name in gradebook.db.execute(_of_notebook(Grade, submitted)):
        grade.auto_score = determine_grade(cells[name])[0] if is_solution(cells[name]) else points.get(name)
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
    for comment, name in gradebook.db.execute(_of_notebook(Comment, submitted)):
        untouched = cells[name].metadata.nbgrader.get("checksum") == compute_checksum(cells[name])
        comment.auto_comment = "No response." if untouched else None
    gradebook.db.flush()


def _of_notebook(kind: type[Grade] | type[Comment], submitted: SubmittedNotebook) -> Select:
    """Query for the (entry, name of its cell) pairs of one submission."""
    return (
        select(kind, BaseCell.name).join(BaseCell, kind.cell_id == BaseCell.id).where(kind.notebook_id == submitted.id)
    )


def check_database(url: str) -> None:
    """Raises GradingError, with the reason, if no server has a database at this URL. A file of SQLite's is made later."""
    with _explained(url):
        if _sqlite_file(url) is None:
            create_engine(url, poolclass=NullPool).connect().close()


def _open(url: str, course: str) -> Gradebook:
    """Open the gradebook, or make one. A new SQLite file appears when it is complete."""
    path = _sqlite_file(url)
    with _explained(url), _own_scripts_on_path():
        if path and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(f".{path.name}.new")
            unfinished.unlink(missing_ok=True)
            Gradebook(f"sqlite:///{unfinished}", course).close()
            os.replace(unfinished, path)
        with making(url):
            return Gradebook(url, course)


def _sqlite_file(url: str) -> Path | None:
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _from_root(url: str, root: Path) -> str:
    """nbgrader works in the class's folder, so a relative path of an SQLite file starts there."""
    path = _sqlite_file(url)
    if path is None:
        return url
    return make_url(url).set(database=str(root.absolute() / path)).render_as_string(hide_password=False)


@contextlib.contextmanager
def _own_scripts_on_path() -> Iterator[None]:
    """nbgrader runs `alembic` when it makes a gradebook. It is beside this Python, activated or not."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


@contextlib.contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise GradingError(
            f"The database of the gradebook cannot be opened: {error}\nExpected a URL such as "
            'postgresql+psycopg://name:password@host/database, for which `pip install "reach-course[postgresql]"` '
            "has the driver. A password with signs such as @ or / has them written as %40 and %2F."
        ) from error
    except (SQLAlchemyError, MissingEntry, InvalidEntry) as error:
        shown = make_url(url).render_as_string(hide_password=True)
        cause = error if isinstance(error, SQLAlchemyError) else error.__context__  # nbgrader has errors of its own
        away = isinstance(cause, OperationalError) and make_url(url).get_backend_name() == POSTGRESQL
        raise (GradebookAway if away else GradingError)(
            f"The gradebook {shown} cannot be used: {error}\nWhat is recorded in it is kept, and no submission is "
            "recorded by half. Close what else writes to it, see that the disk has room, and run the command again."
        ) from error
