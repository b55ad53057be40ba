"""Who handed in how often, and when: kept beside each submission as `attempts.json`."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from utils.files import write_whole

MOST = 500  # that are listed, the newest; their numbers count on


@dataclass(frozen=True)
class Attempt:
    """A notebook that counted as somebody's submission for a time.

    Attributes:
        number: 1 for the first. The same notebook again is no other attempt.
        file: its name in what was collected, fit to be shown.
        submitted: when it came in, ISO 8601 with its zone; "" where nothing says so.
        seen: when it was collected, likewise.
        sha256: of the file.
    """

    number: int
    file: str
    submitted: str
    seen: str
    sha256: str


def read_attempts(path: Path) -> list[Attempt]:
    """The oldest first; nothing where there is no file, or none that can be read."""
    try:
        return [Attempt(**fields) for fields in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def attempts_known(path: Path) -> int:
    """How many times a student has handed in; 0 where nothing says so."""
    known = read_attempts(path)
    return known[-1].number if known else 0


def note_attempt(path: Path, file: str, submitted: str, content: bytes, others_before: bool) -> int:
    """Add an attempt to the list, and return its number. To be called again after a kill adds none.

    Args:
        path: the list.
        file, submitted: see `Attempt`.
        content: the notebook.
        others_before: there is an earlier submission, of which the list may not know.
    """
    attempts = read_attempts(path)
    seen = datetime.now().astimezone().isoformat(timespec="seconds")
    last = attempts[-1].number if attempts else int(others_before)
    new = Attempt(last + 1, file, submitted, seen, hashlib.sha256(content).hexdigest())
    if attempts and attempts[-1].sha256 == new.sha256:
        new = replace(new, number=last, seen=attempts[-1].seen)
        attempts.pop()
    write_whole(path, json.dumps([asdict(one) for one in [*attempts, new][-MOST:]], indent=1))
    return new.number
