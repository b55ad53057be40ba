"""What a learner has passed, kept in one local file. Nothing is ever sent anywhere.

The file is `.reach/progress.json` in the course's folder (in your home, of a course that pip installed);
`REACH_PROGRESS` names another one, or is `off`.
It holds `{"03": {"receptive_field": "2026-01-31"}}`. Without it, or with a damaged one, only the record is lost.
"""

import contextlib
import datetime
import json
import os
from pathlib import Path

from utils.files import write_whole
from utils.paths import KEPT


def path() -> Path | None:
    """Where the record is kept; None if it is switched off."""
    chosen = os.environ.get("REACH_PROGRESS", "")
    if chosen.lower() == "off":
        return None
    return Path(chosen) if chosen else KEPT / "progress.json"


def load() -> dict[str, dict[str, str]]:
    """{lesson: {exercise: day of the first pass}}; empty where there is no readable record."""
    file = path()
    try:
        record = json.loads(file.read_text(encoding="utf-8")) if file else {}
    except (OSError, ValueError):
        return {}
    if not isinstance(record, dict):
        return {}
    return {lesson: dict(passed) for lesson, passed in record.items() if isinstance(passed, dict)}


def add(lesson: str, exercise: str) -> None:
    """Remember that this exercise was passed. A folder that cannot be written is no reason to stop a lesson."""
    file = path()
    if file is None:
        return
    passed = load()
    today = datetime.date.today().isoformat()
    passed.setdefault(lesson, {}).setdefault(exercise, today)
    with contextlib.suppress(OSError):
        write_whole(file, json.dumps(passed, indent=2, sort_keys=True))
