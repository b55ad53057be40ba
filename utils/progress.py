"""What a learner has passed, as a table and as a figure. The record itself is kept by `utils.checking.record`."""

from typing import TYPE_CHECKING

from utils.checking import record
from utils.checks import exercises

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def by_lesson() -> dict[str, list[tuple[str, int, str]]]:
    """{lesson: [(exercise, points, day of the pass or "")]} for every exercise of the course."""
    passed, rows = record.load(), {}
    for exercise in exercises():
        day = passed.get(exercise.lesson, {}).get(exercise.name, "")
        rows.setdefault(exercise.lesson, []).append((exercise.name, exercise.points, str(day)))
    return rows


def plot_progress(ax: "Axes | None" = None) -> "Axes":
    """One row a lesson, one square an exercise: filled and ticked when it is passed."""
    from utils.plotting.style import BLUE, GREY, axes

    rows = by_lesson()
    widest = max(map(len, rows.values()))
    ax = axes(ax, (1.6 * widest + 1, 0.5 * len(rows) + 0.8))
    for row, tiles in enumerate(rows.values()):
        for column, (name, _, day) in enumerate(tiles):
            color = BLUE if day else "white"
            ax.barh(row, 0.94, left=column, height=0.8, color=color, edgecolor=GREY)
            label = f"✓ {name}" if day else name
            text_color = "white" if day else "#24292f"
            ax.text(
                column + 0.47, row, label.replace("_", "\n", 1), ha="center", va="center", fontsize=7, color=text_color
            )
    done = sum(bool(day) for tiles in rows.values() for _, _, day in tiles)
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

    from utils.terminal import write_in_any_encoding

    write_in_any_encoding()
    table = Table("lesson", "exercise", "points", "passed on", title="Your progress (kept on this machine only)")
    for lesson, rows in by_lesson().items():
        for name, points, day in rows:
            table.add_row(lesson, name, str(points), f"✓ {day}" if day else "not yet")
        table.add_section()
    Console().print(table)
    print(f"The record: {record.path() or 'switched off by REACH_PROGRESS=off'}")


if __name__ == "__main__":
    main()
