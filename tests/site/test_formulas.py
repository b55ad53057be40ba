"""Formulas as Chromium draws them: none is cut on a laptop, and signs stand where a textbook has them."""

import pytest

from utils.paths import NOTEBOOKS

LESSONS = [file.stem for file in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))]
CUT = """() => [...document.querySelectorAll(".formula")]
    .filter(box => box.scrollWidth > box.clientWidth + 1)
    .map(box => `${box.scrollWidth} of ${box.clientWidth} pixels: ${box.textContent}`)"""
LOWEST_INK_OF_A_PRIME = """async () => {
    await document.fonts.load("100px 'Reach Math'");
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = "100px 'Reach Math'";
    return -pen.measureText("′").actualBoundingBoxDescent;
}"""


@pytest.mark.parametrize("stem", LESSONS)
def test_no_formula_is_wider_than_the_text_on_a_laptop(page, served, stem):
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{served}lessons/{stem}.html")
    page.evaluate("document.fonts.ready")
    assert page.evaluate(CUT) == []


def test_a_prime_is_raised_once(page, served):
    """It is a superscript already: a sign that stands high by itself would be raised twice."""
    page.goto(f"{served}lessons/{LESSONS[0]}.html")
    assert page.evaluate(LOWEST_INK_OF_A_PRIME) < 20  # above the line on which it stands, in hundredths of its size
