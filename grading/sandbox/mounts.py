"""The part of the course that is mounted in a sandbox: of `utils` what is needed, its weights, and `grading.worker`."""

import sys
from pathlib import Path

from utils.paths import COURSE, WEIGHTS

UTILS, GRADING = COURSE / "utils", COURSE / "grading"
STUB = GRADING / "worker" / "checks_stub.py"
READS_WEIGHTS = "models/pretrained.py"


def library_options(place: str, files: frozenset[str] | None) -> list[str]:
    """Options for bwrap that put these files of `utils`, or all, at `place`, and a stub for each of its checks.

    The trained weights are there where the module that reads them is.
    """
    checks = {path.relative_to(UTILS) for path in (UTILS / "checks").glob("*.py")}
    held = {path.relative_to(UTILS) for path in UTILS.rglob("*.py")} - checks
    held = {path for path in held if files is None or path.as_posix() in files}
    weights = Path(READS_WEIGHTS) in held and WEIGHTS.is_dir()
    folders = {Path(place), Path(place, "grading"), *([Path(place, "data")] if weights else [])}
    folders |= {Path(place, "utils", parent) for path in held | checks for parent in path.parents}
    options = [word for folder in sorted(folders) for word in ("--perms", "0755", "--dir", str(folder))]
    for path in sorted(held | checks):
        options += ["--ro-bind", str(STUB if path in checks else UTILS / path), f"{place}/utils/{path}"]
    options += ["--ro-bind", str(WEIGHTS), f"{place}/data/weights"] if weights else []
    return [*options, "--ro-bind", str(GRADING / "worker"), f"{place}/grading/worker"]


def copies_within(folders: list[Path]) -> list[Path]:
    """What to hide where the whole course lies inside one of these folders, as a package that pip has installed does.

    All its folders: the solutions and the trained weights, too. Not one that an interpreter lies in.
    """
    if not any(COURSE.is_relative_to(folder) for folder in folders):
        return []
    ours = [path for path in sorted(COURSE.iterdir()) if path.is_dir() and not path.is_symlink()]
    used = [Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()]
    return [path for path in ours if not any(one.is_relative_to(path) for one in used)]
