"""The page that a student gets: answers, what the checks found, and what came out when the notebook ran."""

import re
from dataclasses import dataclass

from nbformat import NotebookNode

from grading.assignment import Assignment
from grading.pages.render import render
from grading.pages.safe_html import visible
from grading.png import checked_png
from grading.results import Graded, Mark

MAX_OUTPUTS = 20  # of one cell
MAX_OWN_CELLS = 50
MAX_PAGE = 5_000_000  # characters of all outputs, pictures included


@dataclass(frozen=True)
class Output:
    """What a cell printed, or a picture as base64; one of the two is empty."""

    text: str = ""
    png: str = ""


@dataclass(frozen=True)
class Cell:
    source: str
    is_code: bool
    outputs: list[Output]


@dataclass(frozen=True)
class Exercise:
    """One exercise on the page. `source` is None where there is no notebook to show."""

    title: str
    max_points: float
    marks: list[Mark]
    source: str | None
    outputs: list[Output]


def feedback_page(
    graded: Graded, notebook: NotebookNode | None, assignment: Assignment, name: str = "", unsafe: bool = False
) -> str:
    """One HTML page that needs nothing beside it, and in which nothing of the student's can run or load anything.

    Args:
        graded: the student's marks.
        notebook: the mended notebook with the outputs of our run; None where the file could not be read.
        assignment: what was asked for; it decides which cells are answers, checks and quizzes.
        name: the student's name, if the page is to show it beside the id.
        unsafe: graded without a sandbox; the page says so.
    """
    cells = notebook.cells if notebook else []
    reader = OutputReader()
    released = {cell.id: cell for cell in assignment.notebook.cells}
    own = [cell for cell in cells if _is_own(cell, released.get(cell.id))]
    return render(
        "feedback.html",
        unsafe=unsafe,
        title=lesson_title(assignment),
        student=f"{name} ({graded.student})" if name else graded.student,
        graded=not why_not_graded(graded),
        points=graded.points,
        max_points=sum(task.points for task in assignment.tasks),
        notes=graded.notes,
        tasks=_exercises(graded, cells, assignment, reader),
        quizzes=[cell.source for cell in cells if _is_quiz(released.get(cell.id))],
        own_cells=[Cell(cell.source, cell.cell_type == "code", reader.read(cell)) for cell in own[:MAX_OWN_CELLS]],
        left_out=max(0, len(own) - MAX_OWN_CELLS),
    )


def why_not_graded(graded: Graded) -> str:
    """The reason why a file could not be read; empty if it was graded.

    In the place of such a file stand marks of exercises not attempted, with the reason, which is in the notes too.
    """
    reasons = {mark.verdict.summary for mark in graded.marks} & set(graded.notes)
    if not graded.marks or reasons:
        return " ".join(graded.notes) or "There is no result for it."
    return ""


def lesson_title(assignment: Assignment) -> str:
    """The first heading of the released notebook."""
    return next(iter(_headings(assignment.notebook)), assignment.name)


def exercise_titles(assignment: Assignment) -> dict[str, str]:
    """{grade_id of the check: heading that it stands under, such as "Exercise 1.2 · conv2d by loops"}."""
    titles, latest = {}, assignment.name
    for cell in assignment.notebook.cells:
        latest = ([latest] + _headings_of(cell))[-1]
        titles[cell.metadata.get("nbgrader", {}).get("grade_id")] = latest
    return {task.grade_id: titles[task.grade_id] for task in assignment.tasks}


def _headings(notebook: NotebookNode) -> list[str]:
    return [heading for cell in notebook.cells for heading in _headings_of(cell)]


def _headings_of(cell: NotebookNode) -> list[str]:
    if cell.cell_type != "markdown":
        return []
    return [found.replace("`", "") for found in re.findall(r"^#{1,6} +(.+?) *$", cell.source, re.MULTILINE)]


def _exercises(
    graded: Graded, cells: list[NotebookNode], assignment: Assignment, reader: "OutputReader"
) -> list[Exercise]:
    by_id = {cell.id: cell for cell in cells}
    titles, answers = exercise_titles(assignment), answer_cells(assignment)
    shown = []
    for task in assignment.tasks:
        marks = [mark for mark in graded.marks if mark.grade_id == task.grade_id]
        cell = by_id.get(answers[task.grade_id])
        source, outputs = (cell.source, reader.read(cell)) if cell else (None, [])
        shown.append(Exercise(titles[task.grade_id], task.points, marks, source, outputs))
    return shown


def answer_cells(assignment: Assignment) -> dict[str, str]:
    """{grade_id of the check: id of the cell with the answer}, the last answer cell before the check."""
    latest, found = "", {}
    for cell in assignment.notebook.cells:
        marked = cell.metadata.get("nbgrader", {})
        if marked.get("grade"):
            found[marked.grade_id] = latest
        elif marked.get("solution"):
            latest = cell.id
    return found


def _is_quiz(released: NotebookNode | None) -> bool:
    marked = released.metadata.get("nbgrader", {}) if released else {}
    return bool(marked.get("grade") and marked.get("solution"))


def _is_own(cell: NotebookNode, released: NotebookNode | None) -> bool:
    """Whether the student added or changed this cell, and it is no answer."""
    return released is None or (not released.metadata.get("nbgrader") and cell.source != released.source)


class OutputReader:
    """Reads the outputs of the cells of one page, until the page is long enough."""

    def __init__(self) -> None:
        self.left = MAX_PAGE

    def read(self, cell: NotebookNode) -> list[Output]:
        """What of a cell's outputs is shown: text, and pictures that are PNG. HTML, SVG and scripts never are."""
        outputs = cell.get("outputs", [])
        shown = [self._within_the_page(_read_output(output)) for output in outputs[:MAX_OUTPUTS]]
        if len(outputs) > MAX_OUTPUTS:
            shown.append(Output(f"… {len(outputs) - MAX_OUTPUTS:,} more outputs are not shown."))
        return [output for output in shown if output.text.strip() or output.png]

    def _within_the_page(self, output: Output) -> Output:
        self.left -= len(output.text) + len(output.png)
        return output if self.left >= 0 else Output("[not shown: the outputs before it fill the page]")


def _read_output(output: NotebookNode) -> Output:
    match output.get("output_type"):
        case "stream":
            return Output(visible(_joined(output.get("text"))))
        case "error":
            trace = _joined(output.get("traceback"), "\n")
            return Output(visible(trace or f"{_joined(output.get('ename'))}: {_joined(output.get('evalue'))}"))
    data = output.get("data")
    data = data if isinstance(data, dict) else {}
    if "image/png" in data:
        png = checked_png(_joined(data["image/png"]))
        return Output(png=png) if png else Output("[a picture that is no PNG, or too large to show]")
    return Output(visible(_joined(data.get("text/plain"))))


def _joined(text: object, between: str = "") -> str:
    """A string of a notebook, which may be a list of strings."""
    return between.join(map(str, text)) if isinstance(text, list) else str(text or "")
