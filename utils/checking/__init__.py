"""How a check works: exercises are declared in `utils.checks`, one module a lesson, with what stands here."""

from utils.checking.cases import normal, uniform
from utils.checking.exercise import Exercise, exercise
from utils.checking.verdict import CheckFailed, Status, Verdict

__all__ = ["CheckFailed", "Exercise", "Status", "Verdict", "exercise", "normal", "uniform"]
