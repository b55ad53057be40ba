"""What the set-up cell of a notebook loads. It makes the course's `utils` importable, wherever the notebook lies.

The name of this package is the course's alone, so that Python finds it where another `utils` is on the path. It runs
before anything is installed, so it uses the standard library only.

pip installs the whole course inside of it, so that no module called `utils` lands among a user's packages. In a
program, `import reach_course.on_path` makes the course's `utils` importable.
"""

import sys

from reach_course.trouble import NotSetUp, refuse_an_old_python

refuse_an_old_python()  # before all else: the imports below need a newer one

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from reach_course import openmp
from reach_course.packages import provide, warn_of_old
from reach_course.release import Release

__all__ = ["NotSetUp", "set_up"]

_HERE = Path(__file__).resolve().parent
COURSE = _HERE if (_HERE / "utils").is_dir() else _HERE.parent
"""The folder of `utils`: in a clone the one above, in a package that pip has installed this one."""


def set_up(lesson: str, version: str, install: bool) -> None:
    """Make `utils` the course's own, for a notebook that may be alone.

    Args:
        lesson: the notebook's name, such as "03_receptive_field".
        version: that of the course for which the notebook was made.
        install: whether pip may bring what is missing; without it a sentence says what to type.

    Raises NotSetUp where the course here lacks the lesson, or this machine a package; importing this module does where
    Python is too old.
    """
    Release(COURSE).must_have(lesson, version, install)
    provide(COURSE / "pyproject.toml", install)
    warn_of_old(COURSE / "pyproject.toml")
    openmp.warn()
    _use_our_utils()
    sys.path[:] = dict.fromkeys(sys.path)  # the cell adds the course each time that it is run


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
