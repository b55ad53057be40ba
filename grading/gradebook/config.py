"""nbgrader's configuration in a class's folder: the file that makes `nbgrader autograde` use our sandbox."""

from pathlib import Path

from jupyter_core.application import JupyterApp
from nbgrader.apps import NbGrader
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Application, Config

from grading.problems import GradingError
from utils.files import write_once

TEMPLATE = '''\
"""nbgrader's settings for this class; see nbgrader's documentation, "Configuration options"."""

import grading.gradebook.changes  # formgrader and nbgrader's commands log which score they change

c = get_config()

# Submissions are repaired before nbgrader looks at them, and run in the sandbox rather than in a kernel.
c.Autograde.exporter_class = "grading.gradebook.preprocessors.RepairingExporter"
c.Autograde.autograde_preprocessors = [
    "grading.gradebook.preprocessors.SandboxedExecute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# Your own checks, which learners never get:
# c.SandboxedExecute.checks = "/home/me/private_checks"

# A school's database instead of gradebook.db:
# c.CourseDirectory.db_url = "postgresql+psycopg://name:password@host/database"

# Nothing for late work ("zero"), or a plugin of your own:
# c.LateSubmissionPlugin.penalty_method = "zero"
# c.AssignLatePenalties.plugin_class = "late_policy.HalfAfterADay"
'''


DATABASE_LINE = '# c.CourseDirectory.db_url = "postgresql+psycopg://name:password@host/database"'


def write_nbgrader_config(root: Path, database: str = "") -> Path:
    """Write nbgrader_config.py in the class's folder, unless there is one: that is the instructor's.

    Args:
        root: the class's folder.
        database: SQLAlchemy's URL of a database that takes the place of gradebook.db.

    Raises GradingError if there is one already that would have to be changed for `database`.
    """
    path = root / "nbgrader_config.py"
    line = f"c.CourseDirectory.db_url = {database!r}" if database else DATABASE_LINE
    mode = 0o600 if database else 0o644  # its password is nobody else's
    if not write_once(path, TEMPLATE.replace(DATABASE_LINE, line), mode) and database:
        raise GradingError(f"{path} is there already. Set c.CourseDirectory.db_url in it, and leave --database out.")
    return path


def nbgrader_configuration(root: Path) -> Config:
    """What nbgrader is configured with in this folder: the machine's and the person's settings, then the folder's.

    Raises GradingError if a configuration file has an error in it; nbgrader itself would go on without that file.
    """
    nbgrader = NbGrader(raise_config_file_errors=True)
    try:
        JupyterApp.load_config_file(nbgrader)
        Application.load_config_file(nbgrader, "nbgrader_config", path=str(root.absolute()))
    except Exception as error:
        raise GradingError(f"nbgrader's configuration cannot be read: {type(error).__name__}: {error}") from error
    return nbgrader.config


def course_directory(root: Path, config: Config) -> CourseDirectory:
    """nbgrader's view of the class's folder; its `db_url` is that of the gradebook."""
    return CourseDirectory(root=str(root.absolute()), config=config)
