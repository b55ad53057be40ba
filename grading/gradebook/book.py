"""nbgrader's gradebook, written as `nbgrader autograde` would write it, one transaction a submission."""

# nbgrader declares its tables in SQLAlchemy's old style, where a type checker sees columns instead of their values.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# pyright: reportOperatorIssue=false

import contextlib
import datetime
import logging
import os
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
from nbgrader.utils import compute_checksum, determine_grade, is_solution, parse_utc
from sqlalchemy import Select, make_url, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import scoped_session, sessionmaker, undefer

from grading.assignment import Assignment
from grading.classroom import STUDENT, Classroom
from grading.gradebook.autograded import as_file, autograded_notebook
from grading.gradebook.config import course_directory, nbgrader_configuration
from grading.problems import GradingError
from grading.results import Graded, Mark
from utils.cells import grade_id, role
from utils.files import write_whole

PLAIN = str.maketrans("<>", "‹›", "\0")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Score:
    """One student and one assignment: `points` with the late penalty taken off, None if nothing was handed in.

    `timestamp` is when it was handed in (UTC, ISO 8601), as far as that is known.
    """

    student: str
    first_name: str
    last_name: str
    email: str
    lms_user_id: str
    points: float | None
    max_points: float
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
        self.url = _from_root(course.db_url, classroom.root)
        self._gradebook = _open(self.url, course.course_id or "default_course")
        self._released: dict[str, NotebookNode] = {}

    def __enter__(self) -> "Book":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._gradebook.close()

    def enrol(self, student: str, **names: str) -> None:
        """Add a student or change what is known of one.

        Args:
            student: the id, as in the folder's name.
            names: any of first_name, last_name, email, lms_user_id. formgrader would take tags in them for HTML, so
                angle brackets are replaced; nbgrader keeps 128 characters.
        """
        plain = {name: value.translate(PLAIN)[:128] for name, value in names.items()}
        with self._one_transaction() as gradebook:
            gradebook.update_or_create_student(_checked(student), **plain)

    def register(self, assignment: Assignment) -> None:
        """Put the assignment with its cells and points in the gradebook, as `nbgrader generate_assignment` does.

        Raises GradingError if submissions are recorded already and the released notebook has other graded cells now.
        """
        place = {"notebook": assignment.name, "assignment": assignment.name, "db_url": self.url}
        with _explained(self.url):
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
        timestamp = self._keep_timestamp(graded)
        write_whole(self._classroom.autograded(graded.student, graded.assignment), as_file(notebook))
        with self._one_transaction() as gradebook:
            gradebook.update_or_create_student(graded.student)
            submission = gradebook.update_or_create_submission(graded.assignment, graded.student, **timestamp)
            submitted = gradebook.find_submission_notebook(graded.assignment, graded.assignment, graded.student)
            _write_scores(gradebook, submitted, notebook, graded.marks)
            submitted.late_submission_penalty = self._late_penalty(submitted, submission.total_seconds_late)

    def scores(self, assignment: str) -> list[Score]:
        """What everybody in the gradebook has for this assignment, by name. Scores of a person come before ours."""
        with _explained(self.url):
            of = self._gradebook.find_assignment(assignment)
            submitted = (SubmittedAssignment.student_id == Student.id) & (SubmittedAssignment.assignment_id == of.id)
            computed = ("score", "needs_manual_grade", "late_submission_penalty")
            loaded = [undefer(getattr(SubmittedAssignment, name)) for name in computed]
            query = select(Student, SubmittedAssignment).outerjoin(SubmittedAssignment, submitted).options(*loaded)
            rows = self._gradebook.db.execute(query.order_by(Student.last_name, Student.first_name, Student.id))
            found = [_score(student, submission, of.max_score) for student, submission in rows]
            self._gradebook.db.remove()
        return found

    def _keep_timestamp(self, graded: Graded) -> dict[str, datetime.datetime]:
        """When the submission came in, from nbgrader's `timestamp.txt`, which is copied to `autograded/`."""
        path = self._classroom.submitted(graded.student, graded.assignment).with_name("timestamp.txt")
        if path.is_symlink() or not path.is_file():
            return {}
        text = path.read_bytes()[:100].decode("utf-8", "replace").strip()
        try:
            timestamp = parse_utc(text)
        except (ValueError, OverflowError, TypeError):
            log.warning("%s holds no date and time; expected one like 2026-03-31 23:59:00 UTC.", path)
            return {}
        write_whole(self._classroom.autograded(graded.student, graded.assignment).with_name("timestamp.txt"), text)
        return {"timestamp": timestamp}

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
        with _explained(self.url), gradebook.engine.begin() as connection:
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


def _score(student: Student, submission: SubmittedAssignment | None, max_points: float) -> Score:
    penalty = submission.late_submission_penalty or 0.0 if submission else 0.0
    return Score(
        student=student.id,
        first_name=student.first_name or "",
        last_name=student.last_name or "",
        email=student.email or "",
        lms_user_id=student.lms_user_id or "",
        points=max(0.0, submission.score - penalty) if submission else None,
        max_points=max_points,
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
    except (SQLAlchemyError, MissingEntry, InvalidEntry) as error:
        shown = make_url(url).render_as_string(hide_password=True)
        raise GradingError(
            f"The gradebook {shown} cannot be used: {error}\nWhat is recorded in it is kept, and no submission is "
            "recorded by half. Close what else writes to it, see that the disk has room, and run the command again."
        ) from error
