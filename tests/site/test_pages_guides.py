"""For instructors and for authors: each listed document is a page, and its pictures are small."""

import pytest
from PIL import Image

from tools.site.pages import authors, instructors
from tools.site.text import plain, section
from utils.paths import COURSE

LARGEST = 150_000  # bytes of a picture
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
    leads = {link["href"] for link in first.select("article .toctree-wrapper a")}
    assert leads == {page.removeprefix("instructors/").replace(".md", ".html") for page in instructors.SHOWS.values()}


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
