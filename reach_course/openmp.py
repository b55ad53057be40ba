"""Two OpenMP libraries in one process, which end a kernel without a word on Windows and macOS."""

import os
import sys
from importlib.metadata import distribution
from pathlib import Path

LIBRARIES = ("libiomp5md.dll", "libiomp5.dylib", "libomp.dylib")
FOLDERS = ("Library/bin", "lib")  # of a conda environment, on Windows and on macOS

ADVICE = (
    "This Python has two OpenMP libraries, conda's and that of the torch from pip. If the kernel dies, that is why "
    "(a terminal says OMP: Error #15): give the course an environment of its own, see its README."
)


def warn() -> None:
    """Say so beforehand, where there are two and nobody has allowed it."""
    if "KMP_DUPLICATE_LIB_OK" not in os.environ and two_libraries(Path(sys.prefix), _folder_of_torch()):
        print(ADVICE)


def two_libraries(environment: Path, torch: Path) -> bool:
    """Whether conda's environment and the package torch in it each bring a library of their own."""
    of_conda = [environment / folder / name for folder in FOLDERS for name in LIBRARIES]
    of_torch = [torch / "lib" / name for name in LIBRARIES]
    first, second = ({path.resolve() for path in paths if path.is_file()} for paths in (of_conda, of_torch))
    return bool(first and second and first.isdisjoint(second))


def _folder_of_torch() -> Path:
    return Path(str(distribution("torch").locate_file("torch")))
