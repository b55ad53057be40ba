"""From a lesson to the notebook of its solution, not yet executed. The same lesson always gives the same notebook."""

import ast
import hashlib
import re
from collections import Counter
from collections.abc import Mapping

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import nbgrader_cells
from tools.lesson import CARD, Cell, Lesson
from tools.outline import Outline
from tools.repository import Repository
from utils.cells import SETUP_ID
from utils.checking import Exercise

NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},  # a kernel would add its version here
}


def solution(
    lesson: Lesson, exercises: Mapping[str, Exercise], repository: Repository, outline: Outline
) -> NotebookNode:
    """The solution's notebook. `exercises` are the lesson's, by name."""
    cells, said = [], _sentences_below_cards(lesson, exercises)
    for cell, cell_id in zip(lesson.cells, cell_ids(lesson), strict=True):
        new = new_markdown_cell if cell.type == "markdown" else new_code_cell
        exercise = exercises.get(cell.name)
        worth = cell.options.get("points", exercise.points if exercise else None)
        if cell.kind == "setup":
            cells.append(new_code_cell(repository.setup_cell(lesson.stem), id=SETUP_ID))
        source = _below_card(source_of(cell), said.get(cell.line, ""))
        tags = {"tags": ["nbval-check-output"]} if cell.same_output else {}
        cells.append(new(source, id=cell_id, metadata=nbgrader_cells.metadata(cell, worth) | tags))
    title, *rest = cells[0].source.split("\n", 1)
    cells[0].source = "\n".join([title, "", repository.lesson_badges(lesson.stem), *rest])
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = outline.fill(cell.source, lesson.number)
    notebook = new_notebook(cells=cells, metadata=NOTEBOOK_METADATA, nbformat_minor=5)
    nbformat.validate(notebook)
    return notebook


def _sentences_below_cards(lesson: Lesson, exercises: Mapping[str, Exercise]) -> dict[int, str]:
    """{line of the cell with a card: what may be used of the course's library in the answer that follows}."""
    said, card = {}, None
    for cell in lesson.cells:
        if cell.type == "markdown" and CARD.search(cell.source):
            card = cell
        if cell.kind == "answer" and card and cell.name in exercises:
            said[card.line] = _what_may_be_used(exercises[cell.name])
            card = None
    return said


def _what_may_be_used(exercise: Exercise) -> str:
    allowed = ", ".join(f"`{name}`" for name in exercise.may_use)
    of_it = f"Of the course's `utils`, you may use {allowed}" if allowed else "Do not use the course's `utils`"
    return f"{of_it} in your answer{'' if exercise.library_counts else ': one that does so does not count'}."


def _below_card(source: str, sentence: str) -> str:
    return CARD.sub(lambda card: f"{card[0]}  \n{sentence}", source, count=1) if sentence else source


def source_of(cell: Cell) -> str:
    """What the notebook's cell says: the lesson's words. In text, the marks of a solution are hidden in comments."""
    if cell.type == "code":
        return quiet(cell)
    return re.sub(r"^(### (BEGIN|END) SOLUTION)$", r"<!-- \1 -->", cell.source, flags=re.MULTILINE)


def quiet(cell: Cell) -> str:
    """The cell's code, with a `;` where its last line would echo what a drawing or the set-up returns.

    The formatter of the lessons takes semicolons away, so they are put back here.
    """
    last = ast.parse(cell.source).body[-1:]
    if last and isinstance(last[0], ast.Expr) and isinstance(last[0].value, ast.Call):
        name = ast.unparse(last[0].value.func).split(".")[-1]
        if name.startswith("plot_") or name == "setup":
            return f"{cell.source.rstrip()};"
    return cell.source


def source_lines(lesson: Lesson) -> list[int]:
    """For each cell of the solution, the line of the lesson's file at which it begins."""
    lines = []
    for cell in lesson.cells:
        lines += [cell.line] * (2 if cell.kind == "setup" else 1)
    return lines


def unstored(lesson: Lesson) -> set[str]:
    """The ids of the cells whose outputs a solution does not store."""
    return {cell_id for cell, cell_id in zip(lesson.cells, cell_ids(lesson), strict=True) if not cell.stored}


def cell_ids(lesson: Lesson) -> list[str]:
    """The name of a graded cell, else a hash of what the cell says, so that a change in one leaves the others.

    Cells that say the same are told apart by their order.
    """
    ids, seen = [], Counter()
    for cell in lesson.cells:
        base = cell.grade_id or _digest(lesson, cell)
        seen[base] += 1
        ids.append(base if seen[base] == 1 else f"{base}-{seen[base]}")
    return ids


def _digest(lesson: Lesson, cell: Cell) -> str:
    return hashlib.sha256(f"{lesson.stem}\n{cell.type}\n{cell.source}".encode()).hexdigest()[:12]
