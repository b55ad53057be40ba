"""The part of the course that is mounted in a sandbox: `utils` without its checks, and `grading.worker`."""

from pathlib import Path

from utils.paths import COURSE

UTILS, GRADING = COURSE / "utils", COURSE / "grading"
STUB = GRADING / "worker" / "checks_stub.py"


def library_options(place: str) -> list[str]:
    """Options for bwrap that put the library at `place`."""
    checks = f"{place}/utils/checks"
    options = [word for folder in (place, f"{place}/grading") for word in ("--perms", "0755", "--dir", folder)]
    options += ["--ro-bind", str(UTILS), f"{place}/utils", "--tmpfs", checks]
    for module in sorted((UTILS / "checks").glob("*.py")):
        options += ["--ro-bind", str(STUB), f"{checks}/{module.name}"]
    return [*options, "--remount-ro", checks, "--ro-bind", str(GRADING / "worker"), f"{place}/grading/worker"]


def copies_within(folders: list[Path]) -> list[Path]:
    """Where the whole course lies inside one of these folders (an installed package), and has to be hidden."""
    return [path for path in (UTILS, GRADING) if any(path.is_relative_to(folder) for folder in folders)]
