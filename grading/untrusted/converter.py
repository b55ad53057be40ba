"""LaTeX as MathML, in a process of its own: forty open brackets would keep the library busy for a day."""

import atexit
import json
import subprocess
import sys
from pathlib import Path
from threading import Lock

PROCESS = Path(__file__).with_name("latex_process.py")


class TooMuch(Exception):
    """A formula took too long, or brought the library down."""


class Converter:
    """Starts the process when it is needed, and again where a formula has ended it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._alone = Lock()  # a reply belongs to the request before it
        atexit.register(self.close)

    def mathml(self, latex: str, is_block: bool) -> str | None:
        """None for what is no formula. Raises TooMuch."""
        with self._alone:
            process = self._process = self._process or _start()
            assert process.stdin and process.stdout  # they are pipes
            try:
                process.stdin.write(json.dumps([latex, is_block]) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except BrokenPipeError:
                line = ""
            if line.endswith("\n"):
                return json.loads(line)
            self.close()
            if process.returncode > 0:
                raise RuntimeError(f"{PROCESS} ended with {process.returncode}. Is math-core installed?")
            raise TooMuch

    def close(self) -> None:
        """End the process. The next formula starts another one."""
        if self._process:
            self._process.communicate()
        self._process = None


def _start() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", str(PROCESS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="ascii",
        start_new_session=True,  # Ctrl-C is for the command, which may still want to write a page
    )
