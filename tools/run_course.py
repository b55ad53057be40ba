"""Run the solutions from start to finish and report what they measured: `make course LESSONS="02 03"`.

Each notebook of solutions/ runs in a fresh kernel of this Python, inside solutions/, and is left as it is.
The report (report/index.html, report/results.json) shows this run and nothing else: after
`make course LESSONS="02"` it holds lesson 02 alone, so that no number in it comes from older code.
The exit status is 0 if every lesson ran to its end, 1 if one failed, 2 for a request that cannot be met,
130 after Ctrl-C, which still leaves a report on what has run.
"""

import argparse
import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tools import course_report, execution
from tools.course_report import Failure, LessonResult
from tools.execution import CellFailed
from utils.cells import headings
from utils.paths import COURSE

SAMPLE_EVERY_S = 0.25
ANSWER_LIMIT_S = 5  # an idle kernel answers at once, one that is stuck in a cell never does

# Linux hands a process's ru_maxrss on to the program that it starts, so there the kernel's own mark is read.
HIGH_WATER_MARK = """
import resource, sys
if sys.platform == "linux":
    with open("/proc/self/status") as status:
        print(next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM")))
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # bytes on macOS
"""


class UnknownLessonError(ValueError):
    """A lesson was asked for that does not exist."""


def find_lessons(folder: Path, wanted: list[str]) -> dict[str, Path]:
    """{number: notebook} of the lessons wanted, or of all where none is named, in the order of the course.

    Raises UnknownLessonError, which lists the lessons that exist.
    """
    numbered = ((re.match(r"\d\d(?=_)", file.name), file) for file in sorted(folder.glob("*.ipynb")))
    lessons = {match[0]: file for match, file in numbered if match}
    if not lessons:
        raise UnknownLessonError(f"There is no lesson in {folder}. Run `make build` first.")
    numbers = {number.zfill(2) for number in wanted} or set(lessons)
    if unknown := sorted(numbers - set(lessons)):
        known = "\n".join(f"  {number}  {file.stem[3:].replace('_', ' ')}" for number, file in lessons.items())
        raise UnknownLessonError(
            f"There is no lesson {', '.join(unknown)}. These exist:\n{known}\n"
            'Name them by number, for instance: make course LESSONS="02 03"'
        )
    return {number: file for number, file in lessons.items() if number in numbers}


class PeakMemory:
    """While it is open, samples a process and its children; `bytes` is the most that they held together.

    A child counts with what is its own (USS): what it shares with its parent is counted there.
    """

    def __init__(self, process_id: int):
        self.bytes = 0
        self._process = psutil.Process(process_id)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._closed.wait(SAMPLE_EVERY_S):
            with contextlib.suppress(psutil.Error):  # a process may end while it is asked
                children = sum(child.memory_full_info().uss for child in self._process.children(recursive=True))
                self.bytes = max(self.bytes, self._process.memory_info().rss + children)


def kernel_environment() -> dict[str, str]:
    """A failed check is an error (unless REACH_STRICT says otherwise), and nothing enters the learner's record."""
    strictness = os.environ.get("REACH_STRICT", execution.ENVIRONMENT["REACH_STRICT"])
    return execution.ENVIRONMENT | {"REACH_STRICT": strictness}


def run_lesson(number: str, file: Path, progress: Progress) -> LessonResult:
    """Run one notebook in a kernel of its own. A cell that fails ends the lesson and is part of the result."""
    try:
        notebook = nbformat.read(file, as_version=4)
    except ValueError as error:
        damaged = Failure(file.name, f"This file is not a notebook: {error}\nRun `make build` to make it again.")
        return LessonResult(number, file.stem, 0, None, failure=damaged)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []  # what is stored is an earlier run's, and must not be taken for this one's
    title = next((heading for cell in notebook.cells for heading in headings(cell)), file.stem)
    bar = progress.add_task(escape(title), total=len(notebook.cells))
    start = time.monotonic()
    with (
        execution.kernel(notebook, file.parent, execution.CELL_SECONDS, kernel_environment()) as client,
        PeakMemory(process_id(client)) as memory,
    ):
        failure = run(client, on_cell=lambda: progress.advance(bar))
        seconds = time.monotonic() - start
        peak = max(memory.bytes, high_water_mark(client))
    result = LessonResult(number, title, seconds, round(peak / 2**20) or None, failure=failure)
    result.read_outputs(notebook)
    return result


def process_id(client: NotebookClient) -> int:
    """Of the kernel, which is a process of this machine."""
    return client.km.provisioner.pid  # pyright: ignore[reportOptionalMemberAccess, reportAttributeAccessIssue]


def run(client: NotebookClient, on_cell: Callable[[], object]) -> Failure | None:
    """Run the cells in order up to the first that fails."""
    try:
        execution.run_cells(client, on_cell)
    except CellFailed as error:
        return Failure(client.nb.cells[error.index].source.strip().splitlines()[0], error.summary)
    return None


def high_water_mark(client: NotebookClient) -> int:
    """The most memory that the kernel itself ever held, in bytes; 0 where it cannot answer any more."""
    question = new_code_cell(HIGH_WATER_MARK)
    lesson, client.nb, client.timeout = client.nb, new_notebook(cells=[question]), ANSWER_LIMIT_S
    try:
        execution.run_cells(client)
        return int(question.outputs[0].text)
    except CellFailed:
        return 0
    finally:
        client.nb = lesson


def run_lessons(lessons: dict[str, Path], console: Console) -> list[LessonResult]:
    """Run the lessons one after the other. Ctrl-C ends the run; what ran to its end until then is returned."""
    results = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("cells"))
    with (
        contextlib.suppress(KeyboardInterrupt),
        Progress(*columns, TimeElapsedColumn(), console=console) as progress,
    ):
        for number, file in lessons.items():
            results.append(run_lesson(number, file, progress))
    return results


def main(arguments: list[str] | None = None, course: Path = COURSE) -> int:
    """Run the lessons named in `arguments` (the command line's by default); return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.run_course", description="Run the solutions and report what they measured."
    )
    parser.add_argument("lessons", nargs="*", help="numbers of lessons, such as 02 03; all where none is named")
    wanted = parser.parse_args(arguments).lessons
    try:
        lessons = find_lessons(course / "solutions", wanted)
    except UnknownLessonError as error:
        print(error, file=sys.stderr)
        return 2
    console, report = Console(), course / "report"
    results = run_lessons(lessons, console)
    unfinished = [number for number in lessons if number not in {result.number for result in results}]
    console.print(course_report.table(results))  # first, so that it is seen whatever happens to the files
    try:
        course_report.write(results, report, unfinished)
    except OSError as error:
        print(f"The report could not be written: {error}. Make room or the folder writable.", file=sys.stderr)
        return 1
    console.print(f"The report: {report / 'index.html'}", soft_wrap=True)
    if unfinished:
        console.print(f"Stopped by Ctrl-C; without a result: {', '.join(unfinished)}")
        return 130
    return int(any(result.failure for result in results))


if __name__ == "__main__":
    sys.exit(main())
