"""Figures that pages outside the notebooks show: a cell marked figure="name" is also kept as docs/figures/name.png."""

import base64
from pathlib import Path

from nbformat import NotebookNode

from tools.compose import cell_ids
from tools.lesson import Lesson
from tools.problems import BuildError

FOLDER = Path("docs") / "figures"


def of(lesson: Lesson, executed: NotebookNode) -> dict[Path, bytes]:
    """{file, relative to the course: PNG} of the cells that are marked. Raises BuildError where one draws nothing."""
    cells = {cell.id: cell for cell in executed.cells}
    marked = [
        (cell, cells[cell_id]) for cell, cell_id in zip(lesson.cells, cell_ids(lesson), strict=True) if cell.figure
    ]
    if without := [cell for cell, ran in marked if _picture(ran) is None]:
        raise BuildError(
            [lesson.problem(cell.line, "this cell is marked as a figure and draws none") for cell in without]
        )
    return {FOLDER / f"{cell.figure}.png": _picture(ran) for cell, ran in marked}


def stale(root: Path, lesson: Lesson, stored: NotebookNode) -> list[str]:
    """The figures on disk that are not those of the stored solution."""
    return [
        f"{file.as_posix()}: not the figure that solutions/{lesson.stem}.ipynb holds"
        for file, picture in of(lesson, stored).items()
        if not (root / file).exists() or (root / file).read_bytes() != picture
    ]


def _picture(cell: NotebookNode) -> bytes | None:
    for output in cell.outputs:
        if "image/png" in output.get("data", {}):
            return base64.b64decode(output.data["image/png"])
    return None
