"""The programs that an installation brings: `reach-grade` for instructors, `reach-course` for learners."""

import argparse
import shutil
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from reach_course import COURSE


def grade() -> None:
    """`reach-grade`. Both by their names: what a notebook loads must not need the grader."""
    import_module("reach_course.on_path")
    import_module("grading.cli").main()


def copy_notebooks(arguments: list[str] | None = None) -> int:
    """`reach-course FOLDER`: the learners' notebooks in a folder of one's own. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="reach-course",
        description="Copy the course's notebooks into a new folder. They are yours to write in, wherever they lie.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder that is not there yet")
    folder = parser.parse_args(arguments).folder.absolute()
    if folder.exists():
        print(f"{folder} is there already, and may hold your answers. Name a new folder.", file=sys.stderr)
        return 1
    try:
        _copy(COURSE / "notebooks", folder)
    except OSError as error:
        print(f"{folder} could not be written: {error.strerror or error}. Name another folder.", file=sys.stderr)
        return 1
    first = folder / "00_start_here.ipynb"
    lab = "" if find_spec("jupyterlab") else "  python -m pip install jupyterlab\n"
    print(f'The notebooks are there. Begin with:\n\n{lab}  jupyter lab "{first}"')
    return 0


def _copy(source: Path, target: Path) -> None:
    """All of it, or nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as beside:
        whole = Path(beside, target.name)
        shutil.copytree(source, whole, ignore=shutil.ignore_patterns(".*"))
        whole.rename(target)
