"""The packages that the course needs: pip brings those that are missing, and leaves alone what a notebook runs on.

On Colab, torch fits the GPU and IPython fits the page: a pip that replaced either would break the machine.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from reach_course.release import numbers
from reach_course.trouble import NotSetUp

KEPT = ["torch", "numpy", "ipython", "ipykernel", "ipywidgets"]
"""Where one of these is installed, its version is neither raised nor lowered, even if it is an old one."""

OLDEST = re.compile(r">=\s*([\d.]+)")


def provide(project: Path, install: bool) -> None:
    """Have pip install what the course in `project`, a pyproject.toml, needs; or say what to type.

    A course without one was installed by pip, and its packages with it. torch is the learner's to install, everywhere:
    its builds differ by GBs. Raises NotSetUp.
    """
    if install and project.is_file() and installed("torch"):
        _install(needed(project))
    elif missing := [text for text in needed(project) if not installed(name_of(text))]:
        quoted = " ".join(f'"{text}"' for text in missing)
        choice = (
            "" if installed("torch") else " For torch, pytorch.org has other builds: smaller ones, or for your GPU."
        )
        raise NotSetUp(
            f"Packages are missing here. Type %pip install {quoted} in a new cell, then restart the kernel.{choice}"
        )


def warn_of_old(project: Path) -> None:
    """Say which of what is kept is older than the course allows: most works, and a right answer may fail its check."""
    for text in _requirements(project):
        name, oldest = name_of(text), OLDEST.search(text)
        here = installed(name) if name in KEPT else None
        if here and oldest and numbers(here) < numbers(oldest[1]):
            print(
                f"{name} {here} is older than {oldest[1]}, the oldest one with which the course is tested. "
                "Where a check or a cell fails because of that, choose an environment with a newer one."
            )


def needed(project: Path) -> list[str]:
    """The course's requirements without those that are kept as they are. pip skips what is here and new enough."""
    return [text for text in _requirements(project) if not (name_of(text) in KEPT and installed(name_of(text)))]


def _requirements(project: Path) -> list[str]:
    if project.is_file():
        return tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    return [text for text in requires("reach-course") or [] if "extra ==" not in text]


def pins() -> list[str]:
    """The kept distributions as pip constraints, at exactly the version that is here."""
    return [f"{name}=={found}" for name in KEPT if (found := installed(name))]


def name_of(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _install(wanted: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(pins()) + "\n", encoding="utf-8")
        # -P: a file of the learner's, beside the notebook, is no module of pip's
        pip = [sys.executable, "-P", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*pip, "--constraint", str(constraints), *wanted], capture_output=True, text=True)
    if done.returncode:
        said = " ".join(done.stderr.splitlines()[-1:])
        raise NotSetUp(
            f"pip could not install what the course needs ({said}). "
            "If Internet is off (on Kaggle: in the notebook's settings), turn it on, then run this cell again."
        )
