"""The gradebook as a CSV file: a plain one, one that Canvas or Moodle imports, or a platform's own, filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from grading.exchange.people import Roster, Student
from grading.gradebook.columns import Column, columns_of, headers_by_name
from grading.gradebook.filling import Template
from grading.gradebook.layouts import Kind, Row, Sheet, as_csv, number
from grading.problems import GradingError
from utils.files import write_whole

if TYPE_CHECKING:  # nbgrader takes a second to import, and a command that exports nothing should not wait for it
    from grading.assignment import Assignment
    from grading.gradebook.book import Book, Score

__all__ = ["Exported", "Kind", "export", "person"]


@dataclass
class Exported:
    """What an export came to.

    Attributes:
        path: the file.
        written: how many scores are in it.
        points: {assignment: (all its points, those among them that a person gives)}.
        not_in_template: who has a score and no row.
        not_final: whose quiz waits for a person.
        to_grade: {assignment: who has handed it in and has no score yet}.
        without_column: what the template has no column for.
        other_points: {header: (points that the template says are possible, points that these scores are of)}, where
            the two differ.
        excused: who is excused by the template, so that a score of theirs was left out.
    """

    path: Path
    written: int = 0
    points: dict[str, tuple[float, float]] = field(default_factory=dict)
    not_in_template: list[str] = field(default_factory=list)
    not_final: list[str] = field(default_factory=list)
    to_grade: dict[str, list[str]] = field(default_factory=dict)
    without_column: list[str] = field(default_factory=list)
    other_points: dict[str, tuple[float, float]] = field(default_factory=dict)
    excused: list[str] = field(default_factory=list)


def export(
    book: Book,
    assignments: Sequence[Assignment],
    path: Path,
    kind: Kind = Kind.PLAIN,
    template: Path | None = None,
    columns: Sequence[str] = (),
    roster: Roster | None = None,
    per_exercise: bool = False,
) -> Exported:
    """Write scores, late penalties taken off, to a CSV file.

    Args:
        book: the class's gradebook.
        assignments: which ones. Of several, those that nobody has a score for are left out.
        path: where to; replaced as a whole.
        kind: whose import reads it. With a template it does not matter.
        template: a CSV that a platform exported, with a row for each student. It comes back with the scores filled in
            and nothing else changed. A row is a student's if one of its ids is an id of that student.
        columns: `NAME=HEADER` for each assignment or exercise whose column is not called as usual; a header alone for
            a single assignment.
        roster: under which ids systems know the students, as `grading.exchange.roster.kept` has it. Without it, only
            the gradebook's ids are known.
        per_exercise: a column more for each exercise and quiz, without late penalties. In a template, those that it
            has.

    Raises GradingError if an assignment is not in the gradebook, nobody has a score for any of several, or the template
    has no column that identifies people, or none for a header that was named, or for none of the scores.
    """
    scores = {one.name: book.scores(one.name) for one in assignments}
    if len(assignments) > 1:
        scores = {name: own for name, own in scores.items() if any(score.points is not None for score in own)}
    if not scores:
        raise GradingError("Nobody has a score for any assignment yet. Run: " + book.classroom.command("grade"))
    headers = headers_by_name(columns, assignments, list(scores))
    wanted = [
        column
        for one in assignments
        if one.name in scores
        for column in columns_of(book, one, scores[one.name], per_exercise, headers)
    ]
    sheet = Sheet(_rows(scores, roster), wanted, list(scores))
    done = Exported(path, points={name: (own[0].max_points, own[0].by_hand) for name, own in scores.items() if own})
    waiting = (row for row in sheet.rows if any(score.needs_manual_grade for score in row.scores.values()))
    done.to_grade = {name: found for name in scores if (found := _to_grade(book, name, sheet.rows))}
    done.not_final = [row.student.school_id for row in waiting]
    if template:
        content = _fill(Template.read(template), sheet, done)
    else:
        content = as_csv(sheet, kind)
        done.written = sum(score.points is not None for row in sheet.rows for score in row.scores.values())
    write_whole(path, content)
    return done


def _to_grade(book: Book, assignment: str, rows: Iterable[Row]) -> list[str]:
    there = set(book.classroom.students(assignment))
    without = (row for row in rows if row.scores[assignment].points is None)
    return [row.student.school_id for row in without if row.student.id in there]


def _rows(scores: Mapping[str, Sequence[Score]], roster: Roster | None) -> list[Row]:
    """Everybody who has a score, or is still in the class, in the gradebook's order."""
    people: dict[str, dict[str, Score]] = {}
    for name, own in scores.items():
        for score in own:
            people.setdefault(score.student, {})[name] = score
    rows = [Row(person(next(iter(own.values())), roster), own) for own in people.values()]
    return [row for row in rows if row.is_graded or not row.student.gone]


def person(score: Score, roster: Roster | None) -> Student:
    """The student by the roster; one who is not on it, by the gradebook, where a platform's number may stand."""
    if found := roster.of_folder(score.student) if roster else None:
        in_gradebook = {"canvas_id": score.lms_user_id} if score.lms_user_id else {}
        return replace(found, known_as={**in_gradebook, **found.known_as})
    number = score.lms_user_id
    platforms = {"canvas_id": number, "id_number": number} if number else {}
    return Student(score.student, "", score.first_name, score.last_name, score.email, known_as=platforms)


def _fill(template: Template, sheet: Sheet, done: Exported) -> bytes:
    places: dict[int, Column] = {}
    for column in sheet.columns:
        place = _place(template, column, alone=len(sheet.columns) == 1)
        if place is None:
            done.without_column.append(column.names[0])
        elif place in places:
            both = f"{places[place].names[0]} and {column.names[0]}"
            raise GradingError(f"{both} would both stand under {template.table.headers[place]!r}: see --column.")
        else:
            places[place] = column
    if not places:
        raise template.no_column(", ".join(done.without_column))
    for place, column in places.items():
        possible = template.possible(place)
        if possible is not None and possible != column.possible:
            done.other_points[template.table.headers[place]] = possible, column.possible
    values = {
        place: {student: number(points) for student, points in column.points.items()}
        for place, column in places.items()
    }
    filled = template.filled(values, Roster(tuple(row.student for row in sheet.rows)))
    graded = [row.student for row in sheet.rows if any(row.student.id in points for points in values.values())]
    done.not_in_template = [student.school_id for student in graded if student.id not in filled.found]
    done.excused = [student.school_id for student in graded if student.id in filled.excused]
    done.written = filled.written
    return filled.content


def _place(template: Template, column: Column, alone: bool) -> int | None:
    """Where the column is in the template. One that was named, or is all that is wanted, has to be there."""
    if column.header or alone:
        return template.column_of(column.header or column.names[0], alone)
    return next((place for name in column.names if (place := template.find(name)) is not None), None)
