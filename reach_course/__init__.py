"""What the set-up cell of a notebook loads. It makes the course's `utils` importable, wherever the notebook lies.

The name of this package is the course's alone, so that Python finds it where another `utils` is on the path. It runs
before anything is installed, so it uses the standard library only.
"""

import sys
import tomllib
from importlib.machinery import SourceFileLoader
from importlib.metadata import version as version_of
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from reach_course import openmp
from reach_course.packages import provide
from reach_course.trouble import NotSetUp

__all__ = ["NotSetUp", "set_up"]

COURSE = Path(__file__).resolve().parents[1]


def set_up(lesson: str, version: str, install: bool) -> None:
    """Make `utils` the course's own, for a notebook that may be alone.

    Args:
        lesson: the notebook's name, such as "03_receptive_field".
        version: that of the course for which the notebook was made.
        install: whether pip may bring what is missing; without it a sentence says what to type.

    Raises NotSetUp where the course here lacks the lesson, or this machine a package.
    """
    _has(lesson, version, install)
    provide(COURSE / "pyproject.toml", install)
    openmp.warn()
    _use_our_utils()
    sys.path[:] = dict.fromkeys(sys.path)  # the cell adds the course each time that it is run


def _has(lesson: str, version: str, install: bool) -> None:
    here = _version()
    if not (COURSE / "utils" / "checks" / f"{lesson.partition('_')[2]}.py").is_file():
        remedy = (
            "rename that folder and run this cell again" if install else f'type !git -C "{COURSE}" pull in a new cell'
        )
        raise NotSetUp(f"The course in {COURSE} (version {here}) has no lesson {lesson}. To get a newer one, {remedy}.")
    if here != version:
        print(f"This notebook is made for version {version} of the course; the one in {COURSE} is version {here}.")


def _version() -> str:
    """Of the course here: a clone of its repository, or a package that pip has installed."""
    project = COURSE / "pyproject.toml"
    if project.is_file():
        return tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
    return version_of("reach-course")


def _use_our_utils() -> None:
    """Import `utils` from here, whoever else has one on the path or has imported it before.

    What others have taken out of theirs goes on working. Ours stays as it is, so that a second run changes nothing.
    """
    ours = COURSE / "utils" / "__init__.py"
    before = getattr(sys.modules.get("utils"), "__file__", None)
    if before and Path(before).resolve() == ours:
        return
    for name in [name for name in sys.modules if name.partition(".")[0] == "utils"]:
        del sys.modules[name]
    spec = spec_from_file_location("utils", ours, loader=SourceFileLoader("utils", str(ours)))
    assert spec is not None and spec.loader is not None  # the loader is given
    sys.modules["utils"] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules["utils"])
