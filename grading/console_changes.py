"""What `reach-grade` prints of changes: those of single ones that were graded again, and the log."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from itertools import groupby

from rich.console import Console

from grading.assignment import Assignment
from grading.batch import Tally
from grading.classroom import Classroom
from grading.console import MOST_NAMES, called
from grading.exchange.people import Roster
from grading.gradebook.changes import LATE, Change
from grading.results import Graded
from grading.times import shown
from grading.untrusted.text import visible


def show_again(
    console: Console,
    classroom: Classroom,
    assignment: Assignment,
    earlier: Mapping[str, Graded],
    tally: Tally,
    people: Roster,
) -> None:
    """What grading chosen ones again has changed: for each student the marks that are others now."""
    same = []
    for graded in tally.graded:
        before = earlier.get(graded.student)
        changed = list(_changed_marks(assignment, before, graded))
        if before and not changed:
            same.append(called(graded.student, people))
            continue
        points = f"{before.points:g}, now {graded.points:g}" if before else f"{graded.points:g}"
        what = f"; {', '.join(changed)}" if before else ""
        console.print(f"{called(graded.student, people)}: {points} of {graded.max_points:g} points{what}", markup=False)
    if same:
        more = f" and {len(same) - MOST_NAMES} more" if len(same) > MOST_NAMES else ""
        console.print(f"the same points as before ({len(same)}): {', '.join(same[:MOST_NAMES])}{more}", markup=False)
    for student, why in tally.failed:
        console.print(f"no result for {called(student, people)}: {why}", style="red", markup=False)
    if not (tally.graded or tally.failed):
        grade = classroom.command("grade")
        console.print(
            f"{assignment.name}: nobody has a result for the file that is there now. Run: {grade}", markup=False
        )


def log_lines(changes: Iterable[Change], people: Roster, with_student: bool = True) -> Iterator[str]:
    """A line for what was changed together, in a submission for one reason."""
    for _, together in groupby(changes, key=lambda one: (one.at, one.who, one.assignment, one.student, one.why)):
        yield _line(list(together), people, with_student)


def points(value: float | None) -> str:
    """As a person reads it; `none` where none were given."""
    return "none" if value is None else f"{value:g}"


def _line(together: Sequence[Change], people: Roster, with_student: bool) -> str:
    one = together[0]
    first = all(change.before is None for change in together)
    scores = [f"{_cell(change.cell)} {_step(change, first)}" for change in together]
    whose = f"{called(one.student, people)}, {one.assignment}: " if with_student else ""
    when = shown(one.at.replace(tzinfo=UTC))
    why = re.sub("^(no )?late penalty: ", "", one.why) if one.cell == LATE else one.why
    return visible(f"{when}  {whose}{', '.join(scores)}; {why} ({one.who})")


def _step(change: Change, first: bool) -> str:
    return points(change.after) if first else f"{points(change.before)} → {points(change.after)}"


def _cell(name: str) -> str:
    return "late penalty" if name == LATE else name.removeprefix("check_")


def _changed_marks(assignment: Assignment, before: Graded | None, after: Graded) -> Iterator[str]:
    old = {mark.grade_id: mark.points for mark in before.marks} if before else {}
    answers = {task.grade_id: task.answer for task in assignment.tasks}
    for mark in after.marks:
        if old.get(mark.grade_id) != mark.points:
            yield f"{answers[mark.grade_id]} {points(old.get(mark.grade_id))} → {points(mark.points)}"
