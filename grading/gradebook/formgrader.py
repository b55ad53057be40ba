"""nbgrader's formgrader, in which a person grades the quizzes: opened on a class's gradebook."""

import re
import subprocess
import sys
from collections import deque

from grading.classroom import Classroom
from grading.gradebook.config import write_nbgrader_config
from grading.problems import GradingError

ADDRESS = re.compile(r"https?://(?:localhost|127\.0\.0\.1)\S+")
MOST_LINES = 30  # of Jupyter's log, for the message when it fails


def open_formgrader(classroom: Classroom, browser: bool = True) -> None:
    """Run a Jupyter server with formgrader until it is stopped with Ctrl-C.

    Args:
        classroom: whose gradebook it shows. The folder gets a configuration file for nbgrader if it has none.
        browser: open one; without, the server prints the address to open.

    Raises GradingError if the class's folder is missing or the server does not start.
    """
    if not classroom.root.is_dir():
        first = classroom.command("release", "01_convolution")
        raise GradingError(f"{classroom.root} is no folder of a class. Make one: {first}")
    write_nbgrader_config(classroom.root)
    options = [] if browser else ["--no-browser"]
    command = [*formgrader_command(), "--ServerApp.answer_yes=True", *options]
    with subprocess.Popen(command, cwd=classroom.root, stderr=subprocess.PIPE, text=True, errors="replace") as server:
        try:
            said = _show_address(server)
        except KeyboardInterrupt:  # the server has got it too
            return
    if server.returncode:
        raise GradingError(f"Jupyter ended with code {server.returncode}:\n{said}")


def _show_address(server: subprocess.Popen) -> str:
    """Print the address once Jupyter tells it, and nothing else that it logs; the last lines of that, at its end."""
    assert server.stderr is not None  # it is a pipe
    said, is_shown = deque(maxlen=MOST_LINES), False
    for line in server.stderr:
        said.append(line)
        if not is_shown and (address := ADDRESS.search(line)):
            print(
                f"formgrader: {address[0]}\nFormulas in it come from the internet; all else works without.", flush=True
            )
            is_shown = True
    return "".join(said).strip()


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
