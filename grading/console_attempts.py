"""What `reach-grade watch` and `reach-grade attempts` print."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from grading.attempts import Attempt
from grading.exchange.people import Roster
from grading.results import Graded
from grading.times import shown

NOT_KNOWN = "not known"


def show_graded(
    console: Console,
    graded: Sequence[Graded],
    attempts: Mapping[str, int],
    late: Mapping[str, str],
    people: Roster,
) -> None:
    """A line for each result, with the number of the attempt, and by how much it is late."""
    for one in sorted(graded, key=lambda graded: graded.student):
        points = one.why_not_graded or f"{one.points:g} of {one.max_points:g} points"
        who = people.of_folder(one.student) or one.student
        delay = f"; {late[one.student]}" if one.student in late else ""
        console.print(f"  {who}, attempt {attempts[one.student]}: {points}{delay}", markup=False, highlight=False)


def show_failed(console: Console, failed: Sequence[tuple[str, str]], people: Roster) -> None:
    """Who has no result, and why."""
    for student, why in failed:
        who = people.of_folder(student) or student
        console.print(f"  no result for {who}: {why}", style="red", markup=False)


def show_attempts(
    console: Console, assignment: str, found: Mapping[str, Sequence[Attempt]], people: Roster, whole: bool
) -> None:
    """A row for each student, or each attempt. Who handed in before attempts were counted has one.

    Where nothing says when a file was handed in, neither does the table: when it was collected is another time.
    """
    table = Table(title=f"{assignment}: attempts")
    for column in ("student", "attempt" if whole else "attempts", "handed in" if whole else "last handed in", "file"):
        table.add_column(column, justify="right" if column.startswith("attempt") else "left", overflow="fold")
    for student, attempts in found.items():
        who = str(people.of_folder(student) or student)
        for one in attempts if whole else attempts[-1:]:
            table.add_row(*map(escape, (who, str(one.number), _time(one.submitted), one.file)))
        if not attempts:
            table.add_row(escape(who), "1", NOT_KNOWN, "")
    console.print(table)


def _time(text: str) -> str:
    with suppress(ValueError):
        return shown(datetime.fromisoformat(text))
    return text or NOT_KNOWN
