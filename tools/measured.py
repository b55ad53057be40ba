"""Numbers in a lesson's text that somebody has measured: where they stand, and whether a claim measures them here."""

import ast
import re
from collections.abc import Iterator

from tools.lesson import Cell, Lesson

HEADING = re.compile(r"^## ", re.MULTILINE)
UNITS = r"bits?|nats?|%|percent|milliseconds?|ms|seconds?|(?<=[ \u00a0])s|times"
NUMBER = re.compile(rf"(?<![\w.$^_])\d[\d,.]*(?:\s*(?:to|–|±)\s*\d[\d,.]*)?[ \u00a0]?(?:{UNITS})(?![\w^_])")
NO_PROSE = re.compile(r"`[^`]*`|\$\$.*?\$\$|\$[^$\n]*\$|<!--.*?-->|\]\([^)]*\)|<[^>\n]*>", re.DOTALL)


def sections(lesson: Lesson) -> Iterator[list[Cell]]:
    """The cells between one heading of the second level and the next."""
    section: list[Cell] = []
    for cell in lesson.cells:
        if cell.type == "markdown" and HEADING.search(cell.source) and section:
            yield section
            section = []
        section.append(cell)
    yield section


def has_claim(cell: Cell) -> bool:
    """Whether a cell of code calls `claim`."""
    try:
        nodes = list(ast.walk(ast.parse(cell.source))) if cell.type == "code" else []
    except SyntaxError:  # another rule says so
        return False
    return any(isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "claim" for node in nodes)


def numbers(cell: Cell) -> Iterator[tuple[int, str]]:
    """(line, what is wrong) for each number of a text cell that has a unit in which something is measured.

    Code, formulas, links and HTML do not count.
    """
    if cell.type != "markdown":
        return
    prose = NO_PROSE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), cell.source)
    for number, line in enumerate(prose.split("\n"), start=cell.first_line):
        for found in NUMBER.finditer(line):
            yield (
                number,
                f'"{found[0]}" is measured, and no claim(…) of this section measures it: add one, or say on this '
                "cell's marker why not, as unclaimed=\"a figure of the paper's\"",
            )
