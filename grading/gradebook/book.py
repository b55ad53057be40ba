"""nbgrader's gradebook, written as `nbgrader autograde` would write it, one transaction a submission."""

# nbgrader declares its tables in SQLAlchemy's old style, where a type checker sees columns instead of their values.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# pyright: reportOperatorIssue=false

import contextlib
import datetime
from collections.abc import Iterator

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, Student, SubmittedNotebook
from nbgrader.preprocessors import SaveCells
from sqlalchemy import select
from sqlalchemy.orm import scoped_session, sessionmaker

from grading.assignment import Assignment
from grading.classroom import STUDENT, Classroom
from grading.exchange.people import Roster
from grading.exchange.people import Student as Enrolled
from grading.gradebook.autograded import as_file, autograded_notebook
from grading.gradebook.changes import Change, because, changes_of, note_unlogged
from grading.gradebook.config import course_directory, nbgrader_configuration
from grading.gradebook.database import explained, from_root, open_database
from grading.gradebook.entries import Entry, read_entries
from grading.gradebook.lateness import handed_in
from grading.gradebook.penalties import Penalties
from grading.gradebook.scores import Score, read_scores, write_scores
from grading.gradebook.turns import Turn, making, wait_to_write
from grading.problems import GradingError
from grading.results import Graded
from utils.cells import grade_id, role
from utils.files import write_whole

PLAIN = str.maketrans("<>", "‹›", "\0")


