"""What `reach-grade` prints: a progress bar, tables, and what could not be done."""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import rich.progress
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from grading.assignment import Assignment
from grading.batch import Tally
from grading.classroom import Classroom
from grading.exchange.collecting import Collected
from grading.exchange.people import Roster, Student
from grading.exchange.readers import PLAIN
from grading.exchange.updating import Changes
from grading.gradebook.due_dates import Replaced
from grading.gradebook.exporting import Exported
from grading.handing_back.packing import Packed
from grading.handing_back.publishing import Published
from grading.results import Graded, missing_packages
from grading.times import shown
from grading.untrusted.text import visible

Item = TypeVar("Item")

MOST_NAMES = 20  # in one line; the class page has all
SAY_AFTER = 60  # seconds, where no bar can move


def with_bar(console: Console, what: str, items: Iterable[Item], total: int) -> Iterator[Item]:
    """The items, with a bar that says how many of them there have been."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with rich.progress.Progress(*columns, console=console) as bar:
        yield from bar.track(items, total=total, description=what)


@dataclass
class Progress:
    """What `grade_class` reports to: the last that it said, and who shows it."""

    show: Callable[[int, Tally], None]
    total: int = 0
    tally: Tally = field(default_factory=Tally)

    def __call__(self, total: int, tally: Tally) -> None:
        self.total, self.tally = total, tally
        self.show(total, tally)


@contextmanager
def progress(console: Console, name: str) -> Iterator[Progress]:
    """What a run takes up, then a bar with submissions a minute, incidents, and the time left.

    In a file or a pipe, where a bar cannot move, a line now and then says how far it is.
    """
    columns = [
        TextColumn("{task.description}"),
        *(BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TextColumn("{task.fields[trouble]}")),
        TimeRemainingColumn(),
    ]
    with rich.progress.Progress(*columns, console=console) as bar:
        task = bar.add_task(f"grading {name}", total=None, rate="", trouble="")
        started = time.monotonic()
        for_the_first_time, seen, incidents, said = True, 0, 0, started

        def show(total: int, tally: Tally) -> None:
            nonlocal for_the_first_time, seen, incidents, said
            if for_the_first_time:
                for_the_first_time = False
                for line in _taken_up(total, tally):
                    console.print(line)
            done = len(tally.graded) + len(tally.failed)
            minutes = (time.monotonic() - started) / 60
            incidents += sum(any(mark.incident for mark in graded.marks) for graded in tally.graded[seen:])
            seen = len(tally.graded)
            troubles = ((incidents, counted(incidents, "incident")), (len(tally.failed), f"{len(tally.failed)} failed"))
            trouble = ", ".join(text for count, text in troubles if count)
            bar.update(task, total=total, completed=done, rate=f"{done / minutes:.0f} a minute", trouble=trouble)
            if not console.is_terminal and time.monotonic() - said > SAY_AFTER:
                said = time.monotonic()
                console.print(", ".join(filter(None, (f"{done} of {total} graded", trouble))))

        yield Progress(show)


def _taken_up(total: int, tally: Tally) -> Iterator[str]:
    """What a run begins with, before its first result."""
    kept = len(tally.kept)
    if tally.anew and kept:
        yield f"goes on: {kept} of {kept + total} graded again, {total} to grade"
    elif total:
        yield f"{kept} graded before, {total} to grade" if kept else f"{total} to grade"
    if tally.outdated and not tally.anew:
        yield f"{tally.outdated} of them have a result by other rules or checks, and are graded again"
    if total:
        noun = "process" if tally.processes == 1 else "processes"
        yield f"starting {tally.processes} {noun} …" if tally.processes else "on the cluster …"


def show_stopped(console: Console, run: Progress) -> None:
    """After Ctrl-C: what is kept, and how to go on."""
    left = run.total - len(run.tally.graded)
    console.print(f"Stopped. {len(run.tally.graded)} graded now are kept, {left} are left; the same command goes on.")


def show_table(
    console: Console, assignment: Assignment, graded: list[Graded], tally: Tally, people: Roster | None = None
) -> None:
    """The end of a run: each exercise's pass rate and commonest mistake, then what an instructor should look at.

    As on the class page, a file that could not be read is named, and has no part in the rates. Students are called as
    on the roster.
    """
    read = [one for one in graded if not one.why_not_graded]
    table = Table(title=f"{assignment.name}: {counted(len(graded), 'submission')}")
    for column in ("exercise", "points", "passed", "not attempted", "commonest mistake"):
        table.add_column(column, justify="right" if column in ("points", "passed", "not attempted") else "left")
    for number, task in enumerate(assignment.tasks):
        verdicts = [one.marks[number].verdict for one in read if len(one.marks) > number]
        passed = sum(verdict.passed for verdict in verdicts)
        untouched = sum(verdict.status == "not attempted" for verdict in verdicts)
        mistakes = Counter(verdict.mistake for verdict in verdicts if verdict.mistake).most_common(1)
        common = f"{mistakes[0][0].replace('_', ' ')} ({mistakes[0][1]})" if mistakes else ""
        share = f"{passed / max(1, len(verdicts)):.0%}"
        table.add_row(task.answer, f"{task.points:g}", share, str(untouched), escape(common))
    console.print(table)
    if read:
        console.print(f"median {statistics.median(one.points for one in read):g} of {read[0].max_points:g} points")
    console.print(f"graded now: {len(tally.graded)}, kept from before: {len(tally.kept)}")
    if len(read) < len(graded):
        unread = by_name((one.student for one in graded if one.why_not_graded), people)
        console.print(
            f"could not be read ({len(unread)}): {_first(list(unread.values()))}; see the class page", markup=False
        )
    noted = by_name((one.student for one in graded if any(mark.incident for mark in one.marks)), people)
    if noted:
        console.print(
            f"with incidents ({len(noted)}): {_first(list(noted.values()))}; see the class page", markup=False
        )
    for package, students in missing_packages(graded).items():
        who = f"{len(students)} students import" if len(students) > 1 else "1 student imports"
        console.print(f"{who} {package}, which is not installed here", markup=False)
    for student, why in tally.failed:
        console.print(f"no result for {called(student, people)}: {why}", style="red", markup=False)


def show_roster(console: Console, changes: Changes) -> None:
    """Who came, went or changed, and what is odd about the file."""
    for note in changes.roster.notes:
        console.print(note, style="yellow", markup=False)
    present = [student for student in changes.roster.students if not student.gone]
    for sentence in list(changes.sentences()) or [f"the same {counted(len(present), 'student')} as before"]:
        console.print(sentence, markup=False)


def show_collected(
    console: Console, collected: Collected, roster: Roster | None = None, most: int | None = None
) -> None:
    """How many files were placed, and each that was not, or `most` of them. Students are called as on the roster."""
    how = f", read as an export of {collected.reader}" if collected.reader != PLAIN else ""
    console.print(f"collected {counted(len(collected.placed), 'submission')}{how}", markup=False)
    said: dict[str, list[str]] = {}
    for placed in collected.placed:
        group = [_school_id(member, roster) for member in placed.members if member != placed.student]
        together = f"Handed in together with {', '.join(group)}. " if group else ""
        if group or placed.notes:
            said.setdefault(f"{together}{placed.note}".rstrip(), []).append(_school_id(placed.student, roster))
    for note, students in said.items():
        console.print(f"  {_first(students)}: {note}", markup=False)
    if collected.beside:
        console.print(f"  other files of these students, left out: {collected.beside}", markup=False)
    for name, why in collected.not_placed[:most]:
        console.print(f"  not placed: {name}: {why}", style="red", markup=False)
    if more := len(collected.not_placed[most:]) if most is not None else 0:
        console.print(f"  and {counted(more, 'more file')} not placed; the command `collect` lists all", style="red")


def show_missing(console: Console, assignment: str, students: Sequence[Student]) -> None:
    """Who has not handed in: the first of them by name."""
    if students:
        console.print(f"{assignment}, not handed in ({len(students)}): {_first(students)}", markup=False)


def show_due_dates(console: Console, replaced: Replaced, people: Roster | None = None) -> None:
    """What a new `due.csv` changes, and how it was understood, in local time."""
    for sentence in replaced.sentences(lambda student: called(student, people)):
        console.print(sentence, markup=False)
    if replaced.kept:
        console.print(f"the due dates before are kept in {replaced.kept}", markup=False)
    for assignment, due in replaced.now.items():
        everybody = f"due {shown(due.everybody)}" if due.everybody else "due as the gradebook says"
        others = f", and {len(due.students)} with a date of their own" if due.students else ""
        console.print(f"{assignment}: {everybody}{others}", markup=False)


def show_late(console: Console, penalties: Mapping[str, float], people: Roster | None = None) -> None:
    """From whom the late policy takes points, and how many."""
    if penalties:
        who = [f"{name}: {penalties[student]:g}" for student, name in by_name(penalties, people).items()]
        console.print(f"late, and points are taken off ({len(who)}): {_first(who)}", markup=False)


def show_undecided(
    console: Console, classroom: Classroom, students: Sequence[str], people: Roster | None = None
) -> None:
    """Whose submission is late by a platform's mark alone, though they have a due date of their own."""
    if students:
        console.print(
            f"{', '.join(by_name(students, people).values())}: late, says the platform, but not when, "
            "and they have a due date of their own. Nothing was taken off. Decide in formgrader: "
            + classroom.command("open"),
            style="yellow",
            markup=False,
        )


