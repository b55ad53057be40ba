"""A lesson as a reader wants it: the solution's text, figures and results, with the learner's stub before each answer.

What a learner would find out alone is folded: hints, answers, explanations.
"""

import re
from copy import deepcopy

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from tools.compose import SETUP_ID
from tools.lesson import BuildError
from tools.site import links
from tools.site.course import Course

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
MARKER = re.compile(rf"^ *(?:{BEGIN}|{END})\n?", re.MULTILINE)
ANSWER_TO_QUIZ = re.compile(rf"<!-- {BEGIN} -->\n(.*?)\n<!-- {END} -->", re.DOTALL)
BADGES = re.compile(r"^\[!\[.*$", re.MULTILINE)
ANNOUNCED = re.compile(r"<section role='status' aria-label='[^']*'")
CARD = re.compile(r"^●.*$", re.MULTILINE)
HINTS = re.compile(r"\A(?:\s*<details>.*?</details>)+", re.DOTALL)
BAR = re.compile(r"\d+%\|[^|]*\| (\d+)/\d+ \[[^,]*, +(?:[\d.]+s/ (\w+)|[\d.]+ (\w+)/s)(.*)\] *$", re.MULTILINE)

SETUP = "notebook.setup()"  # stands in the cell that imports what a lesson uses
ANSWER = "One right answer"
READING = """{.reading}
You are reading this lesson with its results. To run the cells, and to write your own answers and have them checked,
open it with one of the buttons. Hints and answers are folded: try before you look."""


def lesson_page(course: Course, stem: str, solution: NotebookNode, stubs: NotebookNode) -> NotebookNode:
    """The page of lesson `stem` as a notebook that MyST-NB reads, from the two that the build made of it."""
    page = deepcopy(solution)
    page.metadata.language_info.pygments_lexer = "ipython3"
    stub_of = {_graded(cell): cell for cell in stubs.cells if _graded(cell)}
    cells, page.cells = page.cells, []
    cells[0].source = _with_buttons(cells[0].source, stem)
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = _text(links.for_the_site(cell.source, f"notebooks/{stem}.ipynb", course))
            page.cells.append(cell)
        else:
            page.cells += _code(cell, stub_of.get(_graded(cell)))
    page.cells = _hints_first(page.cells)
    return page


def _hints_first(cells: list[NotebookNode]) -> list[NotebookNode]:
    """The same cells, with the hints of an exercise before its answer. In a notebook they follow the check."""
    ordered: list[NotebookNode] = []
    answer = None  # where the answer stands whose hints have not been seen
    for cell in cells:
        hints = HINTS.match(cell.source) if cell.cell_type == "markdown" else None
        if cell.source.startswith(f"<details><summary>{ANSWER}") and ordered[-1].id.endswith("-stub"):
            answer = len(ordered)
        elif hints and answer is not None:
            ordered.insert(answer, new_markdown_cell(hints[0], id=f"{cell.id}-hints"))
            cell.source = cell.source[hints.end() :].strip()
            answer = None
        elif cell.cell_type == "markdown":
            answer = None
        if cell.source:
            ordered.append(cell)
    return ordered


def _code(cell: NotebookNode, stub: NotebookNode | None) -> list[NotebookNode]:
    """The cells that the page shows for this one."""
    if cell.id == SETUP_ID:
        return _folded(cell, "Set-up: what finds the course")
    if SETUP in cell.source:
        return _folded(cell, "Set-up: what this lesson uses")
    if MARKER.search(cell.source) and stub is not None:
        cell.source = MARKER.sub("", cell.source).rstrip()
        return [new_code_cell(stub.source, id=f"{cell.id}-stub"), *_folded(cell, ANSWER)]
    return _one_figure_each(cell)


def _graded(cell: NotebookNode) -> str:
    """The name under which nbgrader knows this cell; "" for most."""
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def _text(markdown: str) -> str:
    return CARD.sub(r"{.card-line}\n\g<0>", ANSWER_TO_QUIZ.sub(lambda quiz: _details(ANSWER, quiz[1]), markdown))


def _folded(cell: NotebookNode, summary: str) -> list[NotebookNode]:
    """The code of this cell behind a line, and what it has shown."""
    code = new_markdown_cell(_details(summary, f"````python\n{cell.source}\n````"), id=f"{cell.id}-code")
    shown = _outputs_alone(cell.id)
    shown.outputs = cell.outputs
    return [code, *_one_figure_each(shown)] if cell.outputs else [code]


def _outputs_alone(name: str) -> NotebookNode:
    """A cell that shows its outputs and no code. From one that has no code at all, MyST-NB takes no outputs either."""
    return new_code_cell("# stands above", id=name, metadata={"tags": ["remove-input"]})


def _details(summary: str, markdown: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{markdown}\n\n</details>"


def _one_figure_each(cell: NotebookNode) -> list[NotebookNode]:
    """This cell, and one without code for each further figure: MyST-NB takes one alternative text from a cell."""
    parts: list[NotebookNode] = [cell]
    outputs, cell.outputs = cell.outputs, []
    for output in outputs:
        alt = output.get("metadata", {}).get("image/png", {}).get("alt")
        if alt and any("image/png" in before.get("data", {}) for before in parts[-1].outputs):
            parts.append(_outputs_alone(f"{cell.id}-{len(parts)}"))
        if alt:
            parts[-1].metadata.setdefault("mystnb", {})["image"] = {"alt": alt}
        parts[-1].outputs.append(_for_people(output))
    return parts


def _for_people(output: NotebookNode) -> NotebookNode:
    """An output without what is in it for our programs, of which Sphinx would warn.

    In a notebook the verdict of a check is announced; on a page that never changes it is text. Of a progress bar the
    page keeps what was reached, and not the seconds of one machine.
    """
    if output.output_type == "stream":
        output.text = BAR.sub(_reached, output.text)
    if "data" in output:
        output.data = {
            kind: data for kind, data in output.data.items() if not kind.startswith("application/vnd.reach.")
        }
        if "text/html" in output.data:
            output.data["text/html"] = ANNOUNCED.sub("<section", output.data["text/html"])
    return output


def _reached(bar: re.Match) -> str:
    steps, slow, fast, result = bar.groups()
    return f"{steps} {slow or fast}{result}"


def _with_buttons(title: str, stem: str) -> str:
    """The first cell, with buttons where the badges are, and what they are for."""
    badges = BADGES.search(title)
    if badges is None:
        raise BuildError([f"notebooks/{stem}.ipynb: its first cell has no badges; make build writes them"])
    download = f"{{download}}`Download the notebook </downloads/{stem}.ipynb>`"
    buttons = links.as_buttons([*links.of_badges(badges[0]), download])
    return title.replace(badges[0], f"{buttons}\n\n{READING}")
