"""Sheet: the notation of the course, which fills two printed pages.

The first is the page that lesson 00 draws (`utils.plotting.symbols`), the second is gathered from the tables of the
lessons: each symbol stands below the lesson in which it begins.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from tools.lesson import BuildError
from tools.site.course import Course
from tools.site.notebooks import solution
from utils.plotting.symbols import FLOWS, LETTERS, RULER, SYMBOLS

FIRST = "sheet.md"
SHOWS = {"docs/figures/00_symbols.png": FIRST}

PAGE = """---
tocdepth: 2
---

# Sheet

:::{{container}} only-on-screen
The notation of the course. Print this page (Ctrl-P): it is made for two sides of A4. Some letters mean something else
in a later lesson. Then the lesson's own table says so.
:::

## Letters of shapes

{letters}

## Symbols that begin in lesson 00

{symbols}

## The three flows

{flows}

## The ruler

{measures}

{ruler}

## Symbols that begin in a later lesson

{later}
"""

MEASURES = (
    ("`influence`", "00_start_here", r"\text{influence}"),
    ("`receptive_field`", "03_receptive_field", r"\text{jump} \leftarrow"),
    ("`context_horizon`", "08_char_lstm", r"\text{horizon} ="),
)
"""(function of `utils.reach`, the lesson that has its formula, what stands in that formula)."""

FORMULA = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
MATHS = re.compile(r"\$([^$]+)\$")
CELL = re.compile(r"(?<!\\)\|")
YOURS = re.compile(r"^(what you return|the answer)(, |$)")  # in the lesson, and not on the sheet
NEED_NO_NAME = re.compile(r"in code|variable|name|shape|meaning|what it is", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """A row of a lesson's table of symbols; `said` is all but the symbol, in Markdown."""

    symbol: str
    said: str


def pages(course: Course) -> dict[str, str | bytes]:
    """The one page."""
    notebooks = {one.stem: solution(course, one.stem) for one in course.outline.entries}
    text = PAGE.format(
        letters=_table(("letter", "stands for"), LETTERS),
        symbols=_table(("symbol", "in code", "what it is", "shape"), [_with_code(row) for row in SYMBOLS]),
        flows=_table(("flow", "formula", "reaches", "path over distance $d$"), FLOWS),
        measures=_table(("measure", "formula", "begins in"), [_measure(course, notebooks, *one) for one in MEASURES]),
        ruler="\n".join(f"- {line}" for line in RULER[1:]),
        later="\n".join(_later(course, notebooks)),
    )
    return {FIRST: text}


def symbols_by_lesson(notebooks: dict[str, NotebookNode]) -> dict[str, list[Row]]:
    """{stem of a lesson: the rows of its tables with a symbol that no lesson before has}."""
    seen: set[str] = set()
    found: dict[str, list[Row]] = {}
    for stem, notebook in notebooks.items():
        found[stem] = []
        for row in _rows(notebook):
            symbols = set(MATHS.findall(row.symbol))
            if symbols - seen:
                found[stem].append(row)
            seen |= symbols
    return found


def _rows(notebook: NotebookNode) -> Iterator[Row]:
    """The rows of all tables whose first column is called symbol."""
    lines = (
        line
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in [*cell.source.splitlines(), ""]  # a table ends with its cell
    )
    head: list[str] = []
    for line in lines:
        cells = [cell.strip() for cell in CELL.split(line)[1:-1]] if line.startswith("|") else []
        if not cells or cells[0] == "symbol":
            head = cells
        elif head and not set(cells[0]) <= set("-: "):
            yield Row(cells[0], "; ".join(_cells(head[1:], cells[1:])))


def _cells(head: list[str], cells: list[str]) -> Iterator[str]:
    for name, cell in zip(head, cells, strict=True):
        if cell := YOURS.sub("", cell):
            yield cell if NEED_NO_NAME.search(name) else f"{name}: {cell}"


def _later(course: Course, notebooks: dict[str, NotebookNode]) -> Iterator[str]:
    begins = symbols_by_lesson(notebooks)
    for entry in course.outline.entries[1:]:
        if rows := begins[entry.stem]:
            yield f"### [{entry.title}](/lessons/{entry.stem}.ipynb)\n"
            yield from (f"- {row.symbol}: {row.said}" for row in rows)
            yield ""


def _measure(course: Course, notebooks: dict[str, NotebookNode], name: str, stem: str, part: str) -> tuple[str, ...]:
    """A measure with its formula, as its lesson has it. Raises BuildError if the lesson has none with this part."""
    texts = "\n\n".join(cell.source for cell in notebooks[stem].cells if cell.cell_type == "markdown")
    formula = next((found for found in FORMULA.findall(texts) if part in found), None)
    if formula is None:
        raise BuildError([f"lessons/{stem}.py: the sheet looks for a formula with {part} there, and finds none"])
    return name, f"${' '.join(formula.split())}$", f"[lesson {stem[:2]}](/lessons/{stem}.ipynb)"


def _with_code(row: tuple[str, str, str, str]) -> tuple[str, ...]:
    symbol, code, what, shape = row
    return symbol, f"`{code}`", what, shape


def _table(head: tuple[str, ...], rows: list) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