def _first(students: Sequence[object]) -> str:
    more = f" and {len(students) - MOST_NAMES} more" if len(students) > MOST_NAMES else ""
    return ", ".join(map(str, students[:MOST_NAMES])) + more


def called(student: str, people: Roster | None) -> str:
    """Name and id as the class knows them; the folder's name for who is not in it."""
    return visible(str((people.of_folder(student) if people else None) or student))


def by_name(students: Iterable[str], people: Roster | None) -> dict[str, str]:
    """{student: how they are called}, in the order of names."""
    known = {student: (people and people.of_folder(student)) or Student(student) for student in students}
    return {student: called(student, people) for student in sorted(known, key=lambda student: known[student].order)}


def _school_id(student: str, roster: Roster | None) -> str:
    """The id as the school writes it; the folder's name for who is not on the roster."""
    listed = roster.of_folder(student) if roster else None
    return listed.school_id if listed else student


def show_exported(console: Console, classroom: Classroom, exported: Exported) -> None:
    """How many scores were written, and whose are missing or not final."""
    console.print(f"{counted(exported.written, 'score')} in {exported.path}", markup=False)
    for assignment, (points, by_hand) in exported.points.items():
        if by_hand:
            console.print(
                f"{assignment}: of {points:g} points, {points - by_hand:g} for the exercises, as in the table after "
                f"`grade`, and {by_hand:g} for quizzes, which are graded by hand.",
                markup=False,
            )
    if exported.without_column:
        console.print(
            f"no column of the template is clearly that of, so left out: {', '.join(exported.without_column)}",
            markup=False,
        )
    for header, (theirs, ours) in exported.other_points.items():
        console.print(
            f"{header!r} is of {theirs:g} points there, and these scores are of {ours:g}: set the points of your "
            f"platform to {ours:g} before you upload.",
            style="yellow",
            markup=False,
        )
    if exported.excused:
        console.print(f"excused there, so left as they are: {', '.join(exported.excused)}", markup=False)
    if exported.not_in_template:
        console.print(f"not in the template: {', '.join(exported.not_in_template)}", style="red", markup=False)
    for assignment, students in exported.to_grade.items():
        have = "has" if len(students) == 1 else "have"
        console.print(
            f"{len(students)} {have} handed in {assignment} and {have} no score yet: {classroom.command('grade')}",
            style="red",
            markup=False,
        )
    if exported.not_final:
        wait = "waits" if len(exported.not_final) == 1 else "wait"
        by_hand = classroom.command("quizzes")
        console.print(f"{len(exported.not_final)} {wait} for a quiz to be graded by hand: {by_hand}", markup=False)


