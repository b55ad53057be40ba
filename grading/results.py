"""What grading one submission came to, in plain values that are written as JSON and read back."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from grading.files import write_whole
from utils.checking import Status, Verdict


@dataclass(frozen=True)
class Mark:
    """What one check came to: the check cell's `grade_id`, the points, and the verdict with its diagnosis.

    `incident` is empty, or says what the submission did that kept the check from ending in the usual way.
    """

    grade_id: str
    points: float
    max_points: float
    verdict: Verdict
    seconds: float = 0.0
    incident: str = ""


@dataclass(frozen=True)
class Graded:
    """One student's submission of one assignment, graded.

    `notes` say what was mended in the file and what the submission did that it should not. `seed` is that of the random
    cases, `sha256` that of the file as it was handed in, `key` of everything that the marks follow from, and `unsafe`
    is true where there was no sandbox.
    """

    student: str
    assignment: str
    marks: list[Mark]
    notes: list[str] = field(default_factory=list)
    seed: int = 0
    sha256: str = ""
    key: str = ""
    seconds: float = 0.0
    peak_megabytes: float = 0.0
    unsafe: bool = False

    @property
    def points(self) -> float:
        return sum(mark.points for mark in self.marks)

    @property
    def max_points(self) -> float:
        return sum(mark.max_points for mark in self.marks)

    def write(self, path: Path) -> None:
        """Write as JSON, whole or not at all."""
        write_whole(path, json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, path: Path) -> "Graded":
        """Read what `write` wrote."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        marks = [_mark(mark) for mark in fields.pop("marks")]
        return cls(marks=marks, **fields)


def _mark(fields: dict) -> Mark:
    verdict = dict(fields.pop("verdict"))
    return Mark(verdict=Verdict(**verdict | {"status": Status(verdict["status"])}), **fields)
