"""An answer to a student who asks why a score is what it is: all that led to it, in words."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import indent

from nbformat import NotebookNode

from grading.assignment import Assignment
from grading.basis import differences
from grading.classroom import Classroom
from grading.console import called
from grading.console_changes import log_lines
from grading.exchange.people import Roster
from grading.gradebook.changes import LATE, Change
from grading.gradebook.due_dates import DueDates, kept_due_dates
from grading.receipt import Receipt
from grading.results import Graded, Mark
from grading.times import shown
from grading.untrusted.text import visible
from grading.waiting import hash_of, read_content
from utils.cells import grade_id, role


@dataclass(frozen=True)
class Case:
    """One submission, and what is known of it.

    Attributes:
        assignment: what was asked for.
        student: the folder's name.
        graded: the result; None where there is none.
        graded_at: when it was written.
        notebook: the graded notebook with the answers; None where there is none.
        changes: the log of its scores, the oldest first.
        current: what marks would follow from now, as far as that does not hang on options.
    """

    assignment: Assignment
    student: str
    graded: Graded | None
    graded_at: datetime
    notebook: NotebookNode | None
    changes: Sequence[Change]
    current: Mapping[str, str]

    @property
    def scores(self) -> dict[str, float | None]:
        """{grade_id or `LATE`: points in the gradebook}."""
        return {change.cell: change.after for change in self.changes}


def explain(classroom: Classroom, case: Case, people: Roster, cells: Collection[str] = ()) -> Iterator[str]:
    """The answer in paragraphs, of which none can do anything to a terminal.

    Args:
        classroom: the class's folder.
        case: the submission.
        people: what students are called.
        cells: `grade_id` of exercises and quizzes to tell all of; without, of all that did not earn all their points.
    """
    yield "\n".join(visible(line) for line in _head(classroom, case, people))
    if case.graded is None:
        return
    yield "\n".join(visible(line) for line in _rules(case, case.graded))
    if case.graded.why_not_graded:  # in its place stands the released notebook, of which nothing is theirs
        yield visible(f"The file could not be read, so there are no points: {case.graded.why_not_graded}")
    else:
        yield from _cells(case, case.graded, cells)
    yield "\n".join(["What changed:", *(f"  {line}" for line in _log(case, people, cells))])


def _cells(case: Case, graded: Graded, cells: Collection[str]) -> Iterator[str]:
    """Of each exercise and quiz what is asked; without, all of what did not earn all its points."""
    if full := [_answer(case, mark) for mark in graded.marks if mark.points == mark.max_points and not cells]:
        yield f"All points: {', '.join(full)}."
    for mark in graded.marks:
        if mark.grade_id in cells or not cells and mark.points < mark.max_points:
            yield "\n".join(_exercise(case, mark))
    for cell in case.assignment.notebook.cells:
        if role(cell) == "quiz" and (grade_id(cell) in cells or not cells):
            yield "\n".join([_quiz(case, cell), *(_source(case, cell.id) if cells else ())])


def _head(classroom: Classroom, case: Case, people: Roster) -> Iterator[str]:
    name, student = case.assignment.name, case.student
    total = sum(task.points for task in case.assignment.tasks) + case.assignment.quiz_points
    who = called(student, people)
    earned = f"{sum(filter(None, case.scores.values())):g} of {total:g} points" if case.scores else "not graded yet"
    yield f"{who}, {name}: {earned}"
    yield from _handed_in(classroom, name, student, people)
    dates = kept_due_dates(classroom).get(name, DueDates())
    if own := dates.students.get(student):
        yield f"due {shown(own)}, a date of their own"
    elif dates.everybody:
        yield f"due {shown(dates.everybody)}"
    if late := case.scores.get(LATE):
        yield f"late: {-late:g} points are taken off"
    if case.graded is None:
        yield f"There is no result. Run: {classroom.command('grade')}"
    elif hash_of(read_content(classroom, student, name)) != case.graded.sha256:
        yield f"Another file has come in since this was graded. Run: {classroom.command('grade')}"


def _handed_in(classroom: Classroom, assignment: str, student: str, people: Roster) -> Iterator[str]:
    receipt = Receipt.read(classroom.receipt(student, assignment))
    if not classroom.submitted(student, assignment).is_file():
        yield "nothing was handed in"
    elif receipt is None:
        yield "handed in, and no receipt says when"
    else:
        when = _time(receipt.submitted) if receipt.submitted else "at a time that is not known"
        late = ", late, says the platform" if receipt.late else ""
        others = [called(member, people) for member in receipt.members if member != student]
        group = f", together with {', '.join(others)}" if others else ""
        yield f"handed in {when}{late}, as {receipt.file} ({receipt.reader}){group}"
        yield from receipt.notes


def _time(text: str) -> str:
    try:
        return shown(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return text


def _rules(case: Case, graded: Graded) -> Iterator[str]:
    yield f"result of {shown(case.graded_at)}, by: {_in_words(graded.basis) or 'rules that were not kept'}"
    together: dict[str, list[str]] = {}
    for cell, basis in graded.apart.items():
        together.setdefault(", ".join(differences(graded.basis, basis)), []).append(cell.removeprefix("check_"))
    for changed, cells in together.items():
        yield f"graded later, without the rest, by other rules: {', '.join(cells)}; {changed}"
    if graded.basis and (changed := differences(graded.basis, case.current)):
        yield f"another since then: {', '.join(changed)}"
    yield from (f"note: {note}" for note in graded.notes)


def _in_words(basis: Mapping[str, str]) -> str:
    return ", ".join(f"{what} {value}" for what, value in basis.items() if value != "none")


def _exercise(case: Case, mark: Mark) -> Iterator[str]:
    """Its points, the verdict and the answer."""
    score = case.scores.get(mark.grade_id)
    score = mark.points if score is None else score
    by_hand = f" The check gives {mark.points:g}; what a person gave counts." if score != mark.points else ""
    yield f"{_answer(case, mark)}: {score:g} of {mark.max_points:g} points.{by_hand}"
    said = (mark.verdict.text(), mark.incident and f"It {mark.incident}.", mark.remark)
    yield from (indent(visible(text), "  ") for text in said if text)
    yield from _source(case, case.assignment.answer_cells.get(mark.grade_id, ""))


def _answer(case: Case, mark: Mark) -> str:
    answers = {task.grade_id: task.answer for task in case.assignment.tasks}
    return visible(answers.get(mark.grade_id, mark.verdict.exercise))


def _quiz(case: Case, cell: NotebookNode) -> str:
    score, most = case.scores.get(grade_id(cell)), cell.metadata.nbgrader.points
    given = "waits to be graded by hand." if score is None else f"{score:g} of {most:g} points, by hand."
    return f"{grade_id(cell)}: {given}"


def _source(case: Case, cell_id: str) -> Iterator[str]:
    for cell in case.notebook.cells if case.notebook else ():
        if cell.id == cell_id:
            yield f"  What was handed in:\n{indent(visible(cell.source), '    ')}"


def _log(case: Case, people: Roster, cells: Collection[str]) -> Iterator[str]:
    of_cells = [one for one in case.changes if not cells or one.cell in cells or one.cell == LATE]
    yield from log_lines(of_cells, people, with_student=False)
