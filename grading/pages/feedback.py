"""The page that a student gets: answers, what the checks found, and what came out when the notebook ran."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nbformat import NotebookNode

from grading.assignment import Assignment
from grading.gradebook.entries import Entry
from grading.pages.render import render
from grading.receipt import Receipt
from grading.results import Graded, Mark
from grading.untrusted.png import checked_png
from grading.untrusted.text import visible
from utils.cells import grade_id, headings, role

MAX_OUTPUTS = 20  # of one cell
MAX_OWN_CELLS = 50
MAX_PAGE = 5_000_000  # characters of all outputs, pictures included
SOLUTION_MARK = re.compile(r"^[ \t]*+### (?:BEGIN|END) SOLUTION[ \t]*+\n?", re.MULTILINE)


@dataclass(frozen=True)
class Output:
    """What a cell printed, or a picture as base64; one of the two is empty."""

    text: str = ""
    png: str = ""


@dataclass(frozen=True)
class OwnCell:
    source: str
    is_code: bool
    outputs: list[Output]


@dataclass(frozen=True)
class Section:
    """One exercise on the page. `source` is None where there is no notebook to show.

    `points` are those that count: where `by_hand`, a person gave them. `comment` is a person's.
    """

    title: str
    points: float
    max_points: float
    by_hand: bool
    comment: str
    marks: list[Mark]
    source: str | None
    outputs: list[Output]


@dataclass(frozen=True)
class Quiz:
    """One quiz on the page. `points` is None until a person has graded it; `source` is None where there is none."""

    title: str
    points: float | None
    max_points: float
    by_hand: bool
    comment: str
    source: str | None


def feedback_page(
    graded: Graded,
    notebook: NotebookNode | None,
    assignment: Assignment,
    names: Mapping[str, str] | None = None,
    receipt: Receipt | None = None,
    penalty: float = 0.0,
    unsafe: bool = False,
    entries: Mapping[str, Entry] | None = None,
) -> str:
    """One HTML page that needs nothing beside it, and in which nothing of the student's can run or load anything.

    Args:
        graded: the student's marks.
        notebook: the repaired notebook with the outputs of our run; None where the file could not be read.
        assignment: what was asked for; it decides which cells are answers, checks and quizzes.
        names: {student: name}, to show beside the id.
        receipt: how the submission came in.
        penalty: points that the gradebook takes off for a late submission.
        unsafe: graded without a sandbox; the page says so.
        entries: {grade_id: what the gradebook holds for that cell}: points and comments of a person among it.
    """
    cells = notebook.cells if notebook else []
    entries = entries or {}
    reader = OutputReader()
    tasks = _sections(graded, cells, assignment, entries, reader)
    quizzes = _quizzes(graded, cells, assignment, entries)
    scored = [one for one in [*tasks, *quizzes] if one.points is not None]
    released = {cell.id: cell for cell in assignment.notebook.cells}
    own = [cell for cell in cells if _is_own(cell, released.get(cell.id))]
    group = [student for student in (receipt.members if receipt else ()) if student != graded.student]
    return render(
        "feedback.html",
        unsafe=unsafe,
        title=assignment.title,
        student=_named(graded.student, names or {}),
        group=[_named(student, names or {}) for student in group],
        submitted=receipt.submitted if receipt else "",
        penalty=penalty,
        graded=not graded.why_not_graded,
        looked_at=any(entry.by_hand or entry.comment for entry in entries.values()),
        points=sum(one.points for one in scored),
        max_points=sum(one.max_points for one in scored),
        waiting=[one.max_points for one in quizzes if one.points is None],
        notes=graded.notes,
        tasks=tasks,
        quizzes=quizzes,
        own_cells=[
            OwnCell(_shown(cell.source), cell.cell_type == "code", reader.read(cell)) for cell in own[:MAX_OWN_CELLS]
        ],
        left_out=max(0, len(own) - MAX_OWN_CELLS),
    )


def _sections(
    graded: Graded,
    cells: Iterable[NotebookNode],
    assignment: Assignment,
    entries: Mapping[str, Entry],
    reader: "OutputReader",
) -> list[Section]:
    by_id, released = _by_id(cells), _by_id(assignment.notebook.cells)
    titles, answers = assignment.exercise_titles, assignment.answer_cells
    shown = []
    for task in assignment.tasks:
        marks = [mark for mark in graded.marks if mark.grade_id == task.grade_id]
        answer = answers[task.grade_id]
        check, comment = entries.get(task.grade_id, Entry()), entries.get(grade_id(released[answer]), Entry()).comment
        points = sum(mark.points for mark in marks) if check.points is None else check.points
        source, outputs = (_shown(by_id[answer].source), reader.read(by_id[answer])) if answer in by_id else (None, [])
        title = titles[task.grade_id]
        shown.append(Section(title, points, task.points, check.by_hand, comment, marks, source, outputs))
    return shown


def _quizzes(
    graded: Graded, cells: Iterable[NotebookNode], assignment: Assignment, entries: Mapping[str, Entry]
) -> list[Quiz]:
    # In the place of a file that could not be read is what was released, which nobody answered.
    by_id = {} if graded.why_not_graded else _by_id(cells)
    shown = []
    for cell in assignment.notebook.cells:
        if role(cell) == "quiz":
            title, entry = next(iter(headings(cell)), "Quiz"), entries.get(grade_id(cell), Entry())
            source = by_id[cell.id].source if cell.id in by_id else None
            points, most = entry.points, cell.metadata.nbgrader.points
            shown.append(Quiz(title, points, most, entry.by_hand, entry.comment, source))
    return shown


def _by_id(cells: Iterable[NotebookNode]) -> dict[str, NotebookNode]:
    return {cell.id: cell for cell in cells}


def _named(student: str, names: Mapping[str, str]) -> str:
    return f"{names[student]} ({student})" if student in names else student


def _shown(source: str) -> str:
    """Without the marks of a solution, for instructors who try the grader on the course's own."""
    return SOLUTION_MARK.sub("", source)


def _is_own(cell: NotebookNode, released: NotebookNode | None) -> bool:
    """Whether the student added or changed this cell, and it is no answer."""
    return released is None or (not role(released) and cell.source != released.source)


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
