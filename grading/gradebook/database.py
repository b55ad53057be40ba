"""The database of a gradebook: opened, made where there is none, and in words what keeps it from being used."""

import contextlib
import os
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nbgrader.api import Comment, Grade, Gradebook, InvalidEntry, MissingEntry, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import Index, NullPool, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError

from grading.gradebook.turns import POSTGRESQL, making
from grading.problems import GradingError
from utils.files import take_name

INDEXES = [
    Index("reach_notebooks_of_a_submission", SubmittedNotebook.assignment_id),
    Index("reach_grades_of_a_notebook", Grade.notebook_id),
    Index("reach_comments_of_a_notebook", Comment.notebook_id),
    Index("reach_submissions_of_a_student", SubmittedAssignment.student_id),
]
"""nbgrader has none of these, and so reads the grades of everybody to find those of one submission."""


class GradebookAway(GradingError):
    """The database's server does not answer, or ended the connection: it may be back in a moment."""


def open_database(url: str, course: str) -> Gradebook:
    """Open the gradebook, or make one. A new SQLite file appears when it is complete."""
    path = _sqlite_file(url)
    with explained(url), _own_scripts_on_path():
        if path and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
                unfinished = Path(folder) / path.name
                Gradebook(f"sqlite:///{unfinished}", course).close()
                take_name(unfinished, path)  # or somebody else has made it meanwhile
        with making(url):
            gradebook = Gradebook(url, course)
            for index in INDEXES:
                index.create(gradebook.engine, checkfirst=True)
            return gradebook


def check_database(url: str) -> None:
    """Raises GradingError, with the reason, if no server has a database there. A file of SQLite's is made later."""
    with explained(url):
        if _sqlite_file(url) is None:
            create_engine(url, poolclass=NullPool).connect().close()


def _sqlite_file(url: str) -> Path | None:
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def from_root(url: str, root: Path) -> str:
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
def explained(url: str) -> Iterator[None]:
    """Raises GradingError for what the database or nbgrader say in here, with what to do."""
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
