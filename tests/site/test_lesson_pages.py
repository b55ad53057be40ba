"""The pages of lessons: nothing of the notebooks is lost, and what a learner would find out alone is folded."""

import re
from copy import copy

import nbformat
import pytest
from bs4 import BeautifulSoup

from tools.site import lesson_page
from tools.site.course import Course
from tools.site.unbroken import unbroken
from utils.paths import NOTEBOOKS, SOLUTIONS

STEMS = [file.stem for file in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))]


def cells(folder, stem) -> list:
    return nbformat.read(folder / f"{stem}.ipynb", as_version=4).cells


def flat(text: str) -> str:
    return "".join(text.split())


def without_code(html) -> str:
    """The words of a page, without what is code or stands in a picture."""
    article = copy(html.article)
    for code in article.find_all(["pre", "code", "script", "style", "img"]):
        code.extract()
    return article.get_text()


@pytest.fixture(params=STEMS)
def lesson(request, pages):
    """(name, its page, all words of the page without spaces)."""
    html = pages[f"lessons/{request.param}.html"]
    return request.param, html, flat(html.article.get_text())


@pytest.fixture(params=STEMS)
def stem(request) -> str:
    return request.param


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
                assert all(flat(line) in words for line in output.text.splitlines() if "%|" not in line)
            elif "text/html" in output.data:
                assert flat(BeautifulSoup(output.data["text/html"], "html.parser").get_text()) in words


def test_of_a_progress_bar_it_keeps_what_was_reached(lesson):
    stem, html, words = lesson
    assert "%|" not in words
    for cell in cells(SOLUTIONS, stem):
        for output in cell.get("outputs", []):
            for line in output.get("text", "").splitlines():
                bar = re.match(r"(.+): +100%\|.+\| (\d+)/\d+ \[.*?(?:/s|s/ \w+)(.*)\]$", line)
                if bar:
                    label, steps, result = map(flat, bar.groups())
                    assert re.search(rf"{re.escape(label)}:{steps}[a-z]+{re.escape(result)}", words), line


@pytest.mark.parametrize(
    ("bar", "said"),
    [
        ("seed 0: 100%|████| 250/250 [00:06<00:00, 37.99 steps/s, loss 0.233]", "seed 0: 250 steps, loss 0.233"),
        ("two at a time: 100%|████| 3/3 [00:24<00:00,  8.26s/ models]", "two at a time: 3 models"),
        ("99% | of [them, 3 of 4]", "99% | of [them, 3 of 4]"),
    ],
)
def test_a_progress_bar_is_said_in_words(bar, said):
    output = nbformat.v4.new_output("stream", text=f"before\n{bar}\nafter\n")
    assert lesson_page._for_people(output).text == f"before\n{said}\nafter\n"


def test_hints_stand_between_the_stub_and_the_answer(lesson):
    _, html, _ = lesson
    following = None
    for fold in reversed(html.select("article summary")):
        if not fold.get_text().startswith(("Hint", "Help")):
            following = fold.get_text()
            continue
        assert following == "One right answer"
        assert "NotImplementedError" in fold.find_previous(class_="cell_input").get_text()


def test_code_fits_on_a_small_laptop(page, served, stem):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{served}lessons/{stem}.html")
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    cut = "[...document.querySelectorAll('article pre')].filter(one => one.scrollWidth > one.clientWidth)"
    assert page.evaluate(f"{cut}.map(one => one.textContent)") == []


def test_a_phone_scrolls_in_one_direction(page, served, stem):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{served}lessons/{stem}.html")
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_number_and_its_percent_sign_stay_in_one_line(lesson):
    _, html, _ = lesson
    assert not re.search(r"\d %", without_code(html))
    assert unbroken("<p title='1 %'>99 %, <code>7 % 3</code></p>") == (
        "<p title='1 %'>99\N{NO-BREAK SPACE}%, <code>7 % 3</code></p>"
    )


def test_a_formula_and_the_sign_behind_it_stay_in_one_line_and_so_does_a_small_number(lesson):
    _, html, _ = lesson
    for formula in html.article.find_all("math"):
        following = formula.next_sibling
        if isinstance(following, str) and following[:1] in set(",.;:"):
            assert "unbroken" in formula.parent.get("class", [])
    kept = '<span class="unbroken">{}</span>'.format
    assert unbroken("<math><mi>z</mi></math>; 2.4e-07 <code>1e-07</code>") == (
        f"{kept('<math><mi>z</mi></math>;')} {kept('2.4e-07')} <code>1e-07</code>"
    )


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
    assert not re.search(r"\$|\\[a-z]", without_code(html))


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
