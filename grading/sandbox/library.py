"""The part of the course that a sandbox sees: `utils` without its checks, and `grading.worker`."""

from pathlib import Path

import grading
import utils

COURSE = Path(utils.__file__).resolve().parent
GRADING = Path(grading.__file__).resolve().parent
STAND_IN = GRADING / "worker" / "checks_stand_in.py"


def library_options(place: str) -> list[str]:
    """Options for bwrap that put the library at `place`."""
    checks = f"{place}/utils/checks"
    options = [word for folder in (place, f"{place}/grading") for word in ("--perms", "0755", "--dir", folder)]
    options += ["--ro-bind", str(COURSE), f"{place}/utils", "--tmpfs", checks]
    for module in sorted((COURSE / "checks").glob("*.py")):
        options += ["--ro-bind", str(STAND_IN), f"{checks}/{module.name}"]
    return [*options, "--remount-ro", checks, "--ro-bind", str(GRADING / "worker"), f"{place}/grading/worker"]


def copies_within(folders: list[Path]) -> list[Path]:
    """Where the whole course lies inside one of these folders (an installed package), and has to be hidden."""
    return [path for path in (COURSE, GRADING) if any(path.is_relative_to(folder) for folder in folders)]
