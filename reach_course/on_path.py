"""`import reach_course.on_path`, and `from utils import reach` finds the course's own `utils`, in any program.

A worker of Dask takes it with `dask worker --preload reach_course.on_path`. A notebook has its set-up cell instead.
"""

import sys
from pathlib import Path

from reach_course import COURSE


def _put() -> None:
    """Put the course first on the path. Raises ImportError where another `utils` or `grading` is already in use."""
    for name in ("utils", "grading"):
        if (module := sys.modules.get(name)) and Path(module.__file__ or "").resolve().parent != COURSE / name:
            where = module.__file__ or "a folder without __init__.py"
            raise ImportError(f"Another `{name}` is imported already ({where}). Import reach_course.on_path before it.")
    if str(COURSE) not in sys.path:
        sys.path.insert(0, str(COURSE))


_put()
