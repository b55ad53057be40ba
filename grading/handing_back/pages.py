"""The feedback pages that are there to be handed back, and whose they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grading.classroom import STUDENT, Classroom
from grading.exchange.people import Student
from grading.problems import GradingError
from grading.receipt import Receipt


@dataclass(frozen=True)
class Page:
    """A student's feedback on one assignment, as `reach-grade feedback` wrote it; and the receipt, if there is one."""

    student: Student
    assignment: str
    path: Path
    receipt: Receipt | None


def pages_of(classroom: Classroom, assignment: str, people: Mapping[str, Student]) -> list[Page]:
    """The pages of everybody who is graded, by student.

    Args:
        classroom: the class's folder.
        assignment: which one.
        people: {folder: student} of all who are known.

    Raises GradingError if nobody is graded, or somebody's page is missing.
    """
    results = classroom.result("anyone", assignment).parent.glob("[!.]*.json")
    students = sorted(path.stem for path in results if STUDENT.fullmatch(path.stem))
    if not students:
        first = classroom.command("grade")
        raise GradingError(f"Nobody's {assignment} is graded in {classroom.root} yet. Run: {first}")
    found = [_page(classroom, assignment, people.get(student, Student(student))) for student in students]
    if missing := [page.student.school_id for page in found if not page.path.is_file()]:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise GradingError(
            f"There is no feedback on {assignment} for {', '.join(missing[:3])}{more}. Write it: "
            + classroom.command("feedback")
        )
    return found


def _page(classroom: Classroom, assignment: str, student: Student) -> Page:
    receipt = Receipt.read(classroom.receipt(student.id, assignment))
    return Page(student, assignment, classroom.feedback(student.id, assignment), receipt)
