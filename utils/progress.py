"""What a learner has passed, kept in one local file. Nothing is ever sent anywhere.

The file is `.reach/progress.json` in the course's folder; `REACH_PROGRESS` names another one, or is `off`.
It holds `{"03": {"receptive_field": "2026-01-31"}}`. Without it, or with a damaged one, only the record is lost.
"""

import contextlib
import datetime
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COURSE = Path(__file__).parents[1]


def path() -> Path | None:
    """Where the record is kept; None if it is switched off."""
    chosen = os.environ.get("REACH_PROGRESS", "")
    if chosen.lower() == "off":
        return None
    return Path(chosen) if chosen else _COURSE / ".reach" / "progress.json"


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


def record(lesson: str, exercise: str) -> None:
    """Remember that this exercise was passed. A folder that cannot be written is no reason to stop a lesson."""
    file = path()
    if file is None:
        return
    passed = load()
    today = datetime.date.today().isoformat()
    passed.setdefault(lesson, {}).setdefault(exercise, today)
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, json.dumps(passed, indent=2, sort_keys=True))


def _replace(file: Path, text: str) -> None:
    """Write whole or not at all, so that a full disk or a stopped kernel leaves the old record."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(temporary, file)
    except OSError:
        os.unlink(temporary)
        raise


def by_lesson() -> dict[str, list[tuple[str, int, str]]]:
    """{lesson: [(exercise, points, day of the pass or "")]} for every exercise of the course."""
    from utils.checks import exercises

    passed, rows = load(), {}
    for exercise in exercises():
        day = passed.get(exercise.lesson, {}).get(exercise.name, "")
        rows.setdefault(exercise.lesson, []).append((exercise.name, exercise.points, str(day)))
    return rows


def plot_progress(ax: "Axes | None" = None) -> "Axes":
    """One row a lesson, one square an exercise: filled and ticked when it is passed."""
    import matplotlib.pyplot as plt

    rows = by_lesson()
    widest = max(map(len, rows.values()))
    if ax is None:
        _, ax = plt.subplots(figsize=(1.6 * widest + 1, 0.5 * len(rows) + 0.8), layout="constrained")
    for row, exercises in enumerate(rows.values()):
        for column, (name, _, day) in enumerate(exercises):
            color = "#0072B2" if day else "white"
            ax.barh(row, 0.94, left=column, height=0.8, color=color, edgecolor="#57606a")
            label = f"✓ {name}" if day else name
            text_color = "white" if day else "#24292f"
            ax.text(
                column + 0.47, row, label.replace("_", "\n", 1), ha="center", va="center", fontsize=7, color=text_color
            )
    done = sum(bool(day) for exercises in rows.values() for _, _, day in exercises)
    total = sum(map(len, rows.values()))
    ax.set(yticks=range(len(rows)), yticklabels=[f"lesson {lesson}" for lesson in rows], xticks=[])
    ax.set_title(f"{done} of {total} exercises passed", loc="left")
    ax.invert_yaxis()
    ax.spines[:].set_visible(False)
    return ax


def main() -> None:
    """Print the record as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("lesson", "exercise", "points", "passed on", title="Your progress (kept on this machine only)")
    for lesson, exercises in by_lesson().items():
        for name, points, day in exercises:
            table.add_row(lesson, name, str(points), f"✓ {day}" if day else "not yet")
        table.add_section()
    Console().print(table)
    print(f"The record: {path() or 'switched off by REACH_PROGRESS=off'}")


if __name__ == "__main__":
    main()
