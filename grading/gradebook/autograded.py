"""The notebook that nbgrader keeps of a graded submission: our verdicts in it, and nothing that a browser would run.

formgrader and nbgrader's feedback show Markdown, raw cells and rich outputs as the HTML that they hold, the first of
them to a person who is signed in to a Jupyter server. So a student's HTML and links are shown as text here, and outputs
are plain text and PNG alone.
"""

import json
import re
from collections.abc import Sequence

from nbformat import NotebookNode

from grading.results import Mark
from grading.untrusted.outputs import clean_outputs
from utils.cells import grade_id, role

NBGRADERS_METADATA = ("nbgrader", "deletable", "editable")


def autograded_notebook(notebook: NotebookNode, released: NotebookNode, marks: Sequence[Mark]) -> NotebookNode:
    """A copy of the repaired and run `notebook` with the verdict of each mark as the output of its check cell.

    A check cell ends in an error where it gives no points, and in their number where it gives some, which is how
    `nbgrader.utils.determine_grade` finds the score. Text that is not of the released notebook loses its HTML and its
    links.
    """
    by_cell = {mark.grade_id: mark for mark in marks}
    ours = {cell.source for cell in released.cells}
    cells = [_shown(cell, by_cell, ours) for cell in notebook.cells]
    return NotebookNode(cells=cells, metadata=released.metadata, nbformat=4, nbformat_minor=5)


def as_file(notebook: NotebookNode) -> bytes:
    """The notebook as it is written. Half a character that a student wrote becomes a question mark."""
    return json.dumps(notebook, ensure_ascii=False).encode("utf-8", "replace")


def _shown(cell: NotebookNode, by_cell: dict[str, Mark], ours: set[str]) -> NotebookNode:
    metadata = NotebookNode({name: cell.metadata[name] for name in NBGRADERS_METADATA if name in cell.metadata})
    shown = NotebookNode(id=cell.id, cell_type=cell.cell_type, metadata=metadata, source=cell.source)
    if cell.cell_type != "code":
        shown.source = cell.source if cell.source in ours else harmless_markdown(cell.source)
        return shown
    shown.execution_count = cell.execution_count if isinstance(cell.execution_count, int) else None
    if role(cell) == "check":
        shown.outputs = verdict_outputs(by_cell.get(grade_id(cell)), shown.execution_count)
    else:
        shown.outputs = clean_outputs(cell.outputs)
    return shown


def harmless_markdown(text: str) -> str:
    """Markdown that makes no tag, no link under a text and no picture: what would make one is text. `a < b` stays.

    nbconvert lets `javascript:` links through, and breaks off at a picture that was pasted into a cell and is not
    there. An entity does what a backslash cannot: no backslash before it takes it back.
    """
    return re.sub(r"\](?=[(\[:])", "&#93;", re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text))


def as_written(text: str) -> str:
    """The text before `harmless_markdown`, for pages that hold all text of a student harmless themselves."""
    return text.replace("&lt;", "<").replace("&#93;", "]")


def verdict_outputs(mark: Mark | None, execution_count: int | None = None) -> list[NotebookNode]:
    """What the check cell shows: the verdict, as an error where it gives no points; then the points, if only some."""
    if mark is None:
        return [_error("This exercise was not checked.", "")]
    text = "\n".join([mark.verdict.text(), *([f"  {mark.incident}"] if mark.incident else [])])
    if mark.points == 0 and not mark.verdict.passed:
        return [_error(mark.verdict.headline, text)]
    shown = [NotebookNode(output_type="display_data", data=NotebookNode({"text/plain": text}), metadata=NotebookNode())]
    if mark.points < mark.max_points:
        data = NotebookNode({"text/plain": str(mark.points)})
        value = NotebookNode(output_type="execute_result", data=data, metadata=NotebookNode())
        shown.append(NotebookNode(value, execution_count=execution_count))
    return shown


def _error(headline: str, text: str) -> NotebookNode:
    return NotebookNode(output_type="error", ename="CheckFailed", evalue=headline, traceback=[text or headline])