class Book:
    """The one writer of a class's gradebook, open until it is closed. Use it in a `with`.

    The database is the one that the class's `nbgrader_config.py` names; without a name in it, `gradebook.db` in the
    class's folder, `classroom`. Late penalties are those of nbgrader's plugin, as configured there.

    Raises GradingError, from here and from every method, if the database cannot be opened or written.
    """

    def __init__(self, classroom: Classroom):
        self.classroom = classroom
        self._config = nbgrader_configuration(classroom.root)
        course = course_directory(classroom.root, self._config)
        with explained(course.db_url):
            self.url = from_root(course.db_url, classroom.root)
        self._gradebook = open_database(self.url, course.course_id or "default_course")
        self._released: dict[str, NotebookNode] = {}
        self._penalties = Penalties(classroom, self._config)
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
        with explained(self.url):
            self._turn = Turn(self.url, assignment)

    def enrol(self, student: str, **names: str) -> None:
        """Add a student or change what is known of one.

        Args:
            student: the id, as in the folder's name.
            names: any of first_name, last_name, email, lms_user_id. formgrader would take tags in them for HTML, so
                angle brackets are replaced; nbgrader keeps 128 characters.
        """
        with self.writing() as gradebook:
            gradebook.update_or_create_student(_checked(student), **_plain(names))

    def enrol_class(self, roster: Roster) -> None:
        """Enrol everybody on a roster. What it does not know of a person stays as it is."""
        with self.writing() as gradebook:
            there = {student.id: student for student in gradebook.db.scalars(select(Student))}
            for one in roster.students:
                known = {"first_name": one.first_name, "last_name": one.last_name, "email": one.email}
                known = _plain(known | {"lms_user_id": one.known_as.get("canvas_id", "")})
                if one.id not in there:
                    gradebook.add_student(_checked(one.id), **known)
                for name, value in known.items():
                    if value and one.id in there and getattr(there[one.id], name) != value:
                        setattr(there[one.id], name, value)

    def enrolled(self) -> list[Enrolled]:
        """Everybody in the gradebook, with what it knows of them."""
        with explained(self.url):
            found = [_enrolled(student) for student in self._gradebook.db.scalars(select(Student))]
            self._gradebook.db.remove()
        return found

    def register(self, assignment: Assignment) -> None:
        """Put the assignment with its cells and points in the gradebook, as `nbgrader generate_assignment` does.

        Due dates are taken from the class's `due.csv`, and the late penalties of what is recorded already follow them.

        Raises GradingError if submissions are recorded already and the released notebook has other graded cells now, or
        `due.csv` has a fault.
        """
        self._penalties.read_due_dates()
        place = {"notebook": assignment.name, "assignment": assignment.name, "db_url": self.url}
        with explained(self.url), making(self.url):
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
        with self.writing() as gradebook:
            note_unlogged(gradebook.db.connection(), assignment.name)
            self._penalties.renew(gradebook, assignment.name)

    def record(self, graded: Graded, notebook: NotebookNode, why: str = "graded", same_file: bool = False) -> None:
        """Write `autograded/` and the gradebook for one submission of a registered assignment.

        Manual scores and comments of an earlier grading stay. The same call again changes nothing, so a kill between
        the file and the gradebook is put right by doing it again.

        Args:
            graded: what the submission came to.
            notebook: the repaired notebook with the outputs of our run.
            why: it was graded, for the log of changes.
            same_file: what was graded before was this very file, so that what a person has graded in it stands.
        """
        _checked(graded.student)
        if graded.assignment not in self._released:
            raise GradingError(f"{graded.assignment} is not registered in the gradebook. Call `register` first.")
        notebook = autograded_notebook(notebook, self._released[graded.assignment], graded.marks)
        submitted_at = self._keep_timestamp(graded.student, graded.assignment)
        write_whole(self.classroom.autograded(graded.student, graded.assignment), as_file(notebook))
        with self.writing(why) as gradebook:
            gradebook.update_or_create_student(graded.student)
            gradebook.update_or_create_submission(graded.assignment, graded.student, timestamp=submitted_at)
            submitted = gradebook.find_submission_notebook(graded.assignment, graded.assignment, graded.student)
            write_scores(gradebook, submitted, notebook, graded.marks, same_file, not graded.why_not_graded)
            self._penalties.take(gradebook, submitted)

    def renew_penalty(self, submitted: SubmittedNotebook) -> None:
        """What is taken off for late work, after a score in it was changed in the same `writing`."""
        self._penalties.take(self._gradebook, submitted)

    def scores(self, assignment: str) -> list[Score]:
        """What everybody in the gradebook has for this assignment, by name. Scores of a person come before ours."""
        with explained(self.url):
            found = read_scores(self._gradebook, assignment)
            self._gradebook.db.remove()
        return found

    def points_by_cell(self, assignment: str) -> dict[str, dict[str, float]]:
        """{student: {grade_id: points}}, in the order of the released notebook. Scores of a person come before ours."""
        released = nbformat.read(self.classroom.released(assignment), as_version=4)
        names = [grade_id(cell) for cell in released.cells if role(cell) in ("check", "quiz")]
        return {
            student: {name: cells[name].points or 0.0 for name in names if name in cells}
            for student, cells in self.entries(assignment).items()
        }

    def changes(self, assignment: str = "", student: str = "") -> list[Change]:
        """The log of changes, the oldest first; what other programs changed until now is in it, too."""
        with self.writing() as gradebook:
            connection = gradebook.db.connection()
            note_unlogged(connection, assignment, student)
            return changes_of(connection, assignment, student)

    def entries(self, assignment: str) -> dict[str, dict[str, Entry]]:
        """{student: {grade_id: what counts for that cell, and what a person wrote of it}}."""
        with explained(self.url):
            found = read_entries(self._gradebook.db, self._gradebook.find_assignment(assignment).id)
            self._gradebook.db.remove()
        return found

    def due_date(self, assignment: str) -> datetime.datetime | None:
        """When it is due for everybody, as the gradebook has it."""
        with explained(self.url):
            due = self._gradebook.find_assignment(assignment).duedate
            self._gradebook.db.remove()
        return due.replace(tzinfo=datetime.UTC) if due else None

    def _keep_timestamp(self, student: str, assignment: str) -> datetime.datetime | None:
        """When the submission came in, which nbgrader wants to find in `autograded/` too."""
        submitted_at = handed_in(self.classroom, student, assignment)
        path = self.classroom.autograded(student, assignment).with_name("timestamp.txt")
        if submitted_at:
            write_whole(path, f"{submitted_at:%Y-%m-%d %H:%M:%S} UTC")
        else:
            path.unlink(missing_ok=True)
        return submitted_at

    @contextlib.contextmanager
    def writing(self, why: str = "", who: str = "") -> Iterator[Gradebook]:
        """nbgrader's gradebook, for changes that all hold together, or none does, though each of its methods commits.

        Whoever changes a score says why, in a sentence or a part of one, and a person their name: `changes` keeps it.
        """
        gradebook = self._gradebook
        usual = gradebook.db
        with explained(self.url):
            if self._turn:
                self._turn.hold()
            with gradebook.engine.begin() as connection:
                wait_to_write(connection)
                inner = sessionmaker(
                    connection, join_transaction_mode="rollback_only", expire_on_commit=False, autoflush=False
                )
                gradebook.db = scoped_session(inner)
                because(gradebook.db, why, who)
                try:
                    yield gradebook
                    gradebook.db.commit()
                finally:
                    gradebook.db.remove()
                    gradebook.db = usual


def _enrolled(student: Student) -> Enrolled:
    names = {"first_name": student.first_name or "", "last_name": student.last_name or "", "email": student.email or ""}
    return Enrolled(student.id, **names)


def _checked(student: str) -> str:
    """Raises GradingError if this is no student's id: it becomes the name of a folder."""
    if not STUDENT.fullmatch(student):
        raise GradingError(f"{student!r} is no student's id. Letters, digits and . _ @ - can stand in one.")
    return student


def _plain(names: dict[str, str]) -> dict[str, str]:
    return {name: value.translate(PLAIN)[:128] for name, value in names.items()}
