"""What `nbgrader autograde` uses of ours: submissions are repaired when they are read, and run in the sandbox.

    c.Autograde.exporter_class = "grading.gradebook.preprocessors.RepairingExporter"
    c.Autograde.autograde_preprocessors = ["grading.gradebook.preprocessors.SandboxedExecute", ...]  # not Execute

`grading.gradebook.config` writes a configuration file with both in it.
"""

# nbgrader always gives its converters a parent and resources; traitlets and nbconvert allow for None.
# pyright: reportOptionalMemberAccess=false, reportOptionalSubscript=false

import atexit
import os
from functools import cache
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Integer, Unicode, default

from grading.assignment import Assignment, load_assignment
from grading.gradebook.autograded import autograded_notebook
from grading.judging.grade import Rules, grade_notebook
from grading.judging.private_checks import declared_exercises, read_sources
from grading.problems import GradingError
from grading.sandbox import Sandbox
from grading.sandbox.library import library_of
from grading.submission.reading import Unreadable, read_submission
from utils.checking.seeds import new_seed

SEED = new_seed()  # of the random cases: one for all submissions that this process grades


class RepairingExporter(NotebookExporter):
    """Reads each submission as `grading.submission.reading` does, so that no file can stop nbgrader's batch.

    A file that is no notebook counts as the released notebook, untouched. nbgrader's log says what was repaired.
    """

    def from_filename(self, filename: str, resources: dict | None = None, **options: Any) -> tuple[str, dict]:
        assignment = _released(self.parent.coursedir, resources["nbgrader"])
        try:
            reading = read_submission(Path(filename), assignment)
            notebook, notes = reading.notebook, reading.notes
        except Unreadable as unreadable:
            notebook, notes = assignment.notebook, [str(unreadable)]
        for note in notes:
            self.log.warning("%s: %s", filename, note)
        return self.from_notebook_node(notebook, resources, **options)


class SandboxedExecute(NbGraderPreprocessor):
    """Takes the place of nbgrader's Execute: runs the answers in the sandbox and checks them from outside of it.

    The check cells get the verdicts as outputs, from which nbgrader takes the scores. Works on what RepairingExporter
    has read.
    """

    seed = Integer(help="Seed of the checks' random cases. Unset: a new one for each run of nbgrader.").tag(config=True)
    checks = Unicode("", help="Folder with further, private checks.").tag(config=True)

    @default("seed")
    def _new_seed(self) -> int:
        return SEED

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        assignment = _released(self.parent.parent.coursedir, resources["nbgrader"], self.checks)
        student = resources["nbgrader"]["student"]
        sandbox = _sandbox(library_of(assignment))
        judged = grade_notebook(student, assignment, nb, Rules(seed=self.seed), sandbox)
        if judged.graded.fault:
            judged = grade_notebook(student, assignment, nb, Rules(seed=self.seed), sandbox)
        if fault := judged.graded.fault:
            raise GradingError(f"No result for {student}, who is not to blame: {fault}. Run nbgrader for them again.")
        for note in judged.graded.notes:
            self.log.warning("%s: %s", student, note)
        notebook = autograded_notebook(judged.notebook, assignment.notebook, judged.graded.marks)
        # As text: what JavaScript reads and writes again keeps 53 bits of a number.
        record = NotebookNode(seed=str(self.seed), notes=judged.graded.notes)
        notebook.metadata = NotebookNode(notebook.metadata, reach_grading=record)
        return notebook, resources


def _released(course: CourseDirectory, names: dict[str, str], checks: str = "") -> Assignment:
    folder = Path(course.format_path(course.release_directory, ".", names["assignment"]))
    return _load(folder / f"{names['notebook']}.ipynb", checks)


@cache
def _load(released: Path, checks: str) -> Assignment:
    return load_assignment(released, declared_exercises(read_sources(Path(checks) if checks else None)))


@cache
def _sandbox(library: frozenset[str]) -> Sandbox:
    """One for all submissions of an assignment; each has a process of its own in it."""
    data = os.environ.get("REACH_DATA")
    sandbox = Sandbox(Path(data) if data else None, library=library)
    atexit.register(sandbox.close)
    return sandbox
