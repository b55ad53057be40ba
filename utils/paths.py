"""Where the course lies on disk. It runs from a clone of its repository, so every path is given from here."""

from pathlib import Path

COURSE = Path(__file__).resolve().parents[1]
LESSONS, NOTEBOOKS, SOLUTIONS = COURSE / "lessons", COURSE / "notebooks", COURSE / "solutions"
DATA = COURSE / "data"
RECORDED = COURSE / "docs" / "recorded"

if not NOTEBOOKS.is_dir():
    raise ImportError(
        f"There are no notebooks beside {COURSE / 'utils'}: the course was installed away from its repository. "
        'Clone the repository and install it in place: pip install --editable ".[lab]"'
    )
