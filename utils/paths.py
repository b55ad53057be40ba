"""Where the course lies on disk. It runs from a clone of its repository, so every path is given from here."""

from pathlib import Path

COURSE = Path(__file__).resolve().parents[1]
LESSONS, NOTEBOOKS, SOLUTIONS = COURSE / "lessons", COURSE / "notebooks", COURSE / "solutions"
DATA = COURSE / "data"
WEIGHTS = DATA / "weights"
RECORDED = COURSE / "docs" / "recorded"

if any(COURSE.glob("reach_course-*.dist-info")):  # pip has put a copy here, and left the rest where it was
    raise ImportError(
        f"The course was installed into {COURSE}, away from its lessons, notebooks and data. "
        'Clone the repository and install it in place: pip install --editable ".[lab]"'
    )
