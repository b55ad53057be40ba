"""Which frames of a stack are a learner's own code, rather than a library's or the course's."""

import linecache
import os
import sysconfig
from types import FrameType

from utils.paths import COURSE

_LIBRARIES = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
_OURS = {str(COURSE / folder) for folder in ("utils", "grading")}
_OTHERS = ("<frozen", *map(os.path.normcase, _LIBRARIES | _OURS))


def is_learners(filename: str) -> bool:
    return not os.path.normcase(filename).startswith(_OTHERS)  # Windows spells one folder as C:\\ and as c:\\


def own_frames(frame: FrameType | None) -> list[FrameType]:
    """The learner's frames on the stack of `frame`, the innermost first."""
    found = []
    while frame is not None:
        if is_learners(frame.f_code.co_filename):
            found.append(frame)
        frame = frame.f_back
    return found


def line_of(frame: FrameType, number: int) -> str:
    """The text of a line of the code that runs in `frame`; empty where it is not known."""
    return linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
