"""Who of a class has handed an assignment in, and who has not."""

from grading.classroom import Classroom
from grading.exchange.people import Student
from grading.exchange.roster import kept
from grading.receipt import Receipt


def not_handed_in(classroom: Classroom, assignment: str) -> list[Student]:
    """Who is in the class by its roster and has no submission of this assignment, by name.

    Members of a group have handed in what one of them did. Nobody, if the class has no roster.

    Raises GradingError if the kept roster is damaged.
    """
    roster = kept(classroom)
    if roster is None:
        return []
    there = set(classroom.students(assignment))
    for student in list(there):
        receipt = Receipt.read(classroom.receipt(student, assignment))
        there.update(receipt.members if receipt else ())
    missing = [student for student in roster.students if not student.gone and student.id not in there]
    return sorted(missing, key=lambda student: student.order)
