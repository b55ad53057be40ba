"""A submission's place in the classroom: the notebook, nbgrader's timestamp, and the receipt beside it."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from grading.attempts import note_attempt
from grading.classroom import Classroom
from grading.exchange.content import is_as_released
from grading.exchange.filenames import outside_of_zips
from grading.exchange.identity import NotPlaced
from grading.exchange.versions import Choice
from grading.receipt import Receipt
from grading.times import shown
from grading.untrusted.text import printable
from utils.files import write_whole

TIMESTAMP = "timestamp.txt"  # nbgrader's: one line, next to the submission

LATE = "Handed in late, says the platform."
REPLACES = "It replaces what was collected before."
UNKNOWN_ORDER = "It replaces what was collected before; nothing says which of the two is newer."


@dataclass(frozen=True)
class Placed:
    """A submission that was put into submitted/.

    Attributes:
        file: its name in what was collected, fit to be shown.
        student, assignment: where it was put.
        submitted: when it came in, with a zone; None if nothing says so.
        late: the platform itself calls it late.
        members: all who handed it in together; empty for one student alone.
        notes: what an instructor should know of it, a sentence each.
        attempt: which attempt of the student's it is; 0 if it was there before.
    """

    file: str
    student: str
    assignment: str
    submitted: datetime | None
    late: bool = False
    members: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    attempt: int = field(default=0, compare=False)

    @property
    def note(self) -> str:
        return " ".join(self.notes)


def place(choice: Choice, student: str, reader: str, classroom: Classroom) -> Placed:
    """Put a submission into the classroom. Raises NotPlaced if what was collected before is newer."""
    newest = choice.newest
    path, receipt_path = (where(student, newest.assignment) for where in (classroom.submitted, classroom.receipt))
    there, old = path.is_file(), Receipt.read(receipt_path)
    is_new = not there or path.read_bytes() != choice.content
    submitted = newest.submitted if is_new or newest.clues.submitted else _first(newest.submitted, old)
    members = newest.owners.students if len(newest.owners.students) > 1 else ()
    when = submitted.astimezone().isoformat() if submitted else ""
    file = printable(newest.file.name)
    exported = str(PurePosixPath(*outside_of_zips(newest.file.name)))
    receipt = Receipt(file, reader, when, newest.clues.late, members, choice.notes, newest.clues.version, exported)
    notes = list(choice.notes)
    if there and is_new:
        if is_as_released(choice.content, newest.assignment, classroom):
            raise NotPlaced("It is as it was handed out, so what was collected before stays.")
        notes.append(_replaces(receipt, old, _stamped(path)))
    notes += [LATE] if newest.clues.late else []
    placed = Placed(file, student, newest.assignment, submitted, newest.clues.late, members, tuple(notes))
    if receipt == old and not is_new:
        return placed
    if is_new:
        number = note_attempt(classroom.attempts(student, newest.assignment), file, when, choice.content, there)
        placed = replace(placed, attempt=number)
    if submitted:
        write_whole(path.with_name(TIMESTAMP), f"{submitted.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")
    else:
        path.with_name(TIMESTAMP).unlink(missing_ok=True)
    write_whole(path, choice.content)
    receipt.write(receipt_path)
    return placed


def _first(time: datetime | None, old: Receipt | None) -> datetime | None:
    """Of the same notebook, found once more with the time of a file alone: copying it does not make anybody late."""
    before = _moment(old.submitted) if old else None
    return min(before, time) if before and time else time


def _replaces(new: Receipt, old: Receipt | None, stamped: datetime | None) -> str:
    """A note that another file is replaced. Raises NotPlaced if that one is newer."""
    before, now = (_moment(receipt.submitted) if receipt else None for receipt in (old, new))
    before = before if old else stamped
    if old and old.reader == new.reader and old.version and new.version and old.version != new.version:
        if new.version < old.version:
            raise NotPlaced(f"It is older than what was collected before ({old.file}).")
        return REPLACES
    if before and now:
        if now < before:
            raise NotPlaced(f"It is older than what was collected before ({shown(before)}).")
        return REPLACES
    return UNKNOWN_ORDER


def _moment(text: str) -> datetime | None:
    with suppress(ValueError):
        return datetime.fromisoformat(text).astimezone()
    return None


def _stamped(path: Path) -> datetime | None:
    """nbgrader's time of what is there, for a submission without a receipt."""
    from nbgrader.utils import parse_utc  # takes seconds to import

    with suppress(OSError, ValueError, OverflowError):
        return parse_utc(path.with_name(TIMESTAMP).read_bytes()[:100].decode().strip()).replace(tzinfo=UTC)
    return None
