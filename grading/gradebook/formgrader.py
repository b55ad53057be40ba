"""nbgrader's formgrader, in which a person grades the quizzes: opened on a class's gradebook."""

import subprocess
import sys

from grading.classroom import Classroom
from grading.gradebook.config import write_nbgrader_config
from grading.problems import GradingError


def open_formgrader(classroom: Classroom, browser: bool = True) -> None:
    """Run a Jupyter server with formgrader until it is stopped with Ctrl-C.

    Args:
        classroom: whose gradebook it shows. The folder gets a configuration file for nbgrader if it has none.
        browser: open one; without, the server prints the address to open.

    Raises GradingError if the class's folder is missing or the server does not start.
    """
    if not classroom.root.is_dir():
        raise GradingError(f"{classroom.root} is no folder of a class. Make one with `reach-grade release`.")
    write_nbgrader_config(classroom.root)
    print("Formulas in it come from the internet; all else works without.")
    options = [] if browser else ["--no-browser"]
    try:
        ended = subprocess.run(formgrader_command() + options, cwd=classroom.root)
    except KeyboardInterrupt:  # the server has got it too
        return
    if ended.returncode:
        raise GradingError(f"Jupyter ended with code {ended.returncode}; what it wrote above says why.")


def formgrader_command() -> list[str]:
    """The command that serves formgrader from the current folder. nbgrader's server extension comes with nbgrader."""
    start = "/formgrader/gradebook"
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        "--allow-root",
        "--ServerApp.root_dir=.",
        f"--LabApp.default_url={start}",
    ]
