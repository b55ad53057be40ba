"""Where the course lies on disk, every path given from here, and where it keeps what a learner's machine adds."""

from pathlib import Path

COURSE = Path(__file__).resolve().parents[1]
LESSONS, NOTEBOOKS, SOLUTIONS = COURSE / "lessons", COURSE / "notebooks", COURSE / "solutions"
WEIGHTS = COURSE / "data" / "weights"
RECORDED = COURSE / "docs" / "recorded"

_INSTALLED = (COURSE / "__init__.py").exists()  # in pip's folder, as `reach_course`, where nothing of ours may be kept
KEPT = Path.home() / ".reach" if _INSTALLED else COURSE / ".reach"
"""The folder of the learner's record."""
DATA = KEPT / "data" if _INSTALLED else COURSE / "data"
"""The folder of data sets that were fetched."""
