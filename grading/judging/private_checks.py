"""An instructor's own checks, from a folder outside the repository. Learners and sandboxes never get them."""

from __future__ import annotations

import hashlib
import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from grading.problems import GradingError
from grading.results import Mark
from utils.checking import Earned, Status, Verdict

if TYPE_CHECKING:
    from utils.checking import Exercise


def read_sources(folder: Path | None) -> dict[str, str]:
    """{file name: source} of the Python files in this folder; empty without one.

    Raises GradingError if there is no such folder, or nothing in it.
    """
    if folder is None:
        return {}
    sources = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}
    if not sources:
        raise GradingError(f"{folder} holds no Python file with checks. One looks like those in utils/checks/.")
    return sources


def declared_exercises(sources: dict[str, str]) -> list[Exercise]:
    """The exercises that these files declare, as the modules of `utils/checks` do.

    Raises GradingError if a file breaks or declares none.
    """
    from utils.checking import Lesson  # and torch with it: whoever only reads the sources does not wait for that

    found: list[Exercise] = []
    for name, source in sources.items():
        # A module in sys.modules, since a way of asking is found there when it is sent to a sandbox.
        module = types.ModuleType(f"private_checks_{hashlib.sha256(source.encode()).hexdigest()[:16]}")
        sys.modules[module.__name__] = module
        try:
            exec(compile(source, name, "exec"), vars(module))
        except Exception as error:
            raise GradingError(f"The private checks in {name} break: {type(error).__name__}: {error}") from error
        lessons = [value for value in vars(module).values() if isinstance(value, Lesson)]
        own = [one for lesson in lessons if lesson.module == module.__name__ for one in lesson.exercises.values()]
        if not own:
            raise GradingError(f"{name} declares no exercise. See utils/checks/ for how one is declared.")
        found += own
    return found


def capped(mark: Mark, private: Verdict, why: str) -> Mark:
    """The mark of an answer that did not pass a private check: at most the share that it earned there.

    Parts of the points that have the same names in both are capped one by one. Of the private verdict, nothing but
    the shares goes into the mark, since a student gets to see it; `why` is the sentence that is said of it.
    """
    shares = {one.part: one.share for one in private.credit}
    credit = [_capped(one, shares.get(one.part, private.share), why) for one in mark.verdict.credit]
    verdict = replace(mark.verdict, credit=credit)
    if mark.verdict.passed:
        verdict = Verdict(mark.verdict.exercise, Status.FAILED, why, credit=credit)
    share = verdict.share if credit else private.share
    return replace(mark, points=min(mark.points, round(share * mark.max_points, 2)), verdict=verdict)


def _capped(earned: Earned, share: float, why: str) -> Earned:
    points = min(earned.points, share * earned.of)
    return (
        earned if points == earned.points else replace(earned, points=points, why=why[0].lower() + why[1:].rstrip("."))
    )
