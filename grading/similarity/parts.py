"""What of a submission is compared: the cells that its author wrote, with their fingerprints and where these stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from grading.assignment import Assignment
from grading.similarity.tokens import Names, Token, names_in, tokens_of_code, tokens_of_text
from grading.similarity.winnowing import GRAM, grams, winnow
from grading.submission.reading import read_content
from grading.untrusted.html import MAX_SOURCE
from grading.untrusted.text import visible
from utils.cells import role

QUIZ, OWN = "Quiz", "Cells of their own"


@dataclass(frozen=True)
class Part:
    """A cell: the exercise that it answers, its text as a page shows it, and {fingerprint: lines where that stands}."""

    title: str
    is_code: bool
    source: str
    prints: Mapping[int, frozenset[int]]


def parts_of(content: bytes, assignment: Assignment) -> list[Part]:
    """The answers, quizzes and own cells of a submitted file, in the order of the notebook; [] if nothing was answered.

    Raises Unreadable if it is no notebook. Nothing of it is run. Of a cell its first characters are looked at, as many
    as a page shows.
    """
    notebook = read_content(content, assignment).notebook
    released = {cell.id: cell for cell in assignment.notebook.cells}
    theirs = [cell for cell in notebook.cells if cell.id not in released or cell.source != released[cell.id].source]
    if not any(cell.id in released and role(released[cell.id]) for cell in theirs):
        return []
    titles = {cell: assignment.exercise_titles[check] for check, cell in assignment.answer_cells.items()}
    titles |= {cell.id: QUIZ for cell in released.values() if role(cell) == "quiz"}
    names = names_in(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return [_part(cell, titles.get(cell.id, OWN), names) for cell in theirs]


def all_grams(cells: Sequence[NotebookNode]) -> set[int]:
    """All hashes of these cells, and not the few that stand for them: who looks one up will find it."""
    names = names_in(cell.source for cell in cells if cell.cell_type == "code")
    tokens = (_tokens(cell.source, cell.cell_type == "code", names) for cell in cells)
    return {one for found in tokens for one in grams([token.word for token in found])}


def _part(cell: NotebookNode, title: str, names: Names) -> Part:
    is_code = cell.cell_type == "code"
    source = visible(cell.source[:MAX_SOURCE], MAX_SOURCE)[:MAX_SOURCE]  # lines are counted in what is shown
    tokens = _tokens(source, is_code, names)
    prints: dict[int, frozenset[int]] = {}
    for place, one in winnow(grams([token.word for token in tokens])).items():
        lines = frozenset(token.line for token in tokens[place : place + GRAM])
        prints[one] = prints.get(one, frozenset()) | lines
    return Part(title, is_code, source, prints)


def _tokens(source: str, is_code: bool, names: Names) -> list[Token]:
    return tokens_of_code(source, names) if is_code else tokens_of_text(source)
