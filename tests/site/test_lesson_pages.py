"""The pages of lessons: nothing of the notebooks is lost, and what a learner would find out alone is folded."""

import re
from copy import copy

import nbformat
import pytest
from bs4 import BeautifulSoup

from tools.site.course import Course
from utils.paths import NOTEBOOKS, SOLUTIONS

STEMS = [file.stem for file in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))]


def cells(folder, stem) -> list:
    return nbformat.read(folder / f"{stem}.ipynb", as_version=4).cells


def flat(text: str) -> str:
    return "".join(text.split())


@pytest.fixture(params=STEMS)
def lesson(request, pages):
    """(name, its page, all words of the page without spaces)."""
    html = pages[f"lessons/{request.param}.html"]
    return request.param, html, flat(html.article.get_text())


def test_every_figure_is_there_with_its_words(lesson):
    stem, html, _ = lesson
    outputs = [output for cell in cells(SOLUTIONS, stem) for output in cell.get("outputs", [])]
    figures = [one for one in outputs if "image/png" in one.get("data", {}) and "text/html" not in one.data]
    stored = [figure.metadata["image/png"]["alt"] for figure in figures]
    shown = [image["alt"] for image in html.select(".cell_output img") if not image.find_parent(class_="picture-book")]
    assert shown == stored


def test_every_result_is_there(lesson):
    stem, html, words = lesson
    for cell in cells(SOLUTIONS, stem):
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                assert all(flat(line) in words for line in output.text.splitlines())
            elif "text/html" in output.data:
                assert flat(BeautifulSoup(output.data["text/html"], "html.parser").get_text()) in words


def test_the_stub_stands_before_the_answer_which_is_folded(lesson):
    stem, html, _ = lesson
    answers = [cell for cell in cells(SOLUTIONS, stem) if cell.metadata.get("nbgrader", {}).get("solution")]
    folded = [one for one in html.find_all("details") if one.summary.get_text() == "One right answer"]
    assert len(folded) == len(answers) > 0
    stubs = {cell.metadata.nbgrader.grade_id: cell for cell in cells(NOTEBOOKS, stem) if "nbgrader" in cell.metadata}
    for answer, shown in zip(answers, folded, strict=True):
        assert not shown.has_attr("open")
        if answer.cell_type == "code":
            stub = flat(stubs[answer.metadata.nbgrader.grade_id].source)
            assert flat(shown.find_previous(class_="cell_input").get_text()) == stub
            solved = flat(shown.find("pre").get_text())
            assert solved != stub and "NotImplementedError" not in solved


def test_no_marker_of_the_build_is_left(lesson):
    _, html, words = lesson
    assert "SOLUTION" not in words
    assert "<!--###" not in flat(html.article.decode())


def test_hints_and_explanations_are_folded(lesson):
    stem, html, _ = lesson
    said = "".join(cell.source for cell in cells(SOLUTIONS, stem) if cell.cell_type == "markdown")
    summaries = [one.get_text() for one in html.select("article summary")]
    assert sum(one.startswith(("Hint", "Help", "What each")) for one in summaries) == sum(
        said.count(f"<summary>{word}") for word in ("Hint", "Help", "What each")
    )
    assert all(card.get_text()[0] in "●○" for card in html.select(".card-line"))
    assert len(html.select(".card-line")) == sum(line.startswith("●") for line in said.splitlines())


def test_every_formula_is_drawn(lesson):
    _, html, _ = lesson
    article = copy(html.article)
    for code in article.find_all(["pre", "code", "script", "img"]):
        code.extract()
    assert not re.search(r"\$|\\[a-z]", article.get_text())


def test_its_buttons_open_its_notebook(lesson, site):
    stem, html, _ = lesson
    repository = Course().repository
    buttons = {one.get_text(): one["href"] for one in html.select(".buttons a")}
    assert buttons["Open this lesson in Colab"].endswith(
        f"/{repository.owner}/{repository.name}/blob/main/notebooks/{stem}.ipynb"
    )
    assert "Open this lesson on Binder" in buttons
    download = site / "lessons" / buttons["Download the notebook"]
    assert nbformat.read(download, as_version=4).cells == cells(NOTEBOOKS, stem)
