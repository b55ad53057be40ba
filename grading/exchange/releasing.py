"""Handing out: the learner's notebooks go into release/, as they were built, and into a zip."""

import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from grading.assignment import load_assignment
from grading.classroom import Classroom
from grading.problems import GradingError
from utils.files import write_whole
from utils.paths import NOTEBOOKS


def release(
    assignments: Sequence[str], classroom: Classroom, archive: bool = False, notebooks: Path = NOTEBOOKS
) -> list[Path]:
    """Copy notebooks/NN_topic.ipynb of each assignment into the classroom, all or none; return what was written.

    Args:
        assignments: names such as 01_convolution.
        archive: also make release.zip, which holds a folder for each of them.
        notebooks: where the learners' notebooks are; the course's own by default.

    Raises:
        GradingError: if a notebook is missing, cannot be graded, is not as `make build` makes it (its answers may be in
            it), or differs from what was handed out when there are submissions of that already.
    """
    contents = {name: _content(notebooks / f"{name}.ipynb") for name in dict.fromkeys(assignments)}
    for name, content in contents.items():
        _refuse_a_change(classroom, name, content)
    written = []
    for name, content in contents.items():
        write_whole(classroom.released(name), content)
        written.append(classroom.released(name))
    if archive:
        write_whole(classroom.root / "release.zip", _zip(contents))
        written.append(classroom.root / "release.zip")
    return written


def _content(notebook: Path) -> bytes:
    if not notebook.is_file():
        there = ", ".join(sorted(path.stem for path in notebook.parent.glob("*.ipynb")))
        raise GradingError(f"The course has no lesson {notebook.stem}. There are: {there}.")
    for task in load_assignment(notebook).tasks:
        _ = task.exercises  # the course has them all
    content = notebook.read_bytes()
    for cell in nbformat.reads(content.decode("utf-8"), as_version=4).cells:
        if problem := _problem(cell):
            raise GradingError(
                f"{notebook} is not a learner's copy: {problem}. Build it with `make build`, and release that."
            )
    return content


def _problem(cell: NotebookNode) -> str:
    """What a learner's copy would not have. The build leaves a checksum of each stub and of each check."""
    from nbgrader.utils import compute_checksum  # takes seconds to import

    graded = cell.metadata.get("nbgrader", {})
    if cell.get("outputs"):
        return f"the cell {cell.id} has outputs"
    if "### BEGIN SOLUTION" in cell.source or "### BEGIN HIDDEN TESTS" in cell.source:
        return f"the cell {cell.id} has marks of a solution or of hidden tests"
    if graded and graded.get("checksum") != compute_checksum(cell):
        return f"the cell {graded.get('grade_id', cell.id)} has been filled in or changed"
    return ""


def _refuse_a_change(classroom: Classroom, name: str, content: bytes) -> None:
    released = classroom.released(name)
    if released.is_file() and released.read_bytes() != content and classroom.students(name):
        raise GradingError(
            f"{name} was handed out in another version, and there are submissions of that. They are graded with "
            f"{released}, so it stays. To start over, use another folder for the class."
        )


def _zip(contents: dict[str, bytes]) -> bytes:
    """The same notebooks always give the same bytes."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            info = zipfile.ZipInfo(f"{name}/{name}.ipynb", date_time=(1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
