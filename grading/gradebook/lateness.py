"""When a submission came in, and by how much it is late."""

import logging
from datetime import UTC, datetime
from pathlib import Path

from grading.classroom import Classroom
from grading.gradebook.due_dates import DueDates
from grading.receipt import Receipt

AT_LEAST = 1.0  # seconds: how late a submission is that a platform calls late, without a time

log = logging.getLogger(__name__)


def handed_in(classroom: Classroom, student: str, assignment: str) -> datetime | None:
    """When the submission came in, in UTC without a zone, as nbgrader keeps it; None where nothing says so.

    Its receipt says so. Without one, nbgrader's `timestamp.txt` does, as `nbgrader collect` writes it.
    """
    receipt = Receipt.read(classroom.receipt(student, assignment))
    if receipt is None:
        return _stamped(classroom.submitted(student, assignment).with_name("timestamp.txt"))
    if not receipt.submitted:
        return None
    try:
        return datetime.fromisoformat(receipt.submitted).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        log.warning("%s holds no date and time: %s", classroom.receipt(student, assignment), receipt.submitted)
        return None


def seconds_late(
    submitted: datetime | None, due: datetime | None, receipt: Receipt | None, extended: bool = False
) -> float:
    """How late a submission is; 0 if it is not.

    Where a time is known, it decides. Where none is, a platform's late mark does, but for a student with a date of
    their own (`extended`), of which the platform may not know: there a person must decide, see `must_decide`.
    """
    if submitted and due:
        return max(0.0, (submitted - due).total_seconds())
    marked = receipt is not None and receipt.late
    return AT_LEAST if marked and not extended else 0.0


def late_by(student: str, submitted: datetime | None, receipt: Receipt | None, due: DueDates) -> float:
    """The same for a student, by the class's due dates or a date of their own. `submitted` has a zone."""
    own = due.students.get(student, due.everybody)
    return seconds_late(submitted, own, receipt, extended=student in due.students)


def must_decide(classroom: Classroom, assignment: str, dates: DueDates) -> list[str]:
    """Whose submission a platform calls late, without a time, though the student has a due date of their own."""
    receipts = {student: Receipt.read(classroom.receipt(student, assignment)) for student in dates.students}
    return sorted(
        student for student, receipt in receipts.items() if receipt and receipt.late and not receipt.submitted
    )


def _stamped(path: Path) -> datetime | None:
    from nbgrader.utils import parse_utc  # it takes a second to import, and most classes have receipts

    if path.is_symlink() or not path.is_file():
        return None
    try:
        return parse_utc(path.read_bytes()[:100].decode("utf-8", "replace").strip())
    except (ValueError, OverflowError, TypeError):
        log.warning("%s holds no date and time; expected one like 2026-03-31 23:59:00 UTC.", path)
        return None
