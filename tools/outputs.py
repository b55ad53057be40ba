"""What a solution stores of a run: the outputs, made small and clean, what must not be among them, and the figures
that pages outside the notebooks show."""

import base64
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import NotebookNode

from tools.compose import cell_ids
from tools.lesson import BuildError, Lesson
from utils.cells import WIDGET, role
from utils.checking import Status
from utils.claims import CLAIM
from utils.pictures import smaller_png
from utils.widgets.book import bound_anew

FIGURES = Path("docs") / "figures"
BAR = re.compile(r"\[(\d+:)?\d+:\d\d[<,].*\]")  # tqdm's "[00:12<00:03, 41.2 steps/s]"
LEFTOVER = re.compile(r"\[?<(matplotlib|Axes|Figure)\b|Text\(|.* at 0x[0-9a-f]+>", re.DOTALL)
"""What the last line of a cell leaves on the page by accident: an object's name for itself."""


def clean(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs as they look when the cell is done: one stream instead of many pieces, books for widgets, small
    pictures."""
    cell = NotebookNode(outputs=[NotebookNode(output) for output in outputs])
    CoalesceStreamsPreprocessor().preprocess_cell(cell, {}, 0)
    for output in cell.outputs:
        if output.get("name") == "stderr":
            output.text = without_bars(output.text)
        elif "image/png" in output.get("data", {}):
            if "text/html" in output.data:
                output.data.pop(WIDGET, None)  # a page without a kernel would show an error instead of the widget
                output.data["text/html"] = bound_anew(output.data["text/html"])
            output.data["image/png"] = _smaller(output.data["image/png"])
    return [output for output in cell.outputs if output.output_type != "stream" or output.text]


def _smaller(encoded: str) -> str:
    picture = base64.b64decode(encoded)
    smaller = smaller_png(picture)
    return encoded if smaller == picture else base64.b64encode(smaller).decode()


def without_bars(text: str) -> str:
    """Standard error without progress bars: empty where there was nothing else."""
    left = [piece for piece in re.split(r"[\r\n]+", text) if piece.strip() and not BAR.search(piece)]
    return "\n".join(left)


def copy_run(executed: NotebookNode, notebook: NotebookNode, unstored: Collection[str]) -> None:
    """Give `notebook` the outputs and execution counts of `executed`, which has the same code cells.

    Cells whose id is in `unstored` get no outputs.
    """
    for source, target in zip(code_cells(executed), code_cells(notebook), strict=True):
        target.outputs = [] if target.id in unstored else clean(source.outputs)
        target.execution_count = source.execution_count


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def same_run(first: NotebookNode, second: NotebookNode, apart_from: str) -> bool:
    """Whether both execute the same code, so that the outputs of one are right for the other as well.

    The cell with the id `apart_from` does not count, only its place.
    """

    def code(notebook: NotebookNode) -> list[str]:
        return [apart_from if cell.get("id") == apart_from else cell.source for cell in code_cells(notebook)]

    return code(first) == code(second)


def defects(notebook: NotebookNode) -> Iterator[tuple[int, str]]:
    """(index of a cell, what is wrong with what it stores) for a solution that has been executed, or should have."""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if cell.source and cell.execution_count is None:
            yield index, "this cell was never executed"
            continue
        for output in cell.outputs:
            if output.output_type == "error":
                yield index, f"this cell stores an error: {output.ename}: {output.evalue}"
            elif output.output_type == "stream" and output.name == "stderr":
                yield index, f"this cell writes to standard error:\n{output.text.rstrip()}"
            elif WIDGET in output.get("data", {}):
                yield (
                    index,
                    "this cell shows a widget without a still picture (image/png) and a book (text/html) beside it",
                )
            elif not output.get("data", {}).get(CLAIM, {"holds": True})["holds"]:
                yield index, f"this claim did not hold: {output.data[CLAIM]['text']}"
            elif _is_leftover(output):
                left = output.data["text/plain"].split("\n")[0]
                yield index, f"the last line leaves {left} on the page: give its value a name, as in ax = …"
        if role(cell) == "check" and not _passed(cell):
            yield index, "this check did not pass"


def _is_leftover(output: NotebookNode) -> bool:
    if output.output_type != "execute_result" or set(output.data) != {"text/plain"}:
        return False
    return LEFTOVER.match(output.data["text/plain"]) is not None


def _passed(cell: NotebookNode) -> bool:
    name = cell.metadata.nbgrader.grade_id.removeprefix("check_")
    shown = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return any(f"{name}: {Status.PASSED}" in text for text in shown)


# --- figures: a cell marked figure="name" in lesson NN is also kept as docs/figures/NN_name.png ---


def figures(lesson: Lesson, executed: NotebookNode) -> dict[Path, bytes]:
    """{file, relative to the course: PNG} of the cells that are marked. Raises BuildError where one draws nothing."""
    ran = {cell.id: cell for cell in executed.cells}
    marked = [
        (cell, _picture(ran[name])) for cell, name in zip(lesson.cells, cell_ids(lesson), strict=True) if cell.figure
    ]
    if problems := [
        lesson.problem(cell.line, "this cell is marked as a figure and draws none")
        for cell, picture in marked
        if picture is None
    ]:
        raise BuildError(problems)
    return {FIGURES / figure_name(lesson, cell.figure): picture for cell, picture in marked if picture is not None}


def figure_name(lesson: Lesson, figure: str) -> str:
    return f"{lesson.number}_{figure}.png"


def stale_figures(root: Path, lesson: Lesson, stored: NotebookNode) -> list[str]:
    """The figures on disk that are not those of the stored solution."""
    return [
        f"{file.as_posix()}: not the figure that solutions/{lesson.stem}.ipynb holds"
        for file, picture in figures(lesson, stored).items()
        if not (root / file).exists() or (root / file).read_bytes() != picture
    ]


def orphaned_figures(root: Path, lessons: list[Lesson], others: Collection[str]) -> list[Path]:
    """The lessons' figures on disk that none of `lessons` marks, apart from those of the lessons numbered `others`."""
    wanted = {figure_name(lesson, cell.figure) for lesson in lessons for cell in lesson.cells if cell.figure}
    found = sorted((root / FIGURES).glob("[0-9][0-9]_*.png"))
    return [file for file in found if file.name not in wanted and file.name.split("_")[0] not in others]


def _picture(cell: NotebookNode) -> bytes | None:
    for output in cell.outputs:
        if "image/png" in output.get("data", {}):
            return base64.b64decode(output.data["image/png"])
    return None
