"""Formulas on our pages: all of the course's are shown as mathematics, and nothing of a student's is more than that."""

import re
import time

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import escape

from grading.assignment import load_assignment
from grading.pages.feedback import feedback_page
from grading.quizzes.questions import questions_of
from grading.untrusted.converter import Converter, TooMuch
from grading.untrusted.formulas import MAX_FORMULA, formula
from grading.untrusted.html import markdown
from tests.grading.made_up import ASSIGNMENT, graded, submission
from tests.grading.test_feedback import QUIZ, assert_harmless
from utils.paths import NOTEBOOKS, SOLUTIONS

LESSONS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
WIDE = r"\frac{1}{2} \sum_{i=1}^{n} \left( x_i - \operatorname{softmax}(W_y h_{t-1}) \right)^2 " * 4
ALT = re.compile(r'alttext="[^"]*"')


def formulas_of(text: str) -> set[str]:
    without_code = re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return {one or other for one, other in re.findall(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", without_code, re.DOTALL)}


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_formula_of_the_course_is_understood(lesson):
    found = {
        latex
        for folder in (NOTEBOOKS, SOLUTIONS)
        for cell in nbformat.read(folder / f"{lesson}.ipynb", as_version=4).cells
        if cell.cell_type == "markdown"
        for latex in formulas_of(cell.source)
    }
    assert not [latex for latex in found if "<math" not in formula(latex)]


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_question_and_no_expected_answer_shows_the_source_of_a_formula(lesson):
    for question in questions_of(load_assignment(NOTEBOOKS / f"{lesson}.ipynb")):
        for text in (question.text, question.expected, question.explained):
            shown = markdown(text)
            assert shown.count("<math ") >= len(formulas_of(text)), question.cell
            assert not re.search(r"\\[a-z]{3}", ALT.sub("", re.sub("<code>.*?</code>", "", shown))), question.cell


def test_a_formula_stands_where_it_was_written():
    shown = markdown(r"for $\frac{1}{2}$ of $$k^2 < 9$$ and `$x$`")
    assert r'for <math display="inline" alttext="\frac{1}{2}">' in shown
    assert "<mfrac><mn>1</mn><mn>2</mn></mfrac>" in shown
    assert 'display="block" alttext="k^2 &lt; 9"' in shown and "<mo>&lt;</mo>" in shown and "<code>$x$</code>" in shown
    assert '<math display="block"' in markdown("$$\nk^2 < 9\n$$")


def test_lines_that_are_aligned_at_their_signs_are_a_table():
    shown = formula(r"\begin{aligned} a &= b \\ c &= d \end{aligned}", is_block=True)
    assert shown.count("<mtr>") == 2 and shown.count("<mtd ") == 4
    assert shown.count("text-align: right") == shown.count("text-align: left") == 2


@pytest.mark.parametrize(
    "latex",
    [
        r"\frac",
        "{{{",
        r"\nothing_known",
        r"\begin{matrix}",
        "x_1_2",
        "a & b",
        "x" * (MAX_FORMULA + 1),
        "x^{" * 40 + "}" * 40,
        r"\def\a{\a\a}\a",
        r"\newcommand{\a}{bb}\a",
        r"\phantom{no}x",
        "\uffff",
        r"\text{" + "\ufffe}",
    ],
)
def test_what_is_not_understood_or_may_grow_stays_its_source(latex):
    source = latex.replace("&", "&amp;")
    assert formula(latex) == f"<code>{source}</code>"
    assert formula(latex, is_block=True) == f"<pre><code>{source}</code></pre>\n"


@pytest.mark.parametrize(
    ("latex", "gone"),
    [
        (r"\href{javascript:alert(1)}{x}", "href"),
        (r"\style{position:fixed}{x}", "style="),
        (r"\class{alarm}{x}", "class="),
        (r"\color{white}x", "color"),
        (r"\hspace{-50em}x", "50em"),
        (r"\hspace{9999em}x", "9999em"),
        (r"\rule{30em}{40em}", "height"),
        (r"\text{<img src=x onerror=alert(1)>}", "<img"),
        (r"\text{&lt;script&gt;}", "<script"),
    ],
)
def test_nothing_of_a_formula_is_more_than_mathematics_in_its_place(latex, gone):
    shown = ALT.sub("", formula(latex))
    assert gone not in shown or shown == f"<code>{escape(latex)}</code>"
    assert_harmless(formula(latex))


WORDS = [r"\frac", "{", "}", "^", "_", r"\text{", "<b>", "&", r"\\", r"\begin{matrix}", r"\end{matrix}", r"\left(", "x"]
WORDS += [r"\right)", r"\href{x}{", r"\sqrt[", "]", r"\big", "'", r"\color{red}", r"\over", r"\not", r"\unicode{", " 1"]


@given(st.lists(st.sampled_from(WORDS)))
@settings(max_examples=200, deadline=None)
def test_any_formula_is_harmless(words):
    for is_block in (False, True):
        assert_harmless(formula("".join(words), is_block))


@pytest.mark.parametrize(
    "latex",
    [r"\frac12", "x'''", "a" * 900, "{" * 450 + "}" * 450, r"\sqrt[" * 150, r"\begin{matrix}" * 60, "x_{" * 300],
)
def test_a_cell_full_of_formulas_is_read_in_a_moment(latex):
    text = "".join(f"${latex}{number}$ " for number in range(20_000 // (len(latex) + 6)))
    started = time.process_time()
    markdown(text)
    assert time.process_time() - started < 60, "seconds on a slow machine are what it takes, and not minutes"


@pytest.mark.parametrize("latex", ["(" * 40, r"\bigl(x" * 100, r"f\langle " * 40 + "x", "]0,1[+" + "(0,1[+" * 40])
def test_a_formula_without_end_is_shown_as_it_was_written_with_its_cell(latex):
    text = f"Since $x$, <b>so</b> ${latex}$ " + "".join(f"${latex}{number}$" for number in range(1000 // len(latex)))
    assert markdown(text) == f"<pre>{escape(text)}</pre>"

    assert "<math " in markdown("$x$"), "the next cell has its formulas"


def test_a_converter_whose_process_was_ended_goes_on_with_the_next():
    converter = Converter()
    assert "<mi>x</mi>" in (converter.mathml("x", is_block=False) or "")
    assert converter._process
    converter._process.kill()
    converter._process.wait()
    with pytest.raises(TooMuch):
        converter.mathml("x", is_block=False)
    assert "<mi>x</mi>" in (converter.mathml("x", is_block=False) or "")
    converter.close()


@pytest.mark.parametrize(
    "text", ["&#x202e;", "$&#x202e;$", r"$\text{&#x2066;x}$", "| &#x202e; |\n|--|", "[&#x202e;](x)"]
)
def test_no_number_of_a_sign_turns_text_around(text):
    shown = markdown(text)
    assert not {"\u202e", "\u2066"} & set(shown)
    assert "⟨U+20" in shown or "&amp;#x202e;" in shown or "202" in shown


def test_a_page_with_formulas_fits_a_phone_and_everybody_can_read_it(accessible):
    quiz = f"Because $x^2$ and ${WIDE}$.\n\n$$\n{WIDE}\n$$\n\nSo $${WIDE}$$"
    page = feedback_page(graded("s1", {}), submission({QUIZ: quiz}), ASSIGNMENT)
    assert page.count("<math ") == 4
    accessible(page)


def test_signs_that_are_heaped_on_one_another_stay_within_their_answer(chromium):
    def heading_above(answer: str) -> bytes:
        page = chromium.new_page(viewport={"width": 1000, "height": 800})
        page.set_content(feedback_page(graded("s1", {}), submission({QUIZ: answer}), ASSIGNMENT))
        shown = page.locator("#quiz-1")
        assert shown.evaluate("heading => heading.closest('section').querySelector('.answer').innerText").startswith(
            "a"
        )
        picture = shown.screenshot()
        page.close()
        return picture

    heap = "\u0300\u0301\u0302" * 60
    assert heading_above("a " * 20) == heading_above(f"a{heap} " * 20)
