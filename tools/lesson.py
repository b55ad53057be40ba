"""A lesson as it is written: lessons/NN_topic.py, its cells, and the line at which each begins."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext

# Magics in comments stay comments: jupytext would otherwise run a comment such as "# cat the two tensors".
PERCENT = {"extension": ".py", "format_name": "percent", "comment_magics": False}

FILE_NAME = re.compile(r"\d\d_[a-z0-9_]+\.py")
CELL_MARKER = re.compile(r"# ?%%")
TITLE = re.compile(r"# (?P<number>\d\d) · (?P<name>[^:\n]+)(: .+)?")

CARD = re.compile(
    r"●.*· (\d+) points?$", re.MULTILINE
)  # above each exercise, such as ●●○ · about 25 minutes · 3 points

KINDS = {"setup": "code", "answer": "code", "check": "code", "payoff": "code", "quiz": "markdown"}
"""What the author can say of a cell on its marker, and the type of cell that it is said of."""


class BuildError(Exception):
    """The build stops. `problems` tells all that is wrong, as a compiler does: each begins with a file and a line."""

    def __init__(self, problems: list[str]):
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Cell:
    """One cell. `options` is what its marker says, `written` its lines as they stand in the file."""

    line: int  # of the marker
    first_line: int  # of the source
    type: str
    source: str
    options: dict[str, Any]
    written: list[str]

    @property
    def kind(self) -> str:
        """One of KINDS, or "" for a cell of which nothing is said."""
        return next((kind for kind in KINDS if kind in self.options), "")

    @property
    def name(self) -> str:
        return str(self.options.get(self.kind, ""))

    @property
    def figure(self) -> str:
        """The name under which the cell's figure is kept outside the notebook; "" for most."""
        return str(self.options.get("figure", ""))

    @property
    def stored(self) -> bool:
        """Whether the solution stores what the cell shows; `stored=false` says that it depends on other lessons."""
        return self.options.get("stored", True) is not False

    @property
    def same_output(self) -> bool:
        """Whether nbval holds what the cell prints; `same_output=true` says that no run prints anything else."""
        return self.options.get("same_output") is True

    @property
    def grade_id(self) -> str:
        """nbgrader's name for the cell, unique in its notebook; "" for a cell that is not graded."""
        prefixes = {"answer": "", "check": "check_", "quiz": "quiz_"}
        return prefixes[self.kind] + self.name if self.kind in prefixes else ""


@dataclass(frozen=True)
class Lesson:
    """One file of lessons/."""

    file: Path
    cells: list[Cell]

    @property
    def stem(self) -> str:
        return self.file.stem

    @property
    def number(self) -> str:
        return self.stem[:2]

    @property
    def topic(self) -> str:
        """What its module of utils.checks is called."""
        return self.stem[3:]

    def problem(self, line: int, text: str) -> str:
        return at(self.file, line, text)


def at(file: Path, line: int, text: str) -> str:
    """`text`, said of a line of a lesson's file."""
    return f"{file.parent.name}/{file.name}:{line}: {text}"


def read(file: Path) -> Lesson:
    """Read a lesson. Raises BuildError where it cannot be cut into cells; what is in them is for `tools.rules`."""
    if not FILE_NAME.fullmatch(file.name):
        raise BuildError([at(file, 1, "a lesson's file is called NN_topic.py, such as 01_convolution.py")])
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise BuildError([at(file, 1, f"this is not UTF-8 text: {error}")]) from error
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None or not CELL_MARKER.match(lines[first]):
        raise BuildError([at(file, (first or 0) + 1, "a lesson begins with a cell: # %% [markdown]")])
    starts = [number for number, line in enumerate(lines) if CELL_MARKER.match(line)]
    if glued := [number for number in starts if not re.match(r"# ?%%(\s|$)", lines[number])]:
        raise BuildError([at(file, number + 1, "a space is missing after # %%") for number in glued])
    found = jupytext.reads("\n".join(lines) + "\n", fmt=PERCENT).cells
    if len(found) != len(starts):
        raise BuildError(
            [at(file, line, "a line in a string begins with '# %%'") for line in _in_strings(lines, starts)]
        )
    pieces = [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
    return Lesson(file, [_cell(*all_of) for all_of in zip(starts, found, pieces, strict=True)])


def _in_strings(lines: list[str], starts: list[int]) -> list[int]:
    """The lines, counted from 1, of those markers that stand in a string; line 1 if the file is not Python."""
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return [1]
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [
        start + 1 for start in starts if any(node.lineno <= start < (node.end_lineno or 0) for node in strings)
    ] or [1]


def _cell(start: int, cell: Any, written: list[str]) -> Cell:
    blank = len(cell.source) - len(cell.source.lstrip("\n"))
    options = {key: value for key, value in cell.metadata.items() if key != "lines_to_next_cell"}
    return Cell(start + 1, start + 2 + blank, cell.cell_type, cell.source.strip("\n"), options, written)
