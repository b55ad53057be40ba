"""For instructors and for authors: each listed document is a page, and its pictures are small."""

import pytest
from PIL import Image

from tools.site import long_words
from tools.site.pages import authors, instructors
from tools.site.text import plain, section
from utils.paths import COURSE

LARGEST = 150_000  # bytes of a picture
CUT_OFF = """() => [...document.querySelectorAll("article :is(p, li) > code")]
    .filter(code => !code.closest("table") && code.getBoundingClientRect().right > innerWidth)
    .map(code => code.textContent)"""
PICTURES = sorted((COURSE / "docs/figures").glob("class_*.png"))


@pytest.mark.parametrize("part", [instructors, authors], ids=lambda part: part.FIRST.partition("/")[0])
def test_every_document_is_a_page_with_all_of_its_headings(part, pages):
    for file, page in part.SHOWS.items():
        shown = pages[page.replace(".md", ".html")]
        source = (COURSE / file).read_text(encoding="utf-8")
        assert shown.find("h1").text.startswith(source.partition("\n")[0].removeprefix("# "))
        assert len(shown.select("article h2")) == source.count("\n## ")


def test_the_first_page_for_instructors_shows_the_class_page_and_leads_to_the_guides(pages):
    first = pages["instructors/index.html"]
    alternatives = [picture["alt"] for picture in first.select("article img")]
    assert len(alternatives) == len(PICTURES) and alternatives[0].startswith("The class page")


@pytest.mark.parametrize("part", [instructors, authors], ids=lambda part: part.FIRST.partition("/")[0])
def test_the_first_page_leads_to_each_document_and_says_what_it_is_about(part, pages):
    article = pages[part.FIRST.replace(".md", ".html")].find("article")
    assert part.GUIDES.keys() == part.SHOWS.keys()
    for file, says in part.GUIDES.items():
        page = part.SHOWS[file].partition("/")[2].replace(".md", ".html")
        link = article.select_one(f'li > p > a[href="{page}"]')
        title = (COURSE / file).read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        assert link.find_parent("li").text.strip() == f"{title}: {says}"


def test_a_guide_says_options_and_quotation_marks_as_they_are_typed(pages):
    cells = {cell.text.strip() for cell in pages["instructors/grading.html"].select("td")}
    assert {"--column … does not say whose column it is", '… opens a quotation mark (") in line …'} <= cells


@pytest.mark.parametrize("part", [instructors, authors], ids=lambda part: part.FIRST.partition("/")[0])
def test_on_a_phone_no_word_of_code_is_cut_off(part, page, served):
    page.set_viewport_size({"width": 390, "height": 800})
    for document in part.SHOWS.values():
        page.goto(served + document.replace(".md", ".html"))
        assert page.evaluate(CUT_OFF) == []


@pytest.mark.parametrize(
    ("word", "jointed"),
    [
        ("parameter_counts", "parameter_counts"),
        ("results/01_convolution.batch.json", "results/|01_|convolution.|batch.json"),
        ("kernel.unprivileged_userns=0", "kernel.|unprivileged_|userns=0"),
        ("--unsafe-no-sandbox", "--unsafe-no-sandbox"),
        ("--scheduler-of-a-cluster", "--scheduler-|of-|a-|cluster"),
        ("if&lt;a&gt;then&lt;b&gt;else", "if&lt;a&gt;then&lt;b&gt;else"),
    ],
)
def test_a_long_word_of_code_breaks_at_its_joints(word, jointed):
    html = '<p>results/01_convolution.batch.json <code><span class="pre">{}</span></code></p>'
    assert long_words.jointed(html.format(word)) == html.format(jointed.replace("|", "<wbr>"))


def test_in_a_column_a_shorter_word_breaks_too():
    html = '<table><td><span class="pre">topic_{}model.py</span></td></table><span class="pre">topic_model.py</span>'
    assert long_words.jointed(html.format("")) == html.format("<wbr>")


@pytest.mark.parametrize("picture", PICTURES, ids=lambda file: file.stem)
def test_a_picture_is_small(picture):
    assert picture.stat().st_size <= LARGEST
    assert Image.open(picture).mode == "P"


def test_the_design_of_a_check_shows_code_of_the_course(pages):
    text = pages["authors/checks.html"].find("article").text
    source = (COURSE / "utils/checks/receptive_field.py").read_text(encoding="utf-8")
    block = next(
        pre.text for pre in pages["authors/checks.html"].select("pre") if "@receptive_field.recipe" in pre.text
    )
    assert block.strip() in source
    assert "Likely mistake: jump updated before growth" in text


def test_a_section_of_a_document_is_all_that_stands_below_its_heading():
    text = "# A\n\n## For authors\n\nOne.\n\n### More\n\nTwo.\n\n## Settings\n\nThree.\n"
    assert section(text, "For authors") == "One.\n\n### More\n\nTwo."
    assert section(text, "Settings") == "Three."
    with pytest.raises(LookupError, match="For nobody"):
        section(text, "For nobody")


def test_no_sign_of_plain_text_means_anything():
    assert plain("W_h * $x$ `a` [b] <c> {d}") == r"W\_h \* \$x\$ \`a\` \[b\] \<c\> \{d\}"
