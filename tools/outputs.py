"""What a solution stores of a run: the outputs, made small and clean, and what must not be among them."""

import re
from collections.abc import Iterator

from nbformat import NotebookNode

from utils.checking import Status

WIDGET = "application/vnd.jupyter.widget-view+json"
BAR = re.compile(r"\[(\d+:)?\d+:\d\d[<,].*\]")  # tqdm's "[00:12<00:03, 41.2 steps/s]"


def clean(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs as they look when the cell is done: one stream in place of many pieces, pictures for widgets."""
    merged: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and merged and merged[-1].get("name") == output.name:
            merged[-1].text += output.text
        else:
            merged.append(NotebookNode(output))
    for output in merged:
        if output.output_type == "stream":
            output.text = without_bars(output.text) if output.name == "stderr" else as_seen(output.text)
        elif "image/png" in output.get("data", {}):
            output.data.pop(WIDGET, None)  # a page without a kernel would show an error in place of the widget
    return [output for output in merged if output.output_type != "stream" or output.text]


def as_seen(text: str) -> str:
    """What a terminal shows: after a carriage return, a line is written over from its start."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        seen = ""
        for piece in line.split("\r"):
            seen = piece + seen[len(piece) :]
        lines.append(seen.rstrip() if "\r" in line else seen)
    return "\n".join(lines)


def without_bars(text: str) -> str:
    """Standard error without progress bars: empty where there was nothing else."""
    left = [piece for piece in re.split(r"[\r\n]+", text) if piece.strip() and not BAR.search(piece)]
    return "\n".join(left)


def copy_run(executed: NotebookNode, notebook: NotebookNode) -> None:
    """Give `notebook` the outputs and execution counts of `executed`, which has the same code cells."""
    for source, target in zip(code_cells(executed), code_cells(notebook), strict=True):
        target.outputs = clean(source.outputs)
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
                yield index, "this cell shows a widget that has no still picture (image/png) beside it"
        if cell.metadata.get("nbgrader", {}).get("locked") and not _passed(cell):
            yield index, "this check did not pass"


def _passed(cell: NotebookNode) -> bool:
    name = cell.metadata.nbgrader.grade_id.removeprefix("check_")
    shown = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return any(f"{name}: {Status.PASSED}" in text for text in shown)
