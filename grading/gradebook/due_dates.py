"""Due dates of a class, for everybody and for single students: `due.csv` in its folder."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grading.classroom import STUDENT, Classroom
from grading.exchange.folding import fold
from grading.exchange.roster import Roster, kept
from grading.exchange.tables import read_table
from grading.problems import GradingError
from grading.times import shown
from utils.files import write_whole
from utils.paths import NOTEBOOKS

COLUMNS = ("assignment", "student", "due")
ISO = re.compile(r"(?P<date>\d{4}-\d\d-\d\d)[T ]+(?P<time>\d\d?:\d\d(:\d\d)?)\s*(?P<zone>\S*)")
DOTTED = re.compile(r"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{4})\s+(?P<time>\d\d?:\d\d(:\d\d)?)\s*(?P<zone>\S*)")
OFFSET = re.compile(r"[+-]\d\d:?\d\d")
EXPECTED = "2026-11-01 23:59, which is local time, or 2026-11-01 23:59 +01:00, or 2026-11-01 23:59 Europe/Berlin"


@dataclass(frozen=True)
class DueDates:
    """When one assignment is due: for everybody, None if that is not said, and {folder of a student: when}."""

    everybody: datetime | None = None
    students: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Replaced:
    """What took the place of the class's due dates; `before` is None where there were none, or none to be read.

    `kept` is where the file before is now; None if there was none, or the same.
    """

    now: dict[str, DueDates]
    before: dict[str, DueDates] | None = None
    kept: Path | None = None

    def sentences(self, called: Callable[[str], str]) -> Iterator[str]:
        """Which dates came, went or are others, a line each. `called` says how a student is called."""
        if self.before is None:
            return
        before, now = _flat(self.before), _flat(self.now)
        for of in sorted(before | now):
            whose = f"{of[0]}, {called(of[1]) if of[1] else 'everybody'}"
            if of not in before:
                yield f"came: {whose}: due {shown(now[of])}"
            elif of not in now:
                yield f"went: {whose}: was due {shown(before[of])}"
            elif before[of] != now[of]:
                yield f"changed: {whose}: was due {shown(before[of])}, is due {shown(now[of])}"


def _flat(dates: Mapping[str, DueDates]) -> dict[tuple[str, str], datetime]:
    """{(assignment, student, or "" for everybody): when}."""
    everybody = {(name, ""): due.everybody for name, due in dates.items() if due.everybody}
    return everybody | {(name, student): own for name, due in dates.items() for student, own in due.students.items()}


def keep_due_dates(path: Path, classroom: Classroom) -> Replaced:
    """Make this file the class's `due.csv`. The one before, if it was another, is kept beside it.

    Raises GradingError, and keeps the old file, where `read_due_dates` does.
    """
    dates, content = read_due_dates(path, classroom), path.read_bytes()
    if not classroom.due.exists():
        write_whole(classroom.due, content)
        return Replaced(dates)
    before = None
    with suppress(GradingError):  # it was written by hand
        before = kept_due_dates(classroom)
    if classroom.due.read_bytes() == content:
        return Replaced(dates, before)
    write_whole(classroom.due_before, classroom.due.read_bytes())
    write_whole(classroom.due, content)
    return Replaced(dates, before, classroom.due_before)


def kept_due_dates(classroom: Classroom) -> dict[str, DueDates]:
    """What the class's `due.csv` says; nothing if there is none. Raises GradingError as `read_due_dates` does."""
    return read_due_dates(classroom.due, classroom) if classroom.due.exists() else {}


def read_due_dates(path: Path, classroom: Classroom) -> dict[str, DueDates]:
    """{assignment: when it is due} from a CSV file with the columns assignment, student and due.

    An empty student means everybody; otherwise it is any id that the roster knows, or a folder in `submitted/`. A time
    is like one of `EXPECTED`; without a zone it is this machine's local time, and seconds may follow the minutes.

    Raises GradingError, with the line, for a column that is missing, an assignment or a student that nobody knows, a
    time that is none, and a line that says again what another has said.
    """
    table = read_table(path, lambda header: fold(header) in COLUMNS)
    headers = [fold(header) for header in table.headers]
    if missing := [name for name in COLUMNS if name not in headers]:
        seen = ", ".join(filter(None, table.headers)) or "none, it is empty"
        raise GradingError(f"{path} has no column {' and no column '.join(missing)}. Its columns are: {seen}.")
    roster, found = kept(classroom), {}
    for row in table.rows.values():
        assignment, student, due = (row.values[headers.index(name)] for name in COLUMNS)
        where = f"{path}, line {table.line(row.start)}: "
        key = (_assignment(assignment, classroom, where), _student(student, classroom, roster, where))
        if key in found:
            raise GradingError(f"{where}{assignment} has a due date for {student or 'everybody'} already.")
        found[key] = _time(due, where)
    return {
        name: DueDates(found.get((name, "")), {who: due for (of, who), due in found.items() if who and of == name})
        for name, _ in found
    }


def _assignment(name: str, classroom: Classroom, where: str) -> str:
    released = {path.name for path in classroom.root.glob("release/*")}
    known = released | {path.stem for path in NOTEBOOKS.glob("*.ipynb")}
    if name not in known:
        raise GradingError(f"{where}{name!r} is no assignment. Expected one of {', '.join(sorted(known))}.")
    return name


def _student(an_id: str, classroom: Classroom, roster: Roster | None, where: str) -> str:
    """The student's folder; "" for everybody."""
    if not an_id:
        return ""
    found = roster.with_id(an_id) if roster else []
    if len(found) == 1:
        return found[0].id
    if not found and STUDENT.fullmatch(an_id) and (not roster or (classroom.root / "submitted" / an_id).is_dir()):
        return an_id
    known = f"It can be {' or '.join(map(str, found))}" if found else "Nobody on the roster has it"
    raise GradingError(f"{where}the id {an_id!r} is not clear. {known}. Write the id as it stands on the roster.")


def _time(text: str, where: str) -> datetime:
    """The moment, in UTC."""
    try:
        return _parsed(text).astimezone(UTC)
    except (ValueError, OverflowError, ZoneInfoNotFoundError):
        raise GradingError(f"{where}{text!r} is no date and time. Expected one like {EXPECTED}.") from None


def _parsed(text: str) -> datetime:
    """Raises ValueError or ZoneInfoNotFoundError. An hour that a clock shows twice, in autumn, is the later one."""
    if found := DOTTED.fullmatch(text):
        date = f"{found['year']}-{int(found['month']):02}-{int(found['day']):02}"
    elif found := ISO.fullmatch(text):
        date = found["date"]
    else:
        raise ValueError(text)
    moment = datetime.fromisoformat(f"{date}T{found['time']:0>5}").replace(fold=1)
    return moment.replace(tzinfo=_zone(found["zone"])) if found["zone"] else moment


def _zone(name: str) -> tzinfo:
    if name in ("Z", "UTC"):
        return UTC
    if OFFSET.fullmatch(name):
        return datetime.strptime(name, "%z").tzinfo or UTC
    return ZoneInfo(name)