def show_left_out(console: Console, names: Sequence[str]) -> None:
    """What of a class's folder is not in an archive."""
    if names:
        console.print(
            f"left out, since they are links, no ordinary files, or made for passwords ({len(names)}): {_first(names)}",
            style="yellow",
            markup=False,
        )


def show_packed(console: Console, classroom: Classroom, packed: Packed) -> None:
    """How many pages are in the zip, who is not, and what the platform will make of it."""
    console.print(f"{counted(packed.written, 'page')} for {packed.platform} in {packed.path}", markup=False)
    if packed.platform == "canvas":
        console.print(
            "Canvas will call each page as the submission was called (….ipynb): tell students to open it in a browser, "
            f"or use: {classroom.command('publish', 'pages')}",
            style="yellow",
            markup=False,
        )
    if packed.with_group:
        console.print(f"in the page of another member of their group: {_first(packed.with_group)}", markup=False)
    if packed.left_out:
        console.print(
            f"left out, since they were not collected from {packed.platform} ({len(packed.left_out)}): "
            f"{_first(packed.left_out)}",
            style="red",
            markup=False,
        )


def show_published(console: Console, classroom: Classroom, published: Published) -> None:
    """Where the pages are, where the list is, and who cannot be written to."""
    console.print(f"{counted(published.written, 'page')} in {published.folder}", markup=False)
    console.print(f"whose page is where: {published.mail}; keep it to yourself", markup=False)
    if published.without_address:
        who = f"({len(published.without_address)}): {_first(published.without_address)}"
        remedy = f"Give a list that has them as a further roster: {classroom.command('roster', 'list.csv')}"
        console.print(f"no e-mail address is known {who}. {remedy}", style="yellow", markup=False)


def counted(number: int, what: str) -> str:
    """`1 score`, `2 scores`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
