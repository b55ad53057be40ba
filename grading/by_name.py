"""Students and exercises as a person names them on the command line."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from grading.assignment import Assignment
from grading.classroom import STUDENT, Classroom
from grading.exchange.folding import fold
from grading.exchange.people import Roster, Student
from grading.exchange.roster import kept
from grading.problems import GradingError
from utils.cells import grade_id, role

Item = TypeVar("Item")


def everybody(classroom: Classroom, enrolled: Iterable[Student] = ()) -> Roster:
    """Who is on the class's roster, and of the others who is enrolled in the gradebook or has handed in anything."""
    roster = kept(classroom)
    people = {student.id: student for student in (roster.students if roster else ())}
    folders = (path.name for path in sorted(classroom.root.glob("submitted/*")) if STUDENT.fullmatch(path.name))
    for student in (*enrolled, *(Student(folder) for folder in folders)):
        people.setdefault(student.id, student)
    return Roster(tuple(people.values()))


def find_student(people: Roster, wanted: str) -> Student:
    """The one whom this folder's name, id or whole name belongs to.

    Raises GradingError if that is nobody, with those who are called nearly so, or more than one.
    """
    folder = people.of_folder(wanted)
    found = [folder] if folder else people.with_id(wanted) or people.with_name(wanted)
    if len(found) == 1:
        return found[0]
    if found:
        raise GradingError(f"{wanted!r} can be {' or '.join(map(str, found))}. Give the id of one of them.")
    named = {name: student for student in people.students for name in (*student.written_ids, student.name) if name}
    near = list(dict.fromkeys(_near(wanted, named)))
    meant = f"Did you mean {' or '.join(map(str, near))}?" if near else "Expected an id of the roster, or a whole name."
    raise GradingError(f"Nobody in the class is called {wanted!r}. {meant}")


def exercise_names(assignment: Assignment, quizzes: bool = False) -> dict[str, str]:
    """{name: grade_id} of its exercises: by the function that is written, by the check, by nbgrader's name."""
    names = {name: task.grade_id for task in assignment.tasks for name in (task.exercise, task.answer, task.grade_id)}
    if quizzes:
        names |= {grade_id(cell): grade_id(cell) for cell in assignment.notebook.cells if role(cell) == "quiz"}
    return names


def find_exercise(names: Mapping[str, str], wanted: str) -> str:
    """The `grade_id` of what is called so. Raises GradingError if nothing is, with what is nearly so, or all."""
    if wanted in names:
        return names[wanted]
    called = {}  # each by its first name, which is the function's
    for name, cell in names.items():
        called.setdefault(cell, name)
    near = dict.fromkeys(called[cell] for cell in _near(wanted, names))
    meant = f"Did you mean {' or '.join(near)}?" if near else f"Expected one of {', '.join(called.values())}."
    raise GradingError(f"There is no exercise {wanted!r}. {meant}")


def _near(wanted: str, named: Mapping[str, Item]) -> list[Item]:
    folded = {fold(name): item for name, item in named.items()}
    return [folded[name] for name in get_close_matches(fold(wanted), folded, n=3)]
