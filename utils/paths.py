"""Where the course lies on disk. It runs from a clone of its repository, so every path is given from here."""

from pathlib import Path

COURSE = Path(__file__).resolve().parents[1]
LESSONS, NOTEBOOKS, SOLUTIONS = COURSE / "lessons", COURSE / "notebooks", COURSE / "solutions"
DATA = COURSE / "data"
RECORDED = COURSE / "docs" / "recorded"

if COURSE.name in ("site-packages", "dist-packages"):
    raise ImportError(
        "The course was installed away from its notebooks. Clone its repository and install it in place: "
        'pip install --editable ".[lab]"'
    )
