"""What a check says: one line of verdict, the smallest failing case, the named mistake, a pointer to the hint."""

import html
from dataclasses import dataclass, field
from enum import StrEnum

from utils import frontend


class Status(StrEnum):
    """What a check says of an answer, in the words that a learner reads."""

    PASSED = "passed"
    FAILED = "not yet"
    NOT_ATTEMPTED = "not attempted"
    BROKEN = "this check could not run"


# A word, a sign and a border style say the same thing three times, so that colour is never the only sign.
_SIGNS = {Status.PASSED: "✓", Status.FAILED: "✗", Status.NOT_ATTEMPTED: "○", Status.BROKEN: "!"}
_ROW = "float:none;width:auto"  # JupyterLab floats the parts of a list beside each other
_PRE = f"margin:0;{frontend.WRAPPED};background:none;font-family:var(--jp-code-font-family, monospace)"
_BORDERS = {
    Status.PASSED: "solid #1a7f37",
    Status.FAILED: "double #b3261e",
    Status.NOT_ATTEMPTED: "dashed #6e7781",
    Status.BROKEN: "dotted #9a6700",
}


class CheckFailed(AssertionError):
    """Raised in strict mode instead of a verdict that did not pass. Its traceback is the verdict alone."""

    def _render_traceback_(self) -> list[str]:
        """What IPython prints for this error (see `IPython.core.ultratb`): no frame of this package."""
        return [str(self)]


@dataclass(frozen=True)
class Earned:
    """What an answer earned of one part of an exercise's points, and why it did not earn all `of` them."""

    part: str
    points: float
    of: float
    why: str = ""

    @property
    def share(self) -> float:
        return self.points / self.of

    def __str__(self) -> str:
        said = f"{_SIGNS[Status.PASSED if self.points == self.of else Status.FAILED]} {self.part}: "
        return said + f"{self.points:g} of {self.of:g}" + (f", because {self.why}" if self.why else "")


@dataclass(frozen=True)
class Verdict:
    """The result of one check.

    `case` shows the smallest failing case, `problem` what is wrong with it. `mistake` is the name of the mistake
    that explains it, if there is one, and `explanation` its sentence. `notes` hold what is worth knowing whether
    the check passed or not. `failing` is that case's number, where a learner can call it by hand. `credit` says what
    each part of the points came to; it is empty where they are all given or none.
    """

    exercise: str
    status: Status
    summary: str
    case: str = ""
    problem: str = ""
    mistake: str = ""
    explanation: str = ""
    hint: str = ""
    notes: list[str] = field(default_factory=list)
    failing: int | None = None
    credit: list[Earned] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return self.status is Status.PASSED

    @property
    def share(self) -> float:
        """How much of the exercise's points it is worth, from 0 to 1."""
        if not self.credit:
            return float(self.passed)
        return sum(one.points for one in self.credit) / sum(one.of for one in self.credit)

    @property
    def headline(self) -> str:
        points = ""
        if self.credit and self.status is Status.FAILED:
            points = f" {sum(one.points for one in self.credit):g} of {sum(one.of for one in self.credit):g} points."
        return f"{_SIGNS[self.status]} {self.exercise}: {self.status}.{points} {self.summary}".rstrip()

    def parts(self) -> list[tuple[str, str]]:
        """(heading, text) pairs that are shown below the headline."""
        points = "" if self.passed else "\n".join(map(str, self.credit))
        parts = [("Points", points), ("Smallest failing case", self.case), ("What is wrong", self.problem)]
        if self.mistake:
            parts.append((f"Likely mistake: {self.mistake.replace('_', ' ')}", self.explanation))
        parts += [("Hint", self.hint), *(("Note", note) for note in self.notes)]
        if self.failing is not None:
            parts.append(("Try this case", f"{self.exercise}(*check.{self.exercise}.case())"))
        return [(heading, text) for heading, text in parts if text]

    def text(self) -> str:
        lines = [self.headline]
        for heading, text in self.parts():
            first, *rest = text.splitlines()
            lines += [f"  {heading}: {first}", *(f"    {line}" for line in rest)]
        return "\n".join(lines)

    def html(self) -> str:
        rows = "".join(
            f"<dt style='{_ROW};font-weight:600;margin:.4em 0 0'>{html.escape(heading)}</dt>"
            f"<dd style='{_ROW};margin:0'><pre style='{_PRE}'>{html.escape(text)}</pre></dd>"
            for heading, text in self.parts()
        )
        details = f"<dl style='margin:.3em 0 0'>{rows}</dl>" if rows else ""
        return (
            f"<section role='status' aria-label='Check of {html.escape(self.exercise)}: {self.status}' "
            f"style='border-left:6px {_BORDERS[self.status]};padding:.3em .8em'>"
            f"<strong>{frontend.marked_up(self.headline)}</strong>{details}</section>"
        )

    def show(self) -> None:
        """HTML in a notebook, plain text in a terminal."""
        frontend.show({"text/html": self.html(), "text/plain": self.text()})
