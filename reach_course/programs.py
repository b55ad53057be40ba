"""The programs that an installation brings: `reach-grade` for instructors, `reach-course` for learners."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from reach_course import COURSE

LEARNERS = ("utils", "notebooks", "data/weights", "docs/recorded")
"""What a learner works with: the notebooks, and what their cells use."""


def grade() -> None:
    """`reach-grade`."""
    from grading.cli import main

    main()


def lay_out(arguments: list[str] | None = None) -> int:
    """`reach-course FOLDER`: lay the course out in a folder of one's own. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="reach-course",
        description="Lay the course out in a new folder: its notebooks, and what they use. They are yours to write in.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder that is not there yet")
    folder = parser.parse_args(arguments).folder.absolute()
    if folder.exists():
        print(f"{folder} is there already, and may hold your answers. Name a new folder.", file=sys.stderr)
        return 1
    try:
        _copy(folder)
    except OSError as error:
        print(f"{folder} could not be written: {error.strerror or error}. Name another folder.", file=sys.stderr)
        return 1
    print(f"The course is in {folder}. Begin with:\n\n  jupyter lab {folder / 'notebooks' / '00_start_here.ipynb'}")
    return 0


def _copy(folder: Path) -> None:
    """All of it, or nothing."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as beside:
        whole = Path(beside, folder.name)
        for part in LEARNERS:
            shutil.copytree(COURSE / part, whole / part, ignore=shutil.ignore_patterns("__pycache__"))
        whole.rename(folder)
