"""A lesson as a reader wants it: the solution's text, figures and results, with the learner's stub before each answer.

What a learner would find out alone is folded: answers, hints, explanations.
"""

import re
from copy import deepcopy

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from tools.lesson import BuildError
from tools.site import links
from tools.site.course import Course

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
MARKER = re.compile(rf"^ *(?:{BEGIN}|{END})\n?", re.MULTILINE)
ANSWER_TO_QUIZ = re.compile(rf"<!-- {BEGIN} -->\n(.*?)\n<!-- {END} -->", re.DOTALL)
CARD = re.compile(r"^●.*$", re.MULTILINE)

SETUP = "notebook.setup()"  # stands in the cell that imports what a lesson uses
ANSWER = "One right answer"


def lesson_page(course: Course, stem: str, solution: NotebookNode, stubs: NotebookNode) -> NotebookNode:
    """The page of lesson `stem` as a notebook that MyST-NB reads, from the two that the build made of it."""
    page = deepcopy(solution)
    stub_of = {_graded(cell): cell for cell in stubs.cells if _graded(cell)}
    page.cells = [
        shown
        for cell in page.cells
        for shown in _shown(cell, stub_of.get(_graded(cell)), course, f"notebooks/{stem}.ipynb")
    ]
    page.cells[0].source = _with_buttons(page.cells[0].source, course, stem)
    page.metadata.language_info.pygments_lexer = "ipython3"
    return page


def _shown(cell: NotebookNode, stub: NotebookNode | None, course: Course, file: str) -> list[NotebookNode]:
    """The cells that the page shows for this one of the solution."""
    if cell.cell_type == "markdown":
        cell.source = _text(links.for_the_site(cell.source, file, course))
        return [cell]
    if cell.source == course.repository.setup_cell():
        return _folded(cell, "Set-up: what finds the course")
    if SETUP in cell.source:
        return _folded(cell, "Set-up: what this lesson uses")
    if MARKER.search(cell.source) and stub is not None:
        cell.source = MARKER.sub("", cell.source)
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
    """A cell of which nothing is shown but its outputs. MyST-NB leaves out one without any code, and its outputs too."""
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
    """An output without what is in it for our programs, which Sphinx would warn of."""
    if "data" in output:
        output.data = {
            kind: data for kind, data in output.data.items() if not kind.startswith("application/vnd.reach.")
        }
    return output


def _with_buttons(title: str, course: Course, stem: str) -> str:
    """The first cell, with a line of links where the badges are: their pictures come from other hosts."""
    badges = course.repository.lesson_badges(stem)
    if badges not in title:
        raise BuildError(
            [f"notebooks/{stem}.ipynb: its badges are not those of {course.repository.address}: make build"]
        )
    download = f"{{download}}`Download the notebook </downloads/{stem}.ipynb>`"
    return title.replace(badges, links.as_buttons(badges, download))
