"""The course as a package: `import reach_course`, and `from utils import reach` finds the course's `utils`.

A wheel brings the whole course as one folder, this one, so that no module called `utils` lands among the packages of an
environment, where it would hide another one or be hidden. In a clone the course is the folder above.
"""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
COURSE = _HERE if (_HERE / "utils").is_dir() else _HERE.parent


def _make_importable() -> None:
    """Put the course first on the path. Raises ImportError where another `utils` or `grading` is already in use."""
    for name in ("utils", "grading"):
        if (module := sys.modules.get(name)) and Path(module.__file__ or "").resolve().parent != COURSE / name:
            where = module.__file__ or "a folder without __init__.py"
            raise ImportError(f"Another `{name}` is imported already ({where}). Import reach_course before it.")
    if str(COURSE) not in sys.path:
        sys.path.insert(0, str(COURSE))


_make_importable()
