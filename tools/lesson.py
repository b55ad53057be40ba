"""A lesson as it is written: lessons/NN_topic.py, its cells, and the line at which each begins."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext

from tools.problems import BuildError

# Magics in comments stay comments: jupytext would otherwise run a comment such as "# cat the two tensors".
PERCENT = {"extension": ".py", "format_name": "percent", "comment_magics": False}

FILE_NAME = re.compile(r"\d\d_[a-z0-9_]+\.py")
CELL_MARKER = re.compile(r"# ?%%")

KINDS = {"setup": "code", "answer": "code", "check": "code", "payoff": "code", "quiz": "markdown"}
"""What the author can say of a cell on its marker, and the type of cell that it is said of."""


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

    def problem(self, line: int, text: str) -> str:
        return f"{self.file.parent.name}/{self.file.name}:{line}: {text}"


def read(file: Path) -> Lesson:
    """Read a lesson. Raises BuildError where it cannot be cut into cells; what is in them is for `tools.rules`."""
    shell = Lesson(file, [])
    if not FILE_NAME.fullmatch(file.name):
        raise BuildError([shell.problem(1, "a lesson's file is called NN_topic.py, such as 01_convolution.py")])
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise BuildError([shell.problem(1, f"this is not UTF-8 text: {error}")]) from error
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None or not CELL_MARKER.match(lines[first]):
        raise BuildError([shell.problem((first or 0) + 1, "a lesson begins with a cell: # %% [markdown]")])

    starts = [number for number, line in enumerate(lines) if CELL_MARKER.match(line)]
    found = jupytext.reads("\n".join(lines) + "\n", fmt=PERCENT).cells
    if len(found) != len(starts):
        text = f"{len(starts)} lines begin with '# %%', and jupytext finds {len(found)} cells: is one in a string?"
        raise BuildError([shell.problem(1, text)])
    pieces = [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
    return Lesson(file, [_cell(*all_of) for all_of in zip(starts, found, pieces, strict=True)])


def _cell(start: int, cell: Any, written: list[str]) -> Cell:
    blank = len(cell.source) - len(cell.source.lstrip("\n"))
    options = {key: value for key, value in cell.metadata.items() if key != "lines_to_next_cell"}
    return Cell(start + 1, start + 2 + blank, cell.cell_type, cell.source.strip("\n"), options, written)
